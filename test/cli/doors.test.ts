/**
 * States of a server x doors -> what each door tells: the sentence of a state is written down once, in its row here,
 * and held at every door. One daemon has all states at once; the verbs run in this process.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { run } from "../../src/cli/run.ts";
import { noColors, type Screen, type World } from "../../src/cli/shared/world.ts";
import { entriesOf, matching } from "../../src/dashboard/page/model.ts";
import type { SupervisedStatus } from "../../src/routes/project-report.ts";
import type { NamelessReport, ServiceReport } from "../../src/routes/service-report.ts";
import { projectPlace, type ProjectPlace, server } from "../support/project-place.ts";
import { connectRaw } from "../support/raw-end.ts";
import { type Running, running } from "../support/running.ts";
import { uniqueName } from "../support/servers.ts";

const patience = 120_000;

const name = uniqueName("doors");
const away = uniqueName("away");

type State = {
  /** The word for it that is typed; by default its service. */
  word: string;
  /** The state and its cause. */
  cause: string;
  /** The rest of the sentence: what a command is for, and the command. */
  next?: string;
  /** A last line of its output. */
  line?: string;
  /** Whether a request finds it now, waits for it or starts it, or is refused. */
  turn: "answers" | "comes" | "down";
};

/** Filled in when all of it runs: ports and pids are the system's. */
const states: Record<string, State> = {};

function sentence({ cause, next }: State): string {
  return next === undefined ? cause : `${cause}; ${next}`;
}

let place: ProjectPlace;
let directory: string;
let port: number;

/** What a browser would have been opened with. */
let opened: string;

/** Services of one project, in every state at once. */
const manifest = `[project]
name = "${name}"
[services.running]
command = """${server}"""
[services.stray]
command = """${server.replace("Number(PORT)", "0")}"""
[services.failed]
command = "echo no database; exec sleep 1000"
start_timeout = "300ms"
restart = "no"
[services.crashed]
command = "echo kaboom; exit 3"
restart = "no"
[services.stopped]
command = "exec sleep 1000"
[services.lazy]
command = """${server}"""
lazy = true
[services.slow]
type = "worker"
command = "exec sleep 1000"
ready_pattern = "never"
start_timeout = "10m"
[services.starting]
command = "exec sleep 1000"
depends_on = ["slow"]
`;

