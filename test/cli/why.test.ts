/** `why`, with the real program, a real proxy and servers in every state. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Step, Walk } from "../../src/cli/servers/step.ts";
import { unansweredFix } from "../../src/cli/servers/step-answers.ts";
import { listens } from "../../src/cli/servers/step-listens.ts";
import { cli, freshState, type State } from "./cli.ts";
import { startProgram } from "../support/program.ts";
import { freePort, uniqueName } from "../support/servers.ts";
import { neededByTls, startTlsServer } from "../support/tls-servers.ts";
import { describeWith } from "../support/with-programs.ts";
import { type TestServer, testServer } from "./server-process.ts";

// Each test runs the program several times, on a machine that may be busy.
setDefaultTimeout(60_000);

let state: State;
let server: TestServer;
let proxy: Awaited<ReturnType<typeof startProgram>>;

beforeAll(async () => {
  state = await freshState();
  [server, proxy] = await Promise.all([testServer(), startProgram()]);
});

afterAll(async () => {
  await Promise.all([server.end(), proxy.stop()]);
  await state[Symbol.asyncDispose]();
});

type Walked = { code: number; err: string; steps: Step[]; last: Step };

/** By default with the port of the proxy, which has another state directory. */
async function why(text: string, port: number | undefined = proxy.port): Promise<Walked> {
  const flags = port === 0 ? [] : ["--port", String(port)];
  const { code, out, err } = await cli(["why", text, "--json", ...flags], { env: state.env });
  const steps: Step[] = out === "" ? [] : JSON.parse(out);
  return { code, err, steps, last: steps.at(-1)! };
}

const names = (steps: readonly Step[]): string[] => steps.map((its) => its.step);
const wholeWay = ["resolves", "listens", "routes", "owner", "dials", "answers"];

test("the whole way is walked where all is well, and ends with the status", async () => {
  const texts = [
    server.name,
    `http://${server.name}.localhost:${proxy.port}/users?a=b`,
    `http://${server.name}/users`,
  ];
  for (const text of texts) {
    const { code, steps, last } = await why(text);
    expect(names(steps)).toEqual(wholeWay);
    expect(steps.every((its) => its.ok)).toBeTrue();
    expect(code).toBe(0);
    expect(last.detail).toContain("200 OK");
    expect(steps[3]!.detail).toContain(`127.0.0.1:${server.port} belongs to pid ${server.pid}: `);
    expect(steps[4]!.detail).toBe(`127.0.0.1:${server.port} accepts connections`);
  }
});

test("for a person each step is a line, and its fix the next", async () => {
  const { code, out } = await cli(["why", server.name, "--port", String(proxy.port)], {
    env: state.env,
  });
  expect(code).toBe(0);
  expect(out).toMatch(/^ok {4}routes {4}a server has the NAME cli-[0-9a-f]+$/m);
  expect(out).toMatch(/^ok {4}answers {3}GET http:\/\/.*: 200 OK$/m);
  const failed = await cli(["why", `${server.name}x`, "--port", String(proxy.port)], {
    env: state.env,
  });
  expect(failed.code).toBe(1);
  expect(failed.out).toMatch(/^fail {2}routes .*\n {16}-> try: localhostess why cli-/m);
});

test("a label in front is answered by the service behind it", async () => {
  const { code, steps } = await why(`x.${server.name}`);
  expect(code).toBe(0);
  expect(steps[2]!.detail).toBe(`no server is named x.${server.name}, so ${server.name} answers`);
});

test("an unknown name stops at routes, with the nearest", async () => {
  const { code, steps, last } = await why(`${server.name}x`);
  expect(code).toBe(1);
  expect(names(steps)).toEqual(["resolves", "listens", "routes"]);
  expect(last).toMatchObject({ ok: false, fix: `try: localhostess why ${server.name}` });
});

test("a name that cannot be an address stops at routes, with the reason", async () => {
  const name = `cli_${crypto.randomUUID().slice(0, 8)}`;
  await using _ = await testServer({ name });
  const { code, last } = await why(name);
  expect(code).toBe(1);
  expect(last.step).toBe("routes");
  expect(last.detail).toContain(`its NAME=${name} is not a usable name`);
});

