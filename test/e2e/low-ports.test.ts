/**
 * `setup` and then a daemon of an ordinary user on ports 80 and 443, by the real helper, in a system that is nobody's:
 * who has them, who is refused, and what is left when they are given back.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { version } from "../../package.json" with { type: "json" };
import { eventually } from "../support/eventually.ts";
import { lackingSystem, type OwnSystem, ownSystem } from "../support/own-system.ts";

setDefaultTimeout(120_000);

/** Listed, and not. */
const [ann, bob] = [65_534, 65_533];

const lacks = lackingSystem();
const src = resolve(import.meta.dir, "../../src");

/** Connects to both ports, at both addresses, again and again, until the file is gone; prints how often. */
const knocker = `
import { existsSync } from "node:fs";
let made = 0; const refused = [];
const knock = async (hostname, port) => {
  try {
    const socket = await Bun.connect({ hostname, port, socket: { data() {} } });
    made++; socket.end();
  } catch (error) { refused.push(hostname + " " + port + " " + error.code); }
};
while (existsSync(process.argv[1])) {
  await Promise.all([80, 443].flatMap((port) => ["127.0.0.1", "::1"].map((at) => knock(at, port))));
  await Bun.sleep(2);
}
console.log(JSON.stringify({ made, refused }));
`;

/** As sudo for a user who may everything without a password; writes down each call. */
const sudo = `
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
  int at = 1;
  while (at < argc && strcmp(argv[at], "--") != 0) at++;
  if (setuid(0) || at + 1 >= argc) return 1;
  FILE *calls = fopen("/mnt/calls", "a");
  fprintf(calls, "%s", argv[at + 1]);
  for (int each = at + 2; each < argc - 1; each++) fprintf(calls, " %s", argv[each]);
  fprintf(calls, "\\n");
  fclose(calls);
  return execv(argv[at + 1], argv + at + 1);
}
`;

