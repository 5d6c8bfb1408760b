/** The probe's answers x the verbs: each cell has an exit code and words; one that runs is never taken for none. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { run } from "../../src/cli/run.ts";
import {
  type Answer,
  probeAnswer,
  outcomeOf,
  outcomes,
  versionWords,
  type Want,
} from "../../src/cli/shared/daemon-answers.ts";
import { mentionVersion } from "../../src/cli/shared/daemon-here.ts";
import { noColors, type Screen, type World } from "../../src/cli/shared/world.ts";
import { type Found, findDaemon } from "../../src/control/found/connect.ts";
import { credentialPath, ensureCredential } from "../../src/control/found/credential.ts";
import { protocol, type Registration } from "../../src/control/found/protocol.ts";
import {
  readRegistration,
  registrationPath,
  writeRegistration,
} from "../../src/control/found/registration.ts";
import { systemClock } from "../../src/system/clock.ts";
import { registrationOf } from "../support/registration.ts";
import { type Running, running } from "../support/running.ts";
import { squatter } from "../support/squatter.ts";

const root = mkdtempSync(join(tmpdir(), "lh-answers-"));
const fixture = join(import.meta.dir, "../conformance/fixtures/other-daemon.ts");
/** Everything that was begun, to be ended in reverse. */
const ends: (() => unknown)[] = [];

afterAll(async () => {
  for (const end of ends.toReversed()) await end();
  rmSync(root, { recursive: true, force: true });
});

const dead: Registration = {
  id: "planted",
  version: packageJson.version,
  url: "http://127.0.0.1:1",
  pid: 0x7fff_fffe,
  protocol,
  startedAt: 0,
  socket: "/nonexistent/daemon.sock",
  port: 65_000,
  tlds: [],
};

/** A process that accepts connections at the socket of a state directory, and says `answer` to whatever it is asked. */
function listener(directory: string, answer?: string): string {
  const path = join(directory, "daemon.sock");
  const its = Bun.listen({
    unix: path,
    socket: {
      data(socket) {
        if (answer !== undefined) socket.end(answer);
      },
    },
  });
  ends.push(() => its.stop(true));
  return path;
}

async function other(directory: string, speaks: string): Promise<Running> {
  const daemon = await running([process.execPath, fixture, directory, speaks], {
    env: {},
    ready: /^published$/m,
  });
  ends.push(() => daemon.end());
  return daemon;
}

type State = {
  name: string;
  answer: Answer;
  /** Brings the state about in an empty state directory; what the words have to hold. */
  make(directory: string): Promise<string>;
};

const states: State[] = [
  { name: "no record", answer: "none", make: async () => "there is no record of one" },
  {
    name: "a record of a daemon that was killed",
    answer: "none",
    async make(directory) {
      await ensureCredential(directory);
      await writeRegistration(directory, dead);
      return `the recorded daemon (pid ${dead.pid}) is gone: nothing listens there`;
    },
  },
  {
    name: "a record whose port another program has",
    answer: "none",
    async make(directory) {
      await ensureCredential(directory);
      const its = squatter();
      ends.push(() => its[Symbol.dispose]());
      await writeRegistration(directory, { ...dead, url: `http://127.0.0.1:${its.port}` });
      return "another program has the recorded address: it does not answer as a daemon does";
    },
  },
  {
    name: "a record that nobody can read, and no daemon",
    answer: "none",
    async make(directory) {
      writeFileSync(registrationPath(directory), "{", { mode: 0o600 });
      return "the record of one cannot be used: it is not as a daemon writes it";
    },
  },
  {
    name: "no credential, and no daemon",
    answer: "none",
    async make(directory) {
      await writeRegistration(directory, dead);
      return `the recorded daemon (pid ${dead.pid}) cannot be verified: there is no credential`;
    },
  },
  {
    name: "a daemon without a record",
    answer: "unrecorded",
    async make(directory) {
      listener(directory);
      return "a daemon runs without a record";
    },
  },
  {
    name: "a daemon that was stopped by a signal",
    answer: "silent",
    async make(directory) {
      const { pid } = await other(directory, protocol);
      process.kill(pid, "SIGSTOP");
      ends.push(() => process.kill(pid, "SIGCONT"));
      return `the daemon (pid ${pid}) is stopped, and answers nobody; to let it go on: kill -CONT ${pid}`;
    },
  },
  {
    name: "a daemon that does not know our credential",
    answer: "stranger",
    async make(directory) {
      await ensureCredential(directory);
      const socket = listener(directory, '{"error":{"message":"what?"}}\n');
      await writeRegistration(directory, { ...dead, socket });
      return `the daemon (pid ${dead.pid}) runs, but what?; to replace it: localhostess server restart`;
    },
  },
  {
    name: "a record with somebody else's pid",
    answer: "another",
    async make(directory) {
      const { pid } = await other(directory, protocol);
      const record = (await readRegistration(directory))!;
      await writeRegistration(directory, { ...record, pid: 1 });
      return `the daemon that runs (pid ${pid}) is not the one in the record (pid 1); to replace it: localhostess server restart`;
    },
  },
  {
    name: "a daemon whose record others may write",
    answer: "unreadable",
    async make(directory) {
      const socket = listener(directory);
      await writeRegistration(directory, { ...dead, socket });
      chmodSync(registrationPath(directory), 0o666);
      return "a daemon runs, but its record cannot be used: others may have written it; to see which process it is: lsof ";
    },
  },
  {
    name: "a daemon whose credential others may read",
    answer: "unproved",
    async make(directory) {
      await ensureCredential(directory);
      chmodSync(credentialPath(directory), 0o644);
      const socket = listener(directory);
      await writeRegistration(directory, { ...dead, socket });
      return `the daemon (pid ${dead.pid}) runs, but others may have read the credential, so it proves nothing; to replace it: localhostess server restart`;
    },
  },
  {
    name: "a daemon of another protocol",
    answer: "other-protocol",
    async make(directory) {
      const { pid } = await other(directory, "localhostess/99");
      return `the daemon (pid ${pid}) cannot be used: it has another version, 99.0.0, and speaks localhostess/99, not ${protocol}; to replace it: localhostess server restart`;
    },
  },
];

