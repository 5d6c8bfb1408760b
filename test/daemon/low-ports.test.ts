/** Sockets that a service manager has passed: which of them the daemon listens on, and the words about the others. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { openSync } from "node:fs";
import { LowPorts } from "../../src/daemon/low-ports.ts";
import { listeningPlace } from "../../src/system/listening-place.ts";
import { duplicate } from "../../src/system/own-descriptors.ts";

let said: string[];
let opened: Bun.TCPSocketListener<undefined>[];

beforeEach(() => {
  said = [];
  opened = [];
});
afterEach(() => {
  for (const its of opened) its.stop(true);
});

function listener(hostname: string, port = 0): { port: number; descriptor: number } {
  const its = Bun.listen<undefined>({ hostname, port, socket: { data() {} } });
  opened.push(its);
  return { port: its.port, descriptor: duplicate((its as unknown as { fd: number }).fd) };
}

const low = (...descriptors: number[]) =>
  new LowPorts({
    passed: descriptors.map((descriptor) => ({ descriptor, name: "unit" })),
    helper: { version: "1", root: "/nonexistent" },
    note: (text) => said.push(text.replace(/descriptor \d+/, "descriptor N")),
  });

const isOpen = (descriptor: number) => listeningPlace(descriptor).kind === "listens";

describe.skipIf(process.platform !== "linux")("sockets of a service manager", () => {
  test("on loopback are listened on, each once, and make their port one that is free for us", () => {
    const [v4, v6] = [listener("127.0.0.1"), listener("::1")];
    const its = low(v4.descriptor, v6.descriptor);
    expect(its.vacancy(v4.port)).toBe("free");
    const ready = its.after(undefined);
    expect(ready("127.0.0.1", v4.port)).toBe(v4.descriptor);
    expect(ready("127.0.0.1", v4.port)).toBeUndefined();
    expect(ready("127.0.0.1", v6.port)).toBeUndefined();
    expect(ready("::1", v6.port)).toBe(v6.descriptor);
    its.close();
    expect(said).toEqual([]);
    expect([v4, v6].map(({ port }) => its.sourceOf(port))).toEqual([
      "service manager",
      "service manager",
    ]);
    expect([v4, v6].every(({ descriptor }) => isOpen(descriptor))).toBeTrue();
  });

  test("that other machines reach are refused, with the line that is to be in the unit", () => {
    const [v4, v6, other] = [listener("0.0.0.0"), listener("::"), listener("127.0.0.2")];
    low(v4.descriptor, v6.descriptor, other.descriptor);
    const lines = (port: number) =>
      `write ListenStream=127.0.0.1:${port} and ListenStream=[::1]:${port} in its socket unit`;
    const not = "descriptor N (unit) of the service manager is not used: it listens on";
    expect(said).toEqual([
      `${not} 0.0.0.0:${v4.port}, for other machines too; ${lines(v4.port)}`,
      `${not} [::]:${v6.port}, for other machines too; ${lines(v6.port)}`,
      `${not} 127.0.0.2:${other.port}, other than 127.0.0.1 and [::1]; ${lines(other.port)}`,
    ]);
    expect([v4, v6, other].some(({ descriptor }) => isOpen(descriptor))).toBeFalse();
  });

  test("that are no listening sockets are closed, and told", () => {
    low(openSync("/dev/null", "r"));
    expect(said).toEqual(["descriptor N (unit) of the service manager is not used: no socket"]);
  });

  test("that the daemon does not ask for are closed when it listens, and told", () => {
    const { port, descriptor } = listener("127.0.0.1");
    const its = low(descriptor);
    its.close();
    its.close();
    expect(said).toEqual([
      `a socket of the service manager is not used: 127.0.0.1:${port} is not asked for`,
    ]);
    expect(isOpen(descriptor)).toBeFalse();
  });

  test("give way to those that the daemon before has handed over, which are the same", () => {
    const { port, descriptor } = listener("127.0.0.1");
    const its = low(descriptor);
    expect(its.after(() => 99)("127.0.0.1", port)).toBe(99);
    expect(its.sourceOf(port)).toBe("before");
    its.close();
    expect(said).toEqual([]);
    expect(isOpen(descriptor)).toBeFalse();
  });
});

describe.skipIf(process.platform !== "linux")("a port that the system has refused", () => {
  const refused = (port: number, code = "EACCES") => [{ port, code, why: "permission denied" }];

  test("has the command that gives it: by the helper, or else to every program", () => {
    const its = low();
    const why = "only root may listen there";
    // Nobody has the port in a network where tests run.
    expect(its.explained(refused(443))[0]).toMatchObject({ port: 443 });
    expect(its.explained(refused(79))).toEqual([
      {
        ...refused(79)[0]!,
        fix: "sudo sysctl -w net.ipv4.ip_unprivileged_port_start=79",
      },
    ]);
    const helped = its.explained(refused(80))[0]!;
    if (helped.code === "EACCES") expect(helped).toMatchObject({ why, fix: "localhostess setup" });
  });

  test("and that somebody has is in use, which the system did not say", () => {
    const { port } = listener("127.0.0.1");
    expect(low().explained(refused(port))[0]!.code).toBe("EADDRINUSE");
    expect(low().explained(refused(port, "ENOBUFS"))[0]!.code).toBe("ENOBUFS");
  });
});