beforeAll(async () => {
  place = await projectPlace();
  const root = realpathSync(place.daemon.directory);
  opened = join(root, "opened");
  mkdirSync(join(root, "bin"));
  for (const program of ["xdg-open", "chromium"]) {
    writeFileSync(join(root, "bin", program), `#!/bin/sh\nprintf %s "$1" > '${opened}'\n`);
    chmodSync(join(root, "bin", program), 0o755);
  }
  const found = await place.daemon.find();
  if (found.kind !== "healthy") throw new Error(found.kind);
  ({ port } = found.registration);

  const env = { PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
  directory = await place.project(name, manifest);
  const gone = await place.project(
    away,
    `[project]\nname = "${away}"\n[services.web]\ncommand = """${server}"""\n`,
  );
  const starts = [place.up(directory, { env }), place.up(gone, { env })];
  // The start of one that never is ready ends with its daemon.
  void Promise.allSettled(starts);
  await starts[1];
  await place.until(`${name}:running`, ({ ready }) => ready);
  const failed = await place.until(`${name}:failed`, ({ state }) => state === "failed");
  // As long as it took, on a busy machine more.
  expect(failed.why).toMatch(/^did not become ready within \d[\d.]* s$/);
  await place.until(`${name}:crashed`, ({ state }) => state === "exited");
  await place.until(`${name}:starting`, ({ why }) => why !== null);
  const stray = await place.until(`${name}:stray`, (row) => row.ready && row.warnings.length > 0);
  await place.send({ Stop: { name: `${name}:stopped` } });
  rmSync(gone, { recursive: true });
  await place.until(`${away}:web`, (row) => row.warnings.length > 0);

  const up = (service: string) => `localhostess up ${directory} ${service}`;
  const project: Record<string, Omit<State, "word"> & { word?: string }> = {
    running: { cause: `${name}:running is ready`, turn: "answers" },
    starting: {
      cause: `${name}:starting is starting: waits for slow`,
      next: `to see its output: localhostess logs ${name}:starting`,
      turn: "comes",
    },
    failed: {
      cause: `${name}:failed has failed (SIGTERM): ${failed.why}`,
      next: `to start it: ${up("failed")}`,
      line: "no database",
      turn: "down",
    },
    crashed: {
      cause: `${name}:crashed has ended (exit code 3)`,
      next: `to start it: ${up("crashed")}`,
      line: "kaboom",
      turn: "down",
    },
    stopped: {
      cause: `${name}:stopped is stopped`,
      next: `to start it: ${up("stopped")}`,
      turn: "down",
    },
    lazy: {
      cause: `${name}:lazy is stopped`,
      next: `it starts with its first request, or with: ${up("lazy")}`,
      turn: "comes",
    },
    "wrong port": {
      word: "stray",
      cause: `${name}:stray is ready; it ${stray.warnings[0]}`,
      turn: "answers",
    },
    "gone folder": {
      word: `${away}:web`,
      cause: `${away}:web is ready; its folder is gone: ${gone}; where it was moved to, localhostess up takes it on; else: localhostess registry forget ${away}`,
      turn: "answers",
    },
  };
  for (const [state, its] of Object.entries(project)) states[state] = { word: state, ...its };
}, patience);

afterAll(async () => {
  await place[Symbol.asyncDispose]();
}, patience);

type Told = { code: number; out: string; err: string };

/** A verb, typed in the folder of the project. */
async function told(...argv: string[]): Promise<Told> {
  const said = { out: "", err: "" };
  const screen = (stream: "out" | "err"): Screen => ({
    write(text) {
      said[stream] += text;
      return true;
    },
    columns: () => undefined,
    colors: noColors,
  });
  const root = place.daemon.directory;
  const world: World = {
    out: screen("out"),
    err: screen("err"),
    env: { ...place.daemon.env, PATH: `${join(root, "bin")}:/usr/bin:/bin` },
    platform: process.platform,
    home: root,
    cwd: directory,
    prompt: async () => undefined,
    onSignal: () => () => {},
    onResize: () => () => {},
    exit() {},
  };
  const code = await run(argv, world);
  return { code, ...said };
}

/** Once for all states, which are there together. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => {
    answer ??= ask();
    return answer;
  };
}

const list = once(() => told("ls"));
const listWithNameless = once(() => told("ls"));
const namelessRows = once(async () => JSON.parse((await told("api", "Nameless", "--http")).out));
const entriesOfPage = once(async () => {
  const rows: SupervisedStatus[] = JSON.parse((await told("api", "Status", "--http")).out);
  const services: ServiceReport[] = JSON.parse((await told("api", "Services", "--http")).out);
  return entriesOf(
    rows.filter((row) => "project" in row),
    services,
  );
});

async function rowOf(word: string): Promise<SupervisedStatus> {
  return await place.row(word.includes(":") ? word : `${name}:${word}`);
}

/** The page as a person reads it: its text, in one line. */
async function pageOf(host: string): Promise<{ status: number; text: string }> {
  using client = await connectRaw(port);
  client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n`);
  const { status, body } = await client.message();
  const text = body
    .replace(/<(style|script)[\s\S]*?<\/\1>/g, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, "&")
    .replace(/\s+/g, " ");
  return { status, text };
}

const project = [
  "running",
  "starting",
  "failed",
  "crashed",
  "stopped",
  "lazy",
  "wrong port",
  "gone folder",
];

describe.each(project)("One that is %s is told", (state) => {
  const its = () => states[state]!;
  const id = () => (its().word.includes(":") ? its().word : `${name}:${its().word}`);

  test("by ls", async () => {
    const { out, err } = await list();
    const { turn, cause } = its();
    const row = await rowOf(its().word);
    if (turn === "answers") expect(out).toContain(`${row.route_name} `);
    if (row.state === "stopped") expect(err).toContain(cause);
    else if (sentence(its()) !== `${id()} is ready`) expect(err).toContain(sentence(its()));
  });

  test("by status", async () => {
    const { code, out } = await told("status", its().word);
    expect(code).toBe(0);
    const { state: column, warnings } = await rowOf(its().word);
    expect(out).toMatch(new RegExp(`^${id()} +${column} `, "m"));
    for (const warning of warnings) expect(out).toContain(`! ${id()}: ${warning}`);
    if (column !== "ready" && state !== "stopped") expect(out).toContain(`  ${sentence(its())}\n`);
  });

  test("by why, which goes no further than what it tells, and never ends in curl", async () => {
    const { code, out } = await told("why", its().word);
    const { cause, next, line, turn } = its();
    expect(code).toBe(turn === "answers" || state === "lazy" ? 0 : 1);
    expect(out).toMatch(new RegExp(`^(?:ok  |fail)  routes    ${RegExp.escape(cause)}$`, "m"));
    if (next !== undefined) expect(out).toContain(`-> ${next}\n`);
    if (line !== undefined) expect(out).toContain(`| ${line}\n`);
    expect(out.includes("200 OK")).toBe(turn === "answers");
    expect(out.trimEnd().split("\n").at(-1)).not.toContain("curl");
  });

  test("by url", async () => {
    const { code, out, err } = await told("url", its().word);
    const { turn, line } = its();
    const { route_name } = await rowOf(its().word);
    expect({ code, out }).toEqual(
      turn === "down"
        ? { code: 1, out: "" }
        : { code: 0, out: `http://${route_name}.localhost:${port}\n` },
    );
    if (state !== "running") expect(err).toContain(sentence(its()));
    if (turn === "down" && line !== undefined) expect(err).toContain(`\n  ${line}\n`);
  });

  test("by open, whose request waits for it or starts it", async () => {
    rmSync(opened, { force: true });
    const { code, err } = await told("open", `${its().word}/docs`);
    const { turn, line } = its();
    const { route_name } = await rowOf(its().word);
    expect(code).toBe(turn === "down" ? 1 : 0);
    expect(existsSync(opened) ? readFileSync(opened, "utf8") : undefined).toBe(
      turn === "down" ? undefined : `http://${route_name}.localhost:${port}/docs`,
    );
    if (state !== "running") expect(err).toContain(sentence(its()));
    if (turn === "down" && line !== undefined) expect(err).toContain(`\n  ${line}\n`);
  });

  test.skipIf(process.platform !== "linux")(
    "by browser, which is not opened for what is down",
    async () => {
      const { turn, line } = its();
      // Whatever answers would need a certificate, and a real browser.
      if (turn !== "down") return;
      const { code, err } = await told("browser", `${its().word}/docs`);
      expect(code).toBe(1);
      expect(err).toContain(sentence(its()));
      if (line !== undefined) expect(err).toContain(`\n  ${line}\n`);
      expect(existsSync(opened)).toBe(false);
    },
  );

  test("by port, as text and as JSON", async () => {
    const { turn, line } = its();
    const { code, out, err } = await told("port", its().word, "--json");
    expect(code).toBe(turn === "answers" ? 0 : 1);
    if (state !== "running") expect(err).toContain(sentence(its()));
    if (line !== undefined) expect(err).toContain(`\n  ${line}\n`);
    const answer = JSON.parse(out);
    const at = Number(/listens on port (\d+)/.exec(its().cause)?.[1]);
    const { port: own } = await rowOf(its().word);
    if (turn === "answers") expect(answer.port).toBe(at || own);
    else {
      const code = turn === "down" ? "not_up" : "not_ready";
      const hint = its().next!.replace(/^.*: /, "");
      expect(answer).toEqual({ error: { code, message: sentence(its()), hint } });
    }
  });

  test("by the page at its address", async () => {
    // A request would start it.
    if (state === "lazy") return;
    const { cause, next, line, turn } = its();
    const { route_name, why, exit } = await rowOf(its().word);
    const { status, text } = await pageOf(`${route_name}.localhost`);
    expect(status).toBe(turn === "answers" ? 200 : 503);
    if (turn === "answers") return;
    expect(text).toContain(cause.split(/ \(|: /)[0]!);
    if (why !== null) expect(text).toContain(why);
    if (exit !== null && turn === "down")
      expect(text).toContain(exit.signal ?? `exit code ${exit.code}`);
    if (turn === "down") expect(text).toContain(next!.slice("to start it: ".length));
    if (line !== undefined) expect(text).toContain(line);
  });

  test("by the dashboard, whose entry has the sentence, and is found by it", async () => {
    const entry = (await entriesOfPage()).find((one) => one.id === id());
    expect(entry?.declared?.message).toBe(sentence(its()));
    const found = matching(await entriesOfPage(), { query: sentence(its()) });
    expect(found.map((one) => one.id)).toContain(id());
  });

  test("in JSON", async () => {
    expect((await rowOf(its().word)).message).toBe(sentence(its()));
    const { turn, cause, next = null, line } = its();
    const { out } = await told("why", its().word, "--json");
    const step = JSON.parse(out).find((one: { step: string }) => one.step === "routes");
    expect(step.detail).toBe(cause);
    expect(step).toMatchObject({ ok: turn === "answers" || state === "lazy", fix: next });
    expect(step.lines?.at(-1)).toBe(line);
  });
});