/** Each verb that looks for the daemon, and what it wants of it. */
const verbs: [argv: string[], want: Want][] = [
  [["ls"], "look"],
  [["pac"], "look"],
  [["env"], "look"],
  [["url", "nobody-has-this"], "look"],
  [["port", "nobody-has-this"], "look"],
  [["why", "nobody-has-this"], "look"],
  [["status"], "ask"],
  [["logs"], "ask"],
  [["stop", "api"], "ask"],
  [["restart", "api"], "ask"],
  [["wait", "api"], "ask"],
  [["attach", "api"], "ask"],
  [["up"], "need"],
  [["run", "api", "--", "true"], "need"],
  [["api", "Ping"], "need"],
  [["dashboard", "--print"], "need"],
  [["registry", "list"], "need"],
  [["server", "start", "--detach"], "detach"],
  [["server", "restart"], "restart"],
  [["server", "stop"], "end"],
];

/** `waited`: a daemon is not given the time to mend what is the matter. */
async function ended(
  argv: readonly string[],
  { directory, waited }: { directory: string; waited: boolean },
) {
  let out = "";
  let err = "";
  const screen = (take: (text: string) => void): Screen => ({
    write(text) {
      take(text);
      return true;
    },
    columns: () => undefined,
    colors: noColors,
  });
  const world: World = {
    out: screen((text) => {
      out += text;
    }),
    err: screen((text) => {
      err += text;
    }),
    env: { LOCALHOSTESS_STATE_DIR: directory },
    platform: process.platform,
    home: directory,
    cwd: join(root, "project"),
    prompt: async () => undefined,
    onSignal: () => () => {},
    onResize: () => () => {},
    exit() {},
    daemonTalk: { said: new Set(), trouble: false, waited },
  };
  const code = await run(argv, world);
  return { code, out, err };
}

type Cell = { verb: string; want: Want; code: number; out: string; err: string };
type Walked = { words: string; answer: Answer; cells: Cell[]; json: Cell; text: Cell };

const walked = new Map<string, Walked>();

beforeAll(async () => {
  mkdirSync(join(root, "project"));
  writeFileSync(
    join(root, "project/locald.toml"),
    '[project]\nname = "shop"\n[services.api]\ncommand = "true"\n',
  );
  const cell = async (argv: string[], want: Want, directory: string): Promise<Cell> => ({
    ...{ verb: argv.join(" "), want },
    ...(await ended(argv, { directory, waited: true })),
  });
  for (const { name, answer: expected, make } of states) {
    const directory = mkdtempSync(join(root, "state-"));
    const words = await make(directory);
    const answer = probeAnswer(await findDaemon(directory, { clock: systemClock }));
    const asked: [argv: string[], want: Want][] = [
      [["server", "status", "--json"], "look"],
      [["server", "status"], "look"],
      // The ways to a new daemon are walked with real processes elsewhere.
      ...verbs.filter(
        ([, want]) => !["start", "replace", "use", "await"].includes(outcomes[expected][want]),
      ),
    ];
    const cells: Cell[] = [];
    // Each takes the whole time of a probe where nobody answers.
    if (expected === "silent") {
      cells.push(...(await Promise.all(asked.map((its) => cell(...its, directory)))));
    } else {
      for (const its of asked) cells.push(await cell(...its, directory));
    }
    const [json, text, ...others] = cells;
    walked.set(name, { words, answer, cells: others, json: json!, text: text! });
  }
}, 300_000);

