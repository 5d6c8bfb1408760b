/** `localhostess name`: names that are given, listed and taken back, and that the daemon finds at once. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkGiven } from "../../src/cli/trust/check-given.ts";
import { connectRaw } from "../support/raw-end.ts";
import { freePort, uniqueName } from "../support/servers.ts";
import { daemonInFront, type Ended, freshState, type Session, type State } from "./cli.ts";
import { inProcess } from "./in-process.ts";
import { testServer, type TestServer } from "./server-process.ts";

// Each test runs the program several times, on a machine that may be busy.
setDefaultTimeout(60_000);

let state: State;
let server: TestServer;
let byPath: ReturnType<typeof Bun.serve>;
let socket: string;
const run = (...words: string[]): Promise<Ended> =>
  inProcess(words, { env: state.env, cwd: state.directory });
const name = (...words: string[]): Promise<Ended> => run("name", ...words);
/** Other servers of this machine may have any usual name. */
const [web, later, api, sock] = ["web", "later", "api", "sock"].map(uniqueName) as [
  string,
  string,
  string,
  string,
];

beforeAll(async () => {
  state = await freshState();
  socket = join(state.directory, "api.sock");
  server = await testServer({ name: null });
  byPath = Bun.serve({ unix: socket, fetch: () => new Response("by path") });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await byPath.stop(true);
  await state[Symbol.asyncDispose]();
});

const rows = async (): Promise<Record<string, unknown>[]> => JSON.parse((await name("--json")).out);

describe("without a daemon", () => {
  test("a name is kept, listed with where it leads, and taken back", async () => {
    expect(await name()).toMatchObject({
      code: 0,
      out: "",
      err: expect.stringContaining("no names"),
    });
    const given = await name(web, String(server.port));
    expect(given).toMatchObject({ code: 0, err: "" });
    expect(given.out).toStartWith(
      `http://${web}.localhost:9090  ->  port ${server.port} (pid ${server.pid}, `,
    );
    const free = freePort();
    const kept = await name(`${later.toUpperCase()}.Shop.localhost`, `http://localhost:${free}/x`);
    expect(kept.out).toBe(`${later}.shop is kept for port ${free}\n`);
    expect(kept.err).toContain(`nothing listens on port ${free}; the name waits`);
    expect(await name(api, "unix:api.sock")).toMatchObject({ code: 0 });
    const absent = await name(sock, "unix:absent.sock");
    expect(absent.err).toContain("there is no such socket; the name waits");
    writeFileSync(join(state.directory, "absent.sock"), "");
    expect((await name()).out).toContain(`! ${sock}: no socket is there now; the name waits`);
    await name("--remove", sock);
    expect(await rows()).toMatchObject([
      { name: api, state: "reached" },
      { name: `${later}.shop`, state: "waits", url: null, place: String(free) },
      { name: web, state: "reached", url: `http://${web}.localhost:9090`, why: null },
    ]);
    expect(statSync(join(state.directory, "names.json")).mode & 0o777).toBe(0o600);
    const { out } = await run("ls", "--json");
    expect((JSON.parse(out) as { name: string }[]).filter((its) => its.name === web)).toMatchObject(
      [{ source: "given", because: `localhostess name gives it to port ${server.port}` }],
    );
    const why = await run("url", `${later}.shop`);
    expect(why).toMatchObject({ code: 1 });
    expect(why.err).toContain(`nothing listens on port ${free}; start the server there`);
    for (const its of [api, `${later}.shop`]) expect((await name("--remove", its)).code).toBe(0);
    expect((await rows()).map((its) => its.name)).toEqual([web]);
    expect(await name(web, "--remove", "--json")).toMatchObject({ code: 0 });
  });

  test.each([
    [["my_app", "3000"], "try my-app"],
    [["localhost", "3000"], "localhost is this machine itself"],
    [["3000", "api"], "the name comes first: localhostess name api 3000"],
    [["api", "box"], 'try "box:80"'],
    [["api", "unix:."], "is there, and is no unix socket"],
    [["--remove"], "which name?"],
    [["--remove", "api", "3000"], "takes a name alone"],
  ])("%j is an error of usage", async (words, said) => {
    const { code, err } = await name(...words);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(said) });
  });

  test("a domain of ours that was copied with the name is no part of it", async () => {
    const env = { ...state.env, LOCALHOSTESS_CONFIG: join(state.directory, "config.toml") };
    writeFileSync(env.LOCALHOSTESS_CONFIG, 'tlds = ["test"]\n');
    const { out } = await inProcess(["name", `${api}.test`, "1", "--json"], { env });
    expect(JSON.parse(out)).toMatchObject({ name: api });
    await name("--remove", api);
  });

  test("a process has its name until it ends, and then the name is dropped", async () => {
    const one = await testServer({ name: null });
    await name(api, `pid:${one.pid}`);
    expect(await rows()).toMatchObject([{ name: api, place: `pid:${one.pid}`, state: "reached" }]);
    await one.end();
    expect(await rows()).toMatchObject([{ name: api, state: "waits" }]);
    await name(web, "1");
    expect((await rows()).map((its) => its.name)).toEqual([web]);
    await name("--remove", web);
  });

  test("a file that is torn is an error, and stays as it is", async () => {
    const path = join(state.directory, "names.json");
    writeFileSync(path, '{"names": [');
    for (const words of [["a", "1"], [], ["--remove", "a"]]) {
      const { code, err } = await name(...words);
      expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining("cannot be used") });
    }
    const level = "broken";
    const fix: unknown = expect.stringContaining(`mv ${path}`);
    expect(checkGiven(state.directory)).toMatchObject([{ check: "given names", level, fix }]);
    expect(readFileSync(path, "utf8")).toBe('{"names": [');
    writeFileSync(path, '{"names": []}');
  });
});