test("A project whose folder is gone is not started, and told by its name as at every door", async () => {
  for (const word of [away, `${away}:web`]) {
    const { code, err } = await told("up", word);
    expect(code).toBe(1);
    expect(err).toStartWith(`localhostess: ${away}: its folder is gone: `);
    expect(err).toEndWith(`; else: localhostess registry forget ${away}\n`);
  }
});

test("A lazy service is started by the request that open makes", async () => {
  const { cause } = states.lazy!;
  expect(cause).toBe(`${name}:lazy is stopped`);
  const { text } = await pageOf(`lazy.${name}.localhost`);
  expect(text).toContain(`${name}:lazy is st`);
  await place.until(`${name}:lazy`, ({ ready }) => ready);
  expect((await told("port", "lazy")).code).toBe(0);
});

/** Listens, and prints where; with a word, it writes a title over its environment, as nginx and Puma do. */
const script = `use IO::Socket::INET;
$| = 1;
my $socket = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1") or die;
print "port ", $socket->sockport, "\\n";
$0 = "doors " x 600 if @ARGV;
sleep 1000;
`;

type Nameless = {
  /** The name that is asked for. */
  word: string;
  /** Which process it is, and why no name leads to it. */
  fault: RegExp;
  /** What helps. */
  remedy: string;
  /** The line of `ls`. */
  listed: RegExp;
};