describe.skipIf(lacks !== "")(`ports 80 and 443${lacks}`, () => {
  let its: OwnSystem;
  let server: Bun.Subprocess;
  beforeAll(async () => {
    its = await ownSystem();
    const script = `Bun.serve({ port: 3000, hostname: "127.0.0.1", fetch: () => new Response("hello") })`;
    const env = { NAME: "api", PORT: "3000" };
    const argv = its.words([process.execPath, "-e", script], { uid: ann, env });
    server = Bun.spawn(argv, { cwd: "/", stdout: "ignore", stderr: "inherit", detached: true });
  });
  afterAll(async () => {
    server?.kill("SIGKILL");
    await its?.[Symbol.asyncDispose]();
  });

  const asAnn = (...words: string[]) => its.cli(words, { uid: ann });
  const asBob = (...words: string[]) => its.cli(words, { uid: bob });
  const look = async (uid: number): Promise<unknown> => {
    const script = `import { lookForHelper } from "${src}/helper/look.ts";
      const options = { root: "/", uid: ${uid}, version: "${version}" };
      console.log(JSON.stringify(await lookForHelper(options)));`;
    return JSON.parse((await its.run([process.execPath, "-e", script], { uid })).out);
  };
  const get = async (...more: string[]): Promise<string> =>
    (await its.run(["curl", "-sS", "--max-time", "20", ...more], { uid: ann })).out;

  test("without the helper the banner says what gives them, and the daemon goes on", async () => {
    const { out } = await asAnn("server", "start", "--detach");
    expect(out).toContain("http://localhost:9090");
    const log = await its.run([
      "cat",
      join(await its.home(ann), ".local/state/localhostess/daemon.log"),
    ]);
    expect(log.out).toContain(
      "for URLs without a port: localhostess setup, then restart (only root may listen there)",
    );
  });

  test("a user without sudo is shown what root has to run, and nothing is done", async () => {
    const { code, out, err } = await its.cli(["setup", "--ports", "--yes"], {
      uid: ann,
      env: { PATH: "/nonexistent" },
    });
    if (Bun.which("sudo") === null) {
      expect(err).toContain("there is no sudo here: nothing was changed");
      expect(out).toContain("\nsetcap cap_net_bind_service=ep /usr/local/libexec/localhostess/");
    }
    expect(code).toBe(1);
    expect(await its.changed()).toEqual([]);
  });

  test("one sudo sets it up for the user, and a second time there is nothing to do", async () => {
    const source = join(await its.home(0), "sudo.c");
    writeFileSync(source, sudo);
    // In a file system of the system's own: nobody else may become root by it.
    await its.run(["mkdir", "/mnt/bin"]);
    await its.run(["musl-gcc", "-static", "-o", "/mnt/bin/sudo", source]);
    await its.run(["chmod", "4755", "/mnt/bin/sudo"]);
    const bySudo = () =>
      its.cli(["setup", "--ports", "--yes"], { uid: ann, env: { PATH: "/mnt/bin:/usr/bin:/bin" } });
    expect(await bySudo()).toMatchObject({ code: 0, out: "done\n" });
    expect((await its.run(["cat", "/mnt/calls"])).out).toBe(
      "/usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin /bin/sh -c\n",
    );
    expect(await bySudo()).toMatchObject({ code: 0, out: "nothing to do\n" });
    const { out } = await asAnn("setup", "--status", "--json");
    expect(JSON.parse(out)).toMatchObject({
      parts: expect.arrayContaining([{ part: "ports", state: "done", why: null, fix: null }]),
    });
    const right = await its.run(["getcap", "-r", "/usr/local/libexec"], {
      env: { PATH: "/usr/sbin" },
    });
    expect(right.out).toBe(
      "/usr/local/libexec/localhostess/localhostess-helper cap_net_bind_service=ep\n",
    );
    expect((await its.run(["cat", "/etc/localhostess/users"])).out).toEndWith(`\n${ann} ports\n`);
  });

  test("the next daemon takes over the main port, and has 80 and 443 besides: URLs have no port", async () => {
    expect((await asAnn("server", "restart")).out).toContain("http://localhost\n");
    expect(await get("http://api.localhost/")).toBe("hello");
    expect(await get("-k", "https://api.localhost/")).toBe("hello");
    expect(await get("-g", "http://[::1]/", "-H", "Host: api.localhost")).toBe("hello");
    expect((await asAnn("url", "api")).out).toBe("http://api.localhost\n");
    const machine = `{ platform: "linux", privileged: false, root: "/" }`;
    const by = `import { listensBy } from "${src}/cli/trust/why-not-listening.ts";
      console.log(await listensBy(80, ${machine}), await listensBy(443, ${machine}));`;
    const { out } = await its.run([process.execPath, "-e", by], { uid: ann });
    expect(out).toBe(", by the helper , by the helper\n");
  });

  test("a restart keeps both ports, and refuses no connection", async () => {
    const mark = join(await its.home(bob), "mark");
    writeFileSync(mark, "");
    const argv = its.words([process.execPath, "-e", knocker, mark], { uid: bob });
    const child = Bun.spawn(argv, { cwd: "/", stdout: "pipe", stderr: "inherit" });
    expect((await asAnn("server", "restart")).code).toBe(0);
    expect((await asAnn("server", "restart")).out).toContain("http://localhost\n");
    rmSync(mark);
    const { made, refused } = JSON.parse(await child.stdout.text());
    expect(refused).toEqual([]);
    expect(made).toBeGreaterThan(100);
    expect(await get("http://api.localhost/")).toBe("hello");
  });

  test("a second user, who is not listed, is told so, and who has the ports", async () => {
    const log = async () =>
      (await its.run(["cat", join(await its.home(bob), ".local/state/localhostess/daemon.log")]))
        .out;
    await asBob("server", "start", "--detach", "--port", "9191");
    await eventually("the banner of the second", async () => (await log()).includes("PAC file"));
    expect(await log()).toContain(
      `not using port 80, which is in use by a process of the user ${ann}`,
    );
    await asAnn("server", "stop");
    await asBob("server", "restart");
    await eventually("the next daemon's words", async () =>
      (await log()).includes(
        `(localhostess-helper: /etc/localhostess/users does not allow user ${bob} ports)`,
      ),
    );
    expect(await look(bob)).toEqual({ kind: "unlisted" });
    await asBob("server", "stop");
  });

  test("a helper of another version, or that has lost its right, is told with what mends it", async () => {
    const helper = "/usr/local/libexec/localhostess/localhostess-helper";
    await its.run(["/usr/sbin/setcap", "-r", helper]);
    expect(await look(ann)).toEqual({ kind: "powerless", path: helper });
    await its.run(["sh", "-c", `printf '#!/bin/sh\\necho 0.0.1; exit 3\\n' > ${helper}`]);
    expect(await look(ann)).toEqual({ kind: "version", path: helper, its: "" });
    await asAnn("server", "start", "--detach");
    const log = await its.run([
      "cat",
      join(await its.home(ann), ".local/state/localhostess/daemon.log"),
    ]);
    expect(log.out).toContain(`(${helper} is version 0.0.1, and this is `);
    await asAnn("server", "stop");
    expect((await its.cli(["setup", "--ports", "--yes", "--user", String(ann)])).out).toBe(
      "done\n",
    );
    expect(await look(ann)).toEqual({ kind: "ready", path: helper });
  });

  test("another user's line is kept when one is removed, and with the last all is gone", async () => {
    await its.run(["sh", "-c", `echo '4711 ports # by hand' >> /etc/localhostess/users`]);
    const remove = (user: number) =>
      its.cli(["setup", "--remove", "--yes", "--user", String(user)]);
    expect(await remove(ann)).toMatchObject({ code: 0, out: "done\n" });
    expect((await its.run(["cat", "/etc/localhostess/users"])).out).toEndWith(
      "\n4711 ports # by hand\n",
    );
    expect((await remove(4711)).out).toBe("done\n");
    expect((await remove(4711)).out).toBe("nothing to remove\n");
    expect(await its.changed()).toEqual([]);
  });
});
