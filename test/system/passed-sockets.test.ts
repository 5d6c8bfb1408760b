import { describe, expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { listeningPlace } from "../../src/system/listening-place.ts";
import { takePassedSockets } from "../../src/system/passed-sockets.ts";

const take = (env: Record<string, string>, pid = 7) => ({
  passed: takePassedSockets({ envs: [env], pid }),
  env,
});

describe("sockets of a service manager", () => {
  test("are ours where they are meant for this process, each with its name", () => {
    // Descriptors 3 and 4 of a test are open, whatever they are.
    const opened = [openSync("/dev/null", "r"), openSync("/dev/null", "r")];
    const env = { LISTEN_PID: "7", LISTEN_FDS: "2", LISTEN_FDNAMES: "http:", PATH: "/bin" };
    const { passed, env: left } = take(env);
    expect(passed).toEqual([
      { descriptor: 3, name: "http" },
      { descriptor: 4, name: "unknown" },
    ]);
    expect(left).toEqual({ PATH: "/bin" } as never);
    for (const one of opened) closeSync(one);
  });

  test("of another process, or of no number, are left alone, and yet no child hears of them", () => {
    for (const its of [
      { LISTEN_PID: "8", LISTEN_FDS: "2" },
      { LISTEN_PID: "7", LISTEN_FDS: "0" },
      { LISTEN_PID: "7", LISTEN_FDS: "-1" },
      { LISTEN_PID: "7", LISTEN_FDS: "1e1" },
      { LISTEN_FDS: "1" },
    ]) {
      expect(take({ ...its } as Record<string, string>)).toEqual({ passed: [], env: {} });
    }
  });

  test("that are said to be there and are not are no sockets", () => {
    // The system gives the least number that is free.
    const free = openSync("/dev/null", "r");
    closeSync(free);
    const { passed } = take({ LISTEN_PID: "7", LISTEN_FDS: "99" });
    expect(passed.every(({ descriptor }) => descriptor < 3 + 64)).toBeTrue();
    expect(passed.map(({ descriptor }) => descriptor)).not.toContain(free);
  });
});

describe("the place of a descriptor", () => {
  const listening = (hostname: string) => Bun.listen({ hostname, port: 0, socket: { data() {} } });
  const fdOf = (its: unknown) => (its as { fd: number }).fd;

  for (const address of ["127.0.0.1", "::1", "0.0.0.0", "::", "127.0.0.2"]) {
    test(`${address}`, () => {
      using its = listening(address);
      expect(listeningPlace(fdOf(its))).toEqual({ kind: "listens", address, port: its.port });
    });
  }

  test("a connection, a file, a path's socket and a number that is none are told apart", async () => {
    using its = listening("127.0.0.1");
    const connected = await Bun.connect({
      ...{ hostname: "127.0.0.1", port: its.port, socket: { data() {} } },
    });
    expect(listeningPlace(fdOf(connected))).toEqual({
      ...{ kind: "other", what: "a TCP socket that does not listen" },
    });
    connected.end();
    const file = openSync("/dev/null", "r");
    expect(listeningPlace(file)).toEqual({ kind: "other", what: "no socket" });
    closeSync(file);
    expect(listeningPlace(file)).toEqual({ kind: "other", what: "no socket" });
    const path = `/tmp/localhostess-place-${process.pid}`;
    using unix = Bun.listen({ unix: path, socket: { data() {} } });
    expect(listeningPlace(fdOf(unix))).toEqual({ kind: "other", what: "no TCP socket" });
  });
});