test("the table has a row for each answer and a cell for each verb", () => {
  expect([...new Set(states.map(({ answer }) => answer)), "healthy"].sort() as string[]).toEqual(
    Object.keys(outcomes).sort(),
  );
  for (const [answer, row] of Object.entries(outcomes)) {
    if (answer === "healthy" || answer === "none") continue;
    // A daemon that runs is never taken for none, and never replaced by a verb that is not about the daemon.
    expect({ answer, look: row.look, ask: row.ask }).toEqual({
      answer,
      look: "note",
      ask: "refuse",
    });
    expect(["refuse", "start"]).toContain(row.need);
    expect(row.end).not.toBe("done");
  }
});

describe.each(states)("$name", ({ name, answer }) => {
  test("is told apart", () => {
    expect(walked.get(name)!.answer).toBe(answer);
  });

  test.each(verbs.map(([argv, want]) => [argv.join(" "), want] as const))("%s", (verb, want) => {
    const { words, cells } = walked.get(name)!;
    const its = cells.find((cell) => cell.verb === verb);
    if (its === undefined) return;
    const { code, out, err } = its;
    const outcome = outcomes[answer][want];
    if (outcome === "without") {
      // Each has its own words for a daemon that is not there, and none says that there is one.
      expect(err).not.toMatch(/(?:daemon|proxy) (?:\(pid \d+\) )?(?:runs|is running|is stopped)/);
      return;
    }
    expect({ code, times: err.split(words).length - 1 }).toEqual({
      code: outcome === "done" ? 0 : 1,
      times: 1,
    });
    if (outcome === "done") return;
    expect(err).not.toContain("not running");
    // A verb that refuses prints no data.
    if (outcome === "refuse") expect(out).toBe("");
  });

  test("server status has the words, and the command that helps, and ends with 1", () => {
    const { words, json, text } = walked.get(name)!;
    const { running, why, fix } = JSON.parse(json.out);
    expect({ code: json.code, running }).toEqual({ code: 1, running: false });
    expect(words.includes(why) || why.includes(words.split("; ")[0])).toBe(true);
    expect(fix).toMatch(
      /^(?:localhostess server (?:start --detach|restart)|kill -CONT \d+|(?:tail|lsof) .+)$/,
    );
    expect(text.code).toBe(1);
    expect(text.out).toStartWith(
      answer === "none" ? "not running: " : "running, and cannot be used: ",
    );
    expect(text.out).toContain(fix);
  });
});

test("a daemon of another version is told older from newer, and one of the same is not mentioned", () => {
  const ours = "1.2.3";
  expect(versionWords({ pid: 17, version: ours }, ours)).toBeUndefined();
  expect(versionWords({ pid: 17, version: "1.2.0" }, ours)).toBe(
    "the daemon (pid 17, version 1.2.0) is older than this command (1.2.3); to replace it: localhostess server restart",
  );
  expect(versionWords({ pid: 17, version: "1.10.0" }, ours)).toBe(
    "the daemon (pid 17, version 1.10.0) is newer than this command (1.2.3); update the command, or, to replace the daemon: localhostess server restart",
  );
});

test("a daemon that speaks another protocol is replaced for whoever needs one where it is older, and never a newer one", () => {
  const of = (version: string): Found => {
    const its = registrationOf({ id: "one", version });
    const found = { registration: its, handshake: its, protocol: "localhostess/1", alive: true };
    return { kind: "other-protocol", ...found } as Found;
  };
  expect(outcomeOf(of("0.0.1"), "need")).toBe("replace");
  expect(outcomeOf(of("99.0.0"), "need")).toBe("refuse");
  for (const want of ["look", "ask", "end"] as const) {
    expect(outcomeOf(of("0.0.1"), want)).toBe(outcomeOf(of("99.0.0"), want));
  }
});

test("a command that finds a daemon of another version twice mentions it once", () => {
  let err = "";
  const screen: Screen = {
    write(text) {
      err += text;
      return true;
    },
    columns: () => undefined,
    colors: noColors,
  };
  const daemonTalk = { said: new Set<string>(), trouble: false, waited: false };
  const world = { err: screen, daemonTalk } as World;
  for (let time = 0; time < 2; time++) mentionVersion({ pid: 17, version: "0.0.1" }, world);
  expect(err.split("\n").length - 1).toBe(1);
});

test("it is mentioned once per command, on stderr, and a socket that was removed is waited for with a word", async () => {
  const directory = mkdtempSync(join(root, "state-"));
  // It has no socket, and makes none.
  await other(directory, protocol);
  for (const argv of [["ls"], ["pac"], ["server", "start", "--detach"], ["server", "status"]]) {
    const waited = argv[0] !== "pac";
    const { code, err } = await ended(argv, { directory, waited });
    const times = (text: string): number => err.split(text).length - 1;
    expect({
      ...{ argv, code },
      mentioned: times("is newer than this command"),
      waited: times("is not there, and it makes another; waiting"),
    }).toEqual({ argv, code: 0, mentioned: 1, waited: waited ? 0 : 1 });
  }
}, 60_000);
