/** Real sockets and the processes that hold them. */
import { expect, test } from "bun:test";
import type { Source } from "../../src/discovery/observation.ts";
import { holderWords, portHolders } from "../../src/discovery/port-holder.ts";
import { chooseSource } from "../../src/discovery/source.ts";
import { asOther, asRoot, canBeOther } from "../support/other-user.ts";

const source = chooseSource("auto", { uid: process.getuid?.() ?? 0, allUsers: true });

for (const hostname of ["127.0.0.1", "::1", "0.0.0.0", "::"]) {
  test(`who listens on ${hostname} is found, by address, pid and command`, async () => {
    const server = Bun.listen({ hostname, port: 0, socket: { data() {} } });
    try {
      const [holder, ...others] = await portHolders(server.port, { source });
      expect(others).toEqual([]);
      expect(holder).toMatchObject({ process: { pid: process.pid } });
      expect(holder?.process?.command).toContain("bun");
      expect(["127.0.0.1", "::1", "0.0.0.0", "::"]).toContain(holder!.address);
    } finally {
      server.stop(true);
    }
    expect(await portHolders(server.port, { source })).toEqual([]);
  });
}

test("a machine that cannot be looked at has no visible processes, and still its sockets", async () => {
  const blind: Source = { kind: "procfs", scan: () => Promise.reject(new Error("no")) };
  const listeners = () => [{ address: "0.0.0.0", port: 80, inode: 1, uid: 33 }];
  expect(await portHolders(80, { source: blind, listeners })).toEqual([
    { address: "0.0.0.0", process: undefined, uid: 33 },
  ]);
});

test.skipIf(!canBeOther)(`root sees everybody's ${asRoot}`, async () => {
  const script =
    "use IO::Socket::INET; $| = 1; my $l = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die; print $l->sockport, qq{\\n}; <STDIN>;";
  await using other = Bun.spawn(asOther(["perl", "-e", script]), {
    cwd: "/",
    stdin: "pipe",
    stdout: "pipe",
  });
  const { value } = await other.stdout.getReader().read();
  const port = Number(Buffer.from(value!).toString());
  const [holder] = await portHolders(port, { source });
  expect(holder).toMatchObject({ process: { pid: other.pid }, uid: 65_534 });
  other.stdin.end();
  await other.exited;
});

test("who has a port is told with pid, command and folder, and with its service or its NAME", () => {
  const holder = { pid: 17, command: "bun dev\x1b", cwd: "/srv/api", name: "api" };
  expect(holderWords(holder)).toBe("pid 17: bun dev\\x1b, named api, in /srv/api");
  expect(holderWords(holder, { owner: "shop:api" })).toBe(
    "shop:api, pid 17: bun dev\\x1b, in /srv/api",
  );
  expect(holderWords({ ...holder, cwd: undefined, name: undefined }, { others: 2 })).toBe(
    "pid 17 and 2 more: bun dev\\x1b",
  );
});