test("without a proxy it stops at listens", async () => {
  const unused = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = unused;
  unused.stop(true);
  const { code, steps, last } = await why(server.name, port);
  expect(code).toBe(1);
  expect(names(steps)).toEqual(["resolves", "listens"]);
  expect(last.detail).toBe(`nothing listens on port ${port}`);
  expect(last.fix).toBe(`start it with: localhostess server start --port ${port}`);
});

test("a proxy of another state directory is told, with the port of the one here", async () => {
  const process = { ...{ pid: 17, uid: 0, parent: 1, group: 17 }, startedAt: 0 };
  const seen = { address: "127.0.0.1", port: proxy.port, pids: [17] };
  const sight = {
    scan: { observations: [seen], processes: new Map([[17, process]]) },
    proxy: { pid: 18, port: 1 },
    urlPorts: { http: 1, https: 1 },
    supervised: [],
  } as unknown as Walk["sight"];
  const target = { ...({ kind: "own", scheme: "http" } as const), port: undefined, path: "/" };
  const walk = { target, sight, port: proxy.port } as unknown as Walk;
  const { step } = await listens(walk);
  expect(step.detail).toStartWith("another localhostess (pid 17), which has a state directory");
  expect(step).toMatchObject({ ok: true, fix: "here the proxy is on port 1: http://localhost:1/" });
  const own = { ...sight, proxy: { pid: 17, port: 1 } };
  expect((await listens({ ...walk, sight: own })).step.detail).toStartWith("localhostess answers");
});

test("a server that is stopped by a signal is told with what lets it go on, and else where to look", () => {
  expect(unansweredFix({ pid: 17, log: "/x" })).toEndWith("to let it go on: kill -CONT 17");
  expect(unansweredFix({ pid: undefined, log: "/my state/daemon.log" })).toEndWith(
    "to '/my state/daemon.log'",
  );
});

test("another program on the proxy's port is named", async () => {
  const { code, last } = await why(`http://${server.name}.localhost:${server.port}/`);
  expect(code).toBe(1);
  expect(last.step).toBe("listens");
  expect(last.detail).toContain(
    `port ${server.port} is in use by another program: pid ${server.pid}: `,
  );
});

test("https is walked as http is, and says how to trust it", async () => {
  const tls = await why(`https://${server.name}.localhost:${proxy.port}/`);
  expect(tls.code).toBe(0);
  expect(tls.last.detail).toContain(`GET https://${server.name}.localhost`);
  expect(tls.last.fix).toContain("localhostess trust");
});

describeWith(neededByTls.node)("A server with TLS", () => {
  test("is said to be one, whichever way it is asked for", async () => {
    const name = uniqueName("secure");
    await using secure = await startTlsServer("node", name);
    for (const scheme of ["http", "https"]) {
      const { code, steps, last } = await why(`${scheme}://${name}.localhost:${proxy.port}/`);
      expect(steps[4]!.detail).toBe(`127.0.0.1:${secure.port} accepts connections with TLS`);
      expect(last.detail).toContain("200 OK");
      expect(code).toBe(0);
    }
  });
});

test("a server's own failure is its own, and the way to it is well", async () => {
  const { code, last } = await why(`${server.name}/broken`);
  expect(code).toBe(0);
  expect(last.detail).toContain("500");
  expect(last.fix).toContain("the server's own answer");
});

test("localhost is the proxy itself", async () => {
  const { code, steps } = await why(`http://localhost:${proxy.port}/proxy.pac`);
  expect(code).toBe(0);
  expect(names(steps)).toEqual(["resolves", "listens", "routes", "answers"]);
});

test("a recorded proxy on another port is the fix", async () => {
  await Bun.write(
    `${state.directory}/registration.json`,
    JSON.stringify({
      ...{ id: "x", pid: proxy.pid, startedAt: 0, port: proxy.port, version: "0" },
      ...{ protocol: "p", url: "http://127.0.0.1:1", socket: "/nonexistent" },
    }),
    { mode: 0o600 },
  );
  // Nobody listens there; on port 80 a proxy of this machine may.
  const { last } = await why(`http://${server.name}.localhost:${freePort()}/`, 0);
  expect(last.step).toBe("listens");
  expect(last.fix).toContain(
    `the proxy is on port ${proxy.port}: http://${server.name}.localhost:${proxy.port}/`,
  );
});
