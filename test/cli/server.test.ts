/** `server start`: the real proxy, and the verb alone with a daemon that the test moves. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { realpathSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { version } from "../../package.json" with { type: "json" };
import { serverStart } from "../../src/cli/daemon/server.ts";
import { noColors, type Screen, type StopSignal, type World } from "../../src/cli/shared/world.ts";
import type { Flags } from "../../src/cli/shared/settings.ts";
import type { Daemon, DaemonOptions } from "../../src/daemon/daemon.ts";
import type { Service } from "../../src/routes/service.ts";
import { cli, freshState, type Session, type State, session } from "./cli.ts";
import { type TestServer, testServer } from "./server-process.ts";

let state: State;

beforeAll(async () => {
  state = await freshState();
});

afterAll(() => state[Symbol.asyncDispose]());

const ready = /http:\/\/localhost:(\d+)\/proxy\.pac/;

async function started(its: Session): Promise<number> {
  return Number(ready.exec(await its.until((text) => ready.test(text)))![1]);
}

const start = (args: string[] = [], options = {}): Session =>
  session(["server", "start", "--port", "0", ...args], {
    env: state.env,
    terminal: false,
    ...options,
  });

async function record(): Promise<Record<string, unknown> | undefined> {
  const files = await readdir(state.directory);
  if (!files.includes("registration.json")) return undefined;
  return JSON.parse(await readFile(join(state.directory, "registration.json"), "utf8"));
}

describe("the program", () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await testServer();
  });

  afterAll(() => server.end());

  test("prints its URLs and its services, serves them, and ends with 0 and without a record", async () => {
    await using proxy = start();
    const port = await started(proxy);
    expect(proxy.output()).toStartWith(`localhostess ${version} on `);
    expect(proxy.output()).toContain(`  http://<name>.localhost:${port} `);
    expect(proxy.output()).not.toContain("\x1b");
    await proxy.until((text) => text.includes(`+ ${server.name} `));
    const response = await fetch(`http://127.0.0.1:${port}/x`, {
      headers: { Host: `${server.name}.localhost:${port}` },
    });
    expect(await response.text()).toBe("path /x\n");
    proxy.signal("SIGTERM");
    expect(await proxy.ended()).toBe(0);
    expect(await record()).toBeUndefined();
  });

  test("other verbs learn its port from the record, and no longer once it was killed", async () => {
    await using proxy = start();
    const port = await started(proxy);
    expect(await record()).toEqual({
      id: expect.any(String),
      pid: proxy.pid,
      startedAt: expect.any(Number),
      port,
      version,
      protocol: "localhostess/2",
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      socket: join(state.directory, "daemon.sock"),
      tlds: [],
    });
    const run = () => cli(["ls"], { env: state.env });
    const before = await run();
    expect(before.out).toContain(`http://${server.name}.localhost:${port} `);
    expect(before.err).not.toContain("not running");
    expect((await cli(["pac"], { env: state.env })).out).toContain(`127.0.0.1:${port};`);
    await proxy[Symbol.asyncDispose]();
    const after = await run();
    expect(after.out).toContain(`http://${server.name}.localhost:9090 `);
    expect(after.err).toContain("the proxy is not running");
  });

  test("a line for each service that comes and goes", async () => {
    await using proxy = start();
    const port = await started(proxy);
    // A name that nobody has makes it look at once.
    const look = () =>
      fetch(`http://127.0.0.1:${port}/`, { headers: { Host: "nobody-has-this.localhost" } });
    const other = await testServer();
    const line = (mark: string) =>
      new RegExp(`^\\d\\d:\\d\\d:\\d\\d \\${mark} ${other.name} `, "m");
    await look();
    await proxy.until((text) => line("+").test(text));
    await other.end();
    await look();
    await proxy.until((text) => line("-").test(text));
  });

  test("a port that another program holds is an error that names it", async () => {
    const { code, out, err } = await cli(["server", "start", "--port", String(server.port)], {
      env: state.env,
    });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(`port ${server.port} is in use by pid ${server.pid}: `);
    expect(err).toContain("fixtures/server.ts");
    expect(err).toContain(`, named ${server.name}, in ${realpathSync(tmpdir())}; `);
    expect(err).toContain("--port 0");
  });

  test("one that is started on the port of our own daemon takes its place, and both say so", async () => {
    await using before = start();
    const port = String(await started(before));
    await using after = session(["server", "start", "--port", port], {
      env: state.env,
      terminal: false,
    });
    expect(await started(after)).toBe(Number(port));
    expect(after.output()).toContain(`took over from pid ${before.pid}\n`);
    // After the trial of the other one.
    await before.until((text) => text.includes("stopping, as another daemon has taken over"));
    expect(await before.ended()).toBe(0);
    expect(await record()).toMatchObject({ pid: after.pid, port: Number(port) });
    after.signal("SIGTERM");
    expect(await after.ended()).toBe(0);
    expect(await record()).toBeUndefined();
  });

  test("one with another state directory takes nothing, and names who has the port", async () => {
    await using proxy = start();
    const port = String(await started(proxy));
    await using other = await freshState();
    const { code, err } = await cli(["server", "start", "--port", port], { env: other.env });
    expect(code).toBe(1);
    expect(err).toContain(`port ${port} is in use by pid ${proxy.pid}: `);
    expect(await record()).toMatchObject({ pid: proxy.pid });
    expect((await cli(["server", "status"], { env: state.env })).code).toBe(0);
  });

  test("a port that a stranger has is not worth the daemon that runs", async () => {
    await using proxy = start();
    await started(proxy);
    const args = ["server", "start", "--port", String(server.port)];
    const { code, err } = await cli(args, { env: state.env });
    expect(code).toBe(1);
    expect(err).toContain(`port ${server.port} is in use by pid ${server.pid}: `);
    expect((await cli(["server", "status"], { env: state.env })).code).toBe(0);
    expect(await record()).toMatchObject({ pid: proxy.pid });
  });

  test("Ctrl-C in a terminal ends it with 0, and has colours", async () => {
    await using proxy = start([], { terminal: true });
    await proxy.until((text) => text.includes("/proxy.pac"));
    expect(proxy.output()).toContain("\x1b[1mlocalhostess");
    proxy.type("\x03");
    expect(await proxy.ended()).toBe(0);
  });

  test("a second Ctrl-C does not wait for the drain", async () => {
    await using proxy = start([], { terminal: true });
    const port = Number(
      ready.exec(Bun.stripANSI(await proxy.until((text) => ready.test(Bun.stripANSI(text)))))![1],
    );
    const response = await fetch(`http://127.0.0.1:${port}/endless`, {
      headers: { Host: `${server.name}.localhost:${port}` },
    });
    expect(response.status).toBe(200);
    proxy.type("\x03");
    await proxy.until((text) => text.includes("stopping"));
    proxy.type("\x03");
    expect(await proxy.ended()).toBe(130);
    await response.body?.cancel().catch(() => {
      // Its connection was cut, as it should be.
    });
  });

  test("a state directory that cannot be used is told, and the proxy runs", async () => {
    await using proxy = start([], { env: { LOCALHOSTESS_STATE_DIR: "/dev/null/state" } });
    await started(proxy);
    await proxy.until((text) => text.includes("other commands cannot find this daemon"));
    proxy.signal("SIGINT");
    expect(await proxy.ended()).toBe(0);
  });
});

describe("the verb", () => {
  let printed: string;
  let said: string;
  let exits: number[];
  let signal: (its: StopSignal) => void;
  let daemon: DaemonOptions;
  let drained: PromiseWithResolvers<void>;
  let stops: number;
  let banner: PromiseWithResolvers<void>;

  const screen = (take: (text: string) => void): Screen => ({
    write(text) {
      take(text);
      return true;
    },
    columns: () => 80,
    colors: noColors,
  });

  function world(env: World["env"] = {}): World {
    return {
      out: screen((text) => {
        printed += text;
        if (text.includes("/proxy.pac")) banner.resolve();
      }),
      err: screen((text) => {
        said += text;
      }),
      env: { ...state.env, ...env },
      platform: "linux",
      home: "/nonexistent",
      cwd: "/nonexistent",
      prompt: async () => undefined,
      onSignal(action) {
        signal = action;
        return () => {};
      },
      onResize: () => () => {},
      exit: (code) => exits.push(code),
    };
  }

  /** What it says of its ports. */
  let had: Pick<Daemon, "ports" | "urlPorts" | "refusedPorts">;

  let predecessor: Daemon["predecessor"];
  let dismissed: PromiseWithResolvers<string>;

  async function startDaemon(options: DaemonOptions) {
    daemon = options;
    options.onServices([api], { appeared: [api], changed: [], gone: [] });
    const stop = () => {
      stops++;
      return drained.promise;
    };
    return {
      port: 9999,
      ...had,
      addresses: ["127.0.0.1", "::1"],
      sourceOf: () => "itself" as const,
      predecessor,
      dismissed: dismissed.promise,
      isHanded: false,
      isReplaced: false,
      keeps: 0,
      fails: () => false,
      kept: async () => {},
      stop,
    };
  }

  const api: Service = {
    name: "api",
    routable: true,
    endpoint: { address: "127.0.0.1", port: 3000, dial: ["127.0.0.1"] },
    process: { pid: 4242, startedAt: 0 },
    pids: [4242],
    ports: [3000],
    command: "bun dev",
    cwd: undefined,
    source: "NAME",
    warnings: [],
  };

  const row = "api  http://api.localhost:9999  :3000  pid 4242  -  bun dev";

  beforeEach(() => {
    printed = said = "";
    exits = [];
    stops = 0;
    had = { ports: [9999], urlPorts: { http: 9999, https: 9999 }, refusedPorts: [] };
    predecessor = undefined;
    dismissed = Promise.withResolvers();
    drained = Promise.withResolvers();
    banner = Promise.withResolvers();
  });

  test("prints the banner before what was found meanwhile, and then each change", async () => {
    const ended = serverStart({}, { world: world(), startDaemon });
    await banner.promise;
    expect(printed.indexOf("/proxy.pac")).toBeLessThan(printed.indexOf(row));
    const changed = { ...api, warnings: ["two of them"] };
    daemon.onServices([changed], { appeared: [], changed: [changed], gone: [] });
    daemon.onServices([], { appeared: [], changed: [], gone: [changed] });
    const lines = printed.trimEnd().split("\n").slice(-4);
    expect(lines.map((line) => line.replace(/^\d\d:\d\d:\d\d /, ""))).toEqual([
      `+ ${row}`,
      `~ ${row}`,
      "! api (pid 4242): two of them",
      `- ${row}`,
    ]);
    drained.resolve();
    signal("SIGTERM");
    expect(await ended).toBe(0);
  });

  test("the first signal drains, the second ends it with 130", async () => {
    const ended = serverStart({}, { world: world(), startDaemon });
    await banner.promise;
    signal("SIGINT");
    expect(exits).toEqual([]);
    signal("SIGINT");
    expect(exits).toEqual([130]);
    drained.resolve();
    expect(await ended).toBe(0);
    expect(stops).toBe(1);
  });

  test("when it is dismissed it says why and stops; a signal then ends it at once", async () => {
    const ended = serverStart({}, { world: world(), startDaemon });
    await banner.promise;
    dismissed.resolve("as it was asked to");
    await dismissed.promise;
    await new Promise(setImmediate);
    expect(said).toContain("stopping, as it was asked to\n");
    expect(stops).toBe(1);
    signal("SIGINT");
    expect(exits).toEqual([130]);
    drained.resolve();
    expect(await ended).toBe(0);
  });

  test("whom it took over from is told", async () => {
    predecessor = { pid: 17 };
    await run();
    expect(said).toContain("took over from pid 17\n");
  });

  test("where another daemon runs, it ends with 0 and without a banner", async () => {
    const none = async (): Promise<undefined> => undefined;
    expect(await serverStart({ unlessRunning: true }, { world: world(), startDaemon: none })).toBe(
      0,
    );
    expect(printed).toBe("");
  });

  test("skipped processes are for --verbose, other notes for everybody, and none can escape", async () => {
    for (const verbose of [false, true]) {
      said = "";
      banner = Promise.withResolvers();
      const ended = serverStart({ verbose }, { world: world(), startDaemon });
      await banner.promise;
      daemon.onSkipped("process 17 skipped: gone");
      daemon.onNote("no IPv6\x1b[2J here");
      expect(said.includes("process 17 skipped: gone\n")).toBe(verbose);
      expect(said).toContain("no IPv6\\x1b[2J here\n");
      drained.resolve();
      signal("SIGTERM");
      await ended;
    }
  });

  test("--port beats LOCALHOSTESS_PORT, which beats 9090", async () => {
    const portOf = async (flags: { port?: string }, env: World["env"]): Promise<number> => {
      drained.resolve();
      banner = Promise.withResolvers();
      const ended = serverStart(flags, { world: world(env), startDaemon });
      await banner.promise;
      signal("SIGTERM");
      await ended;
      return daemon.port;
    };
    expect(await portOf({}, {})).toBe(9090);
    expect(await portOf({}, { LOCALHOSTESS_PORT: "0" })).toBe(0);
    expect(await portOf({ port: "80" }, { LOCALHOSTESS_PORT: "81" })).toBe(80);
  });

  /** Starts, has its banner, and ends it. */
  async function run(flags: Flags = {}, env: World["env"] = {}): Promise<string> {
    printed = said = "";
    drained.resolve();
    banner = Promise.withResolvers();
    const ended = serverStart(flags, { world: world(env), startDaemon });
    await banner.promise;
    signal("SIGTERM");
    await ended;
    return printed;
  }

  test("80 and 443 are asked for, and shown unless the main port was chosen", async () => {
    const ports = (http: number | undefined, https: number | undefined, shown = true) => [
      ...(http === undefined ? [] : [{ scheme: "http", port: http, shown }]),
      ...(https === undefined ? [] : [{ scheme: "https", port: https, shown }]),
    ];
    const cases: [Flags, World["env"], unknown][] = [
      [{}, {}, ports(80, 443)],
      [{ port: "8080" }, {}, ports(80, 443, false)],
      [{}, { LOCALHOSTESS_PORT: "8080" }, ports(80, 443, false)],
      [{ port: "8080", httpPort: "80", httpsPort: "443" }, {}, ports(80, 443)],
      [{ httpPort: "off" }, {}, ports(undefined, 443)],
      [{ httpsPort: "8443" }, { LOCALHOSTESS_HTTP_PORT: "off" }, ports(undefined, 8443)],
      [{ httpPort: "81" }, { LOCALHOSTESS_HTTP_PORT: "off" }, ports(81, 443)],
      [{ httpPort: "off", httpsPort: "off" }, {}, []],
      [{}, { LOCALHOSTESS_HTTP_PORT: "", LOCALHOSTESS_HTTPS_PORT: "0" }, ports(80, 0)],
    ];
    for (const [flags, env, wanted] of cases) {
      await run(flags, env);
      expect(daemon.extraPorts).toEqual(wanted as DaemonOptions["extraPorts"]);
    }
  });

  test("with both, URLs have no port, in the banner and in the lines; the PAC file's has", async () => {
    had = { ports: [9999, 80, 443], urlPorts: { http: 80, https: 443 }, refusedPorts: [] };
    banner = Promise.withResolvers();
    const ended = serverStart({}, { world: world(), startDaemon });
    await banner.promise;
    expect(printed).toContain("on 127.0.0.1 and [::1], ports 9999, 80 and 443\n");
    expect(printed).toContain("  http://localhost  ");
    expect(printed).toContain("  http://<name>.localhost  ");
    expect(printed).toContain("  https://<name>.localhost  ");
    expect(printed).toContain("  http://localhost:9999/proxy.pac  ");
    expect(printed).toContain("+ api  http://api.localhost  :3000");
    drained.resolve();
    signal("SIGTERM");
    await ended;
  });

  test("without the right, the banner has the command that gives it", async () => {
    const refused = (port: number) => ({ port, code: "EACCES", why: "only root may" });
    had = { ...had, refusedPorts: [refused(80), refused(443)] };
    const line = "  for URLs without a port: localhostess setup, then restart (only root may)\n";
    expect((await run()).split(line)).toHaveLength(2);
    had = { ...had, refusedPorts: [{ ...refused(80), fix: "localhostess doctor" }] };
    expect(await run()).toContain("without a port: localhostess doctor, then restart");
    had = { ...had, refusedPorts: [refused(79)] };
    expect(await run()).toContain("net.ipv4.ip_unprivileged_port_start=79,");
  });

  test("a port that somebody has is told with who that is, and any other reason as it is", async () => {
    using taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    had = {
      ...had,
      refusedPorts: [
        { port: taken.port, code: "EADDRINUSE", why: "" },
        { port: 443, code: "ENOBUFS", why: "no room\x1b[2J" },
      ],
    };
    const text = await run();
    expect(text).toContain(
      `  not using port ${taken.port}, which is in use by pid ${process.pid}: `,
    );
    expect(text).toContain("  not using port 443: no room\\x1b[2J\n");
  });

  test("the redirect to https is asked for by flag or variable, and told", async () => {
    const told = "page loads over http are redirected to https (--https-redirect)";
    for (const [flags, env, redirects] of [
      [{}, {}, false],
      [{ httpsRedirect: true }, {}, true],
      [{}, { LOCALHOSTESS_HTTPS_REDIRECT: "1" }, true],
      [{}, { LOCALHOSTESS_HTTPS_REDIRECT: "0" }, false],
      [{ httpsRedirect: true }, { LOCALHOSTESS_HTTPS_REDIRECT: "0" }, true],
    ] as const) {
      expect((await run(flags, env)).includes(told)).toBe(redirects);
      expect(daemon.httpsRedirect).toBe(redirects);
    }
  });

  test("folders give names unless a variable says otherwise", async () => {
    for (const [env, infers] of [
      [{}, true],
      [{ LOCALHOSTESS_INFER: "1" }, true],
      [{ LOCALHOSTESS_INFER: "0" }, false],
    ] as const) {
      await run({}, env);
      expect(daemon.infer).toBe(infers);
    }
  });

  test("a main port without the right is an error with the command", async () => {
    const refusing = async () => {
      throw Object.assign(new Error("no"), { code: "EACCES", port: 70 });
    };
    const ended = serverStart({ port: "70" }, { world: world(), startDaemon: refusing });
    await expect(ended).rejects.toThrow(
      "port 70 requires permission: sudo sysctl -w net.ipv4.ip_unprivileged_port_start=70; or choose another",
    );
  });
});