describe("with a daemon", () => {
  let daemon: Session;
  let port: number;
  let named: TestServer;
  const other = uniqueName("named");
  const before = uniqueName("before");
  beforeAll(async () => {
    await name(before, String(server.port));
    daemon = await daemonInFront(state.env);
    port = Number(/localhost:(\d+)/.exec(daemon.output())![1]);
    named = await testServer({ name: other });
  });
  afterAll(async () => {
    await named[Symbol.asyncDispose]();
    daemon.signal("SIGTERM");
    await daemon.ended();
  });

  async function get(host: string): Promise<string> {
    using client = await connectRaw(port);
    client.send(`GET / HTTP/1.1\r\nHost: ${host}.localhost\r\nUser-Agent: curl/8\r\n\r\n`);
    return (await client.message()).body;
  }

  test("a name that was given before the daemon began is served", async () => {
    expect(await get(before)).toBe("path /\n");
    await name("--remove", before);
  });

  test("a name is served at once, by a port and by a path, and no more once it was taken back", async () => {
    await name(web, `127.0.0.1:${server.port}`);
    await name(sock, `unix:${socket}`);
    expect([await get(web), await get(`x.${sock}`)]).toEqual(["path /\n", "by path"]);
    const { out } = await run("why", sock);
    expect(out).toContain(`a server has the name ${sock}: localhostess name gives it to ${socket}`);
    expect(out).toContain(`${socket} accepts connections`);
    expect(out).toContain(`${socket} is a unix socket; its process is not known`);
    const stopped = await run("stop", sock);
    expect(stopped.code).toBe(1);
    expect(stopped.err).toContain(`${sock} leads to unix:${socket}, whose process is not known`);
    expect(stopped.err).not.toContain("null");
    const asked = await run("port", sock);
    expect(asked).toMatchObject({ code: 1 });
    expect(asked.err).toContain(`${sock} listens on the unix socket ${socket}, and on no port`);
    const list = await run("ls");
    expect(list.out).toMatch(/^NAME +URL +FROM +PORT/);
    await name("--remove", web);
    expect(await get(web)).toContain(`no server is named ${web}`);
  });

  test("a NAME wins, over the name and over the server's; both are told", async () => {
    expect((await name(other, String(server.port))).err).toContain(`has NAME=${other}, which wins`);
    expect((await name("second", String(named.port))).err).toContain(
      `the server there, pid ${named.pid}, has NAME=${other}, which wins`,
    );
    expect((await rows()).map((its) => [its.name, its.state]).sort()).toEqual(
      [
        [other, "shadowed"],
        ["second", "shadowed"],
        [sock, "reached"],
      ].sort(),
    );
    expect(await get("second")).toContain(`has NAME=${other}, which wins`);
  });

  test("our own port is refused: it would lead back", async () => {
    const { code, err } = await name("self", String(port));
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining("localhostess itself") });
  });
});