const nameless: Record<string, Nameless> = {};
const namelessStates = ["unnamed", "badly named", "without its environment"];
/** In the order of their states. */
const byHand: Running[] = [];

describe("A server that no name leads to", () => {
  beforeAll(async () => {
    const folder = uniqueName("notes");
    const bad = uniqueName("bad").replace("-", "_");
    const title = uniqueName("titled");
    const start = async (
      its: string,
      { NAME, words = [] }: { NAME?: string; words?: string[] },
    ) => {
      const cwd = join(realpathSync(place.daemon.directory), its);
      mkdirSync(cwd);
      writeFileSync(join(cwd, "serve.pl"), script);
      const found = await running(["perl", "serve.pl", ...words], {
        cwd,
        env: { NAME },
        ready: /^port (\d+)$/m,
      });
      byHand.push(found);
      return {
        which: `pid ${found.pid} \\(perl serve\\.pl\\) listens on port ${found.said[1]} in ${cwd}`,
        ...found,
      };
    };
    const [unnamed, misnamed, titled] = [
      await start(folder, {}),
      await start(bad, { NAME: bad }),
      // With a NAME it would be found by what the program itself still has.
      await start(title, { words: ["title"] }),
    ];
    const again = (its: string) => `start it again with: NAME=${its} perl serve.pl`;
    nameless.unnamed = {
      word: folder,
      fault: new RegExp(`${unnamed.which}, and has no NAME in its environment`),
      remedy: again(folder),
      listed: new RegExp(
        `^:${unnamed.said[1]} +${unnamed.pid} .*NAME=${folder} perl serve.pl$`,
        "m",
      ),
    };
    nameless["badly named"] = {
      word: bad,
      fault: new RegExp(`${misnamed.which}, and its NAME=${bad} is not a usable name: `),
      remedy: again(bad.replace("_", "-")),
      listed: new RegExp(
        `${bad} .*\\(no address\\)[^]*! ${bad} \\(pid ${misnamed.pid}\\): not a usable name`,
      ),
    };
    // Other programs may do so on this machine too: which one is meant, nobody can tell.
    nameless["without its environment"] = {
      word: uniqueName("ghost"),
      fault:
        /pid \d+ \(.*\) listens on port \d+.*, and has written its title over its environment, so that its NAME cannot be read, whatever it was/,
      remedy: "to name what listens there: localhostess name ",
      listed: new RegExp(`^:${titled.said[1]} +${titled.pid} .*localhostess name `, "m"),
    };
  }, patience);

  afterAll(() => Promise.all(byHand.map((its) => its.end())));

  describe.each(namelessStates)("because it is %s, is told", (state) => {
    const its = () => nameless[state]!;

    test("by ls", async () => {
      const { code, out } = await listWithNameless();
      expect(code).toBe(0);
      expect(out).toMatch(its().listed);
    });

    test("by why", async () => {
      const { code, out } = await told("why", its().word);
      expect(code).toBe(1);
      expect(out).toMatch(its().fault);
      expect(out).toContain(`-> ${its().remedy}`);
    });

    test.each(["url", "open", "port", ...(process.platform === "linux" ? ["browser"] : [])])(
      "by %s",
      async (verb) => {
        rmSync(opened, { force: true });
        const { code, out, err } = await told(verb, its().word);
        expect({ code, out }).toEqual({ code: 1, out: "" });
        expect(err).toMatch(its().fault);
        expect(err).toContain(its().remedy);
        expect(existsSync(opened)).toBe(false);
      },
    );

    test("by status, which is about projects, as no service", async () => {
      const { code, out, err } = await told("status", its().word);
      expect({ code, out }).toEqual({ code: 1, out: "" });
      const byHandText = `${its().word} was started by hand (pid `;
      expect(err).toContain(
        state === "badly named" ? byHandText : `no service is named ${its().word}`,
      );
    });

    test("by the page at its address", async () => {
      const { status, text } = await pageOf(`${its().word}.localhost`);
      expect(status).toBe(404);
      expect(text).toMatch(its().fault);
      expect(text).toContain(its().remedy.replace(/^.*?: /, ""));
    });

    test("by the list that the dashboard is given", async () => {
      const rows: NamelessReport[] = await namelessRows();
      const { message } = rows.find(
        ({ pid }) => pid === byHand[namelessStates.indexOf(state)]!.pid,
      )!;
      expect(message).toMatch(its().fault);
      expect(message).toContain(its().remedy);
    });

    test("in JSON", async () => {
      const { out } = await told("why", its().word, "--json");
      const step = JSON.parse(out).at(-1);
      expect(step).toMatchObject({ step: "routes", ok: false });
      expect(step.detail).toMatch(its().fault);
      expect(step.fix).toContain(its().remedy);
      const { error } = JSON.parse((await told("url", its().word, "--json")).out);
      expect(error.code).toBe("not_found");
      expect(error.message).toMatch(its().fault);
    });
  });
});
