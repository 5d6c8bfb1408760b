/**
 * Buildpacks of our own, in shell, each with the result that the specification names: github.com/buildpacks/spec,
 * buildpack.md of Buildpack API 0.12. Sections are in the names of the tests.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Buildpack, Detected, Order } from "../../../src/build/buildpacks/buildpack.ts";
import { detectGroups, type DetectRequest } from "../../../src/build/buildpacks/detect.ts";
import { readBuildpack } from "../../../src/build/buildpacks/read-buildpack.ts";
import { isThere as isRunning } from "../../../src/system/process-now.ts";
import { eventually } from "../../support/eventually.ts";
import {
  planned,
  type ShellBuildpack,
  writeShellBuildpack,
} from "../../support/shell-buildpack.ts";

let root: string;
let app: string;
let platform: string;

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "localhostess-detect-")));
  app = join(root, "app");
  platform = join(root, "platform");
  await mkdir(app);
  await mkdir(join(platform, "env"), { recursive: true });
});

afterEach(() => rm(root, { recursive: true, force: true }));

async function buildpack(its: ShellBuildpack): Promise<Buildpack> {
  const folder = join(root, "buildpacks", `${its.id}@${its.version ?? "1.0.0"}`);
  const read = await readBuildpack(await writeShellBuildpack(folder, its));
  if (read.kind === "failed") throw new Error(read.why);
  return read.buildpack;
}

/** `a?` is optional. */
function group(...words: readonly string[]): Order[number] {
  return words.map((word) => {
    const [id, version] = word.replace(/\?$/, "").split("@");
    return { id: id!, version, optional: word.endsWith("?"), execEnvs: [] };
  });
}

const machine = {
  os: "linux",
  arch: "amd64",
  variant: undefined,
  distro: { name: "debian", version: "12" },
};

type Options = Partial<DetectRequest> & { signal?: AbortSignal; write?: (line: string) => void };

async function detect(order: Order, known: readonly Buildpack[], options: Options = {}) {
  const { signal = new AbortController().signal, write = () => {}, ...rest } = options;
  return await detectGroups(
    {
      ...{ app, order, known, platform, scratch: join(root, "scratch") },
      ...{ env: { PATH: "/usr/bin:/bin", HOME: root }, variables: {} },
      ...{ machine, execEnv: "production" },
      ...rest,
    },
    { signal, write },
  );
}

function ids(detected: Detected): string[] | string {
  return detected.kind === "passed" ? detected.group.map(({ id }) => id) : detected.why;
}

const exit = (code: number) => `exit ${code}`;
const requires = (name: string) => `[[requires]]\nname = "${name}"`;
const provides = (name: string) => `[[provides]]\nname = "${name}"`;

describe("the exit status of bin/detect: pass 0, fail 100, error else (Buildpack Interface, Detection)", () => {
  test("0: the buildpack is in the group, and its lines are told with its name", async () => {
    const lines: string[] = [];
    const its = await buildpack({ id: "a/pass", detect: "echo looked; echo warned >&2" });
    const detected = await detect([group("a/pass")], [its], { write: (line) => lines.push(line) });
    expect(detected).toEqual({ kind: "passed", group: [its], plan: [] });
    expect(lines).toEqual([
      "[a/pass] looked",
      "[a/pass] warned",
      "pass: a/pass@1.0.0",
      "detected: a/pass@1.0.0",
    ]);
  });

  test("100: it is not for the app", async () => {
    const its = await buildpack({ id: "a", detect: exit(100) });
    const detected = await detect([group("a")], [its]);
    expect(detected).toMatchObject({
      kind: "failed",
      lines: ["fail: a@1.0.0", expect.any(String)],
    });
    expect(ids(detected)).toBe(
      "a@1.0.0 says that it is not for this app (bin/detect ended with 100)",
    );
  });

  for (const code of [1, 99, 101, 255]) {
    test(`${code}: an error, which is told with its code`, async () => {
      const its = await buildpack({ id: "a", detect: `echo no such tool >&2; exit ${code}` });
      const detected = await detect([group("a")], [its]);
      expect(ids(detected)).toContain(`a@1.0.0 ended with exit code ${code} in bin/detect`);
      if (detected.kind === "failed") expect(detected.lines[0]).toBe("[a] no such tool");
    });
  }

  test("a signal: an error", async () => {
    const its = await buildpack({ id: "a", detect: "kill -9 $$" });
    expect(ids(await detect([group("a")], [its]))).toBe(
      "a@1.0.0 was ended by SIGKILL in bin/detect",
    );
  });
});

describe("groups (Phase #1: Detection, Process)", () => {
  test("1: one that fails and is not optional ends its group; the next one is taken", async () => {
    const known = [
      await buildpack({ id: "no", detect: exit(100) }),
      await buildpack({ id: "yes" }),
      await buildpack({ id: "other" }),
    ];
    expect(ids(await detect([group("yes", "no"), group("other", "yes")], known))).toEqual([
      "other",
      "yes",
    ]);
  });

  test("2: one that is optional and fails, with 100 or an error, is left out; the order stays", async () => {
    const known = [
      await buildpack({ id: "a", detect: exit(100) }),
      await buildpack({ id: "b" }),
      await buildpack({ id: "c", detect: exit(7) }),
      await buildpack({ id: "d" }),
    ];
    expect(ids(await detect([group("a?", "b", "c?", "d")], known))).toEqual(["b", "d"]);
  });

  test("2.2.1: a group in which none passes fails, though all are optional", async () => {
    const known = [
      await buildpack({ id: "a", detect: exit(100) }),
      await buildpack({ id: "b", detect: exit(100) }),
    ];
    expect(ids(await detect([group("a?", "b?")], known))).toBe(
      "none of its buildpacks is for this app",
    );
    expect(ids(await detect([group("a"), group("b")], known))).toStartWith(
      "no group of buildpacks fits: a@",
    );
  });

  test("an error in one group does not keep the next one from passing; where none passes it is told", async () => {
    const known = [
      await buildpack({ id: "broken", detect: exit(3) }),
      await buildpack({ id: "no", detect: exit(100) }),
      await buildpack({ id: "yes" }),
    ];
    expect(ids(await detect([group("broken"), group("yes")], known))).toEqual(["yes"]);
    expect(ids(await detect([group("no"), group("broken")], known))).toContain(
      "broken@1.0.0 ended with exit code 3",
    );
  });

  test("members of a group run at the same time: each waits for the other one", async () => {
    const wait = (mine: string, other: string) =>
      `touch ${root}/${mine}; until [ -e ${root}/${other} ]; do sleep 0.01; done`;
    const known = [
      await buildpack({ id: "a", detect: wait("a", "b") }),
      await buildpack({ id: "b", detect: wait("b", "a") }),
    ];
    expect(ids(await detect([group("a", "b")], known))).toEqual(["a", "b"]);
  });

  test("a buildpack in several groups is asked once", async () => {
    const known = [
      await buildpack({ id: "a", detect: `echo x >> ${root}/asked` }),
      await buildpack({ id: "no", detect: exit(100) }),
    ];
    expect(ids(await detect([group("a", "no"), group("a")], known))).toEqual(["a"]);
    expect(await readFile(join(root, "asked"), "utf8")).toBe("x\n");
  });
});

describe("the environment of bin/detect", () => {
  const say = 'env | sort > "$HOME/said"; echo "$0 $1 $2 $PWD" > "$HOME/words"';
  const said = async () => {
    const lines = (await readFile(join(root, "said"), "utf8")).trim().split("\n");
    return new Map(lines.map((line) => line.split(/=(.*)/s) as [string, string]));
  };

  test("folders by argument and by CNB_*, the app as working directory (Buildpack Interface, Detection)", async () => {
    const its = await buildpack({ id: "a", detect: say });
    await detect([group("a")], [its]);
    const variables = await said();
    expect(variables.get("CNB_BUILDPACK_DIR")).toBe(its.directory);
    expect(variables.get("CNB_PLATFORM_DIR")).toBe(platform);
    const words = (await readFile(join(root, "words"), "utf8")).trim();
    expect(words).toBe(
      `${its.directory}/bin/detect ${platform} ${variables.get("CNB_BUILD_PLAN_PATH")} ${app}`,
    );
  });

  test("CNB_TARGET_*: set where there is a value (Environment, Targets)", async () => {
    const its = await buildpack({ id: "a", detect: say });
    await detect([group("a")], [its]);
    const variables = [...(await said())].filter(([name]) => name.startsWith("CNB_TARGET"));
    expect(variables).toEqual([
      ["CNB_TARGET_ARCH", "amd64"],
      ["CNB_TARGET_DISTRO_NAME", "debian"],
      ["CNB_TARGET_DISTRO_VERSION", "12"],
      ["CNB_TARGET_OS", "linux"],
    ]);
  });

  test("CNB_EXEC_ENV: since 0.12 (Execution Environments)", async () => {
    for (const [api, value] of [
      ["0.11", undefined],
      ["0.12", "test"],
    ] as const) {
      const its = await buildpack({ id: "a", api, detect: say });
      await detect([group("a")], [its], { execEnv: "test" });
      expect((await said()).get("CNB_EXEC_ENV")).toBe(value!);
    }
  });

  test("a person's variables override, and are put in front of lists of folders (Provided by the Platform)", async () => {
    const its = await buildpack({ id: "a", detect: say });
    const variables = { BP_LEVEL: "2", PATH: "/opt/bin", LANG: "de", CNB_PLATFORM_DIR: "/x" };
    const env = { PATH: "/usr/bin:/bin", HOME: root, LANG: "C", SECRET: "of the shell" };
    await detect([group("a")], [its], { env, variables });
    const all = await said();
    expect(all.get("BP_LEVEL")).toBe("2");
    expect(all.get("PATH")).toBe("/opt/bin:/usr/bin:/bin");
    expect(all.get("LANG")).toBe("de");
    expect(all.get("CNB_PLATFORM_DIR")).toBe(platform);
    expect(all.has("SECRET")).toBe(false);
  });

  test("clear-env: none of a person's variables; their files are there (Provided by the Platform)", async () => {
    await writeFile(join(platform, "env/BP_LEVEL"), "2");
    const detects = `${say}; cat "$1/env/BP_LEVEL" > "$HOME/file"`;
    const its = await buildpack({ id: "a", own: "clear-env = true", detect: detects });
    await detect([group("a")], [its], { variables: { BP_LEVEL: "2", PATH: "/opt/bin" } });
    const all = await said();
    expect(all.has("BP_LEVEL")).toBe(false);
    expect(all.get("PATH")).toBe("/usr/bin:/bin");
    expect(await readFile(join(root, "file"), "utf8")).toBe("2");
  });
});

describe("build plans (Phase #1: Detection, Process; Data Format, Build Plan)", () => {
  const pack = (id: string, toml: string) => buildpack({ id, detect: planned(toml) });

  test("what one requires, an earlier one provides: the entry has both, with the metadata", async () => {
    const known = [
      await pack("world", `${provides("world")}\n${requires("world")}`),
      await pack("moon", `${requires("world")}\n[requires.metadata]\nname = "Earth"`),
    ];
    expect(await detect([group("world", "moon")], known)).toEqual({
      kind: "passed",
      group: known,
      plan: [
        {
          name: "world",
          requires: [
            { name: "world", metadata: {} },
            { name: "world", metadata: { name: "Earth" } },
          ],
          providers: ["world"],
        },
      ],
    });
  });

  test("provided by a later one: the trial fails", async () => {
    const known = [await pack("user", requires("node")), await pack("node", provides("node"))];
    expect(ids(await detect([group("user", "node")], known))).toBe(
      "user@1.0.0 requires node, which neither it nor a buildpack in front of it provides",
    );
  });

  test("provided and not required: the trial fails", async () => {
    const known = [await pack("node", provides("node")), await pack("user", "")];
    expect(ids(await detect([group("node", "user")], known))).toBe(
      "node@1.0.0 provides node, which neither it nor a buildpack behind it requires",
    );
  });

  test("an optional one that is not required, or lacks what it requires, is left out with its plan", async () => {
    const known = [
      await pack("idle", provides("tool")),
      await pack("lacking", requires("nothing")),
      await pack("the-app", ""),
    ];
    expect(await detect([group("idle?", "lacking?", "the-app")], known)).toMatchObject({
      group: [{ id: "the-app" }],
      plan: [],
    });
  });

  test("one that was left out may be all that another one was there for", async () => {
    const known = [
      await pack("first", provides("one")),
      await pack("second", `${requires("one")}\n${provides("two")}`),
      await pack("the-app", ""),
    ];
    expect(ids(await detect([group("first?", "second?", "the-app")], known))).toEqual(["the-app"]);
    expect(ids(await detect([group("first", "second?", "the-app")], known))).toContain(
      "first@1.0.0 provides one",
    );
  });

  test("optional ones alone, all left out: the group fails", async () => {
    const known = [await pack("idle", provides("tool"))];
    expect(ids(await detect([group("idle?")], known))).toBe(
      "each optional buildpack lacks another one",
    );
  });

  test("or: alternatives are tried from left to right, depth first", async () => {
    const known = [
      await pack("maker", `${provides("a")}\n[[or]]\n[[or.provides]]\nname = "b"\n[[or]]`),
      await pack("user", `${requires("b")}\n[[or]]\n[[or.requires]]\nname = "a"`),
    ];
    // (a, b) fails, (a, a) holds, before (b, b) is tried.
    expect(await detect([group("maker", "user")], known)).toMatchObject({
      kind: "passed",
      plan: [{ name: "a", providers: ["maker"] }],
    });
  });

  test("or: the pair at the top is an alternative also where it is empty", async () => {
    const known = [await pack("maker", '[[or]]\n[[or.provides]]\nname = "a"')];
    expect(await detect([group("maker")], known)).toMatchObject({ kind: "passed", plan: [] });
  });

  test("several may provide and require the same: providers in the order of the group", async () => {
    const known = [
      await pack("one", provides("x")),
      await pack("two", `${provides("x")}\n${requires("x")}`),
      await pack("three", requires("x")),
    ];
    expect(await detect([group("one", "two", "three")], known)).toMatchObject({
      plan: [{ name: "x", providers: ["one", "two"], requires: [{}, {}] }],
    });
  });

  test("requires.version, deprecated, is metadata.version", async () => {
    const known = [await pack("a", `${provides("x")}\n[[requires]]\nname = "x"\nversion = "1.2"`)];
    expect(await detect([group("a")], known)).toMatchObject({
      plan: [{ requires: [{ name: "x", metadata: { version: "1.2" } }] }],
    });
  });

  test("more combinations than can be tried: an end, and words", async () => {
    const many = Array.from({ length: 8 }, (_, index) =>
      pack(
        `p${index}`,
        `${provides("idle")}\n${'[[or]]\n[[or.provides]]\nname = "idle"\n'.repeat(5)}`,
      ),
    );
    const known = await Promise.all(many);
    const detected = await detect([group(...known.map(({ id }) => id))], known);
    expect(ids(detected)).toContain("combinations of build plans holds");
  });
});

describe("composites (Order Resolution)", () => {
  const composite = (id: string, order: string, version = "1.0.0") =>
    buildpack({ id, version, detect: undefined, build: undefined, tables: order });
  const inGroup = (...words: readonly string[]) =>
    `[[order]]\n${words
      .map((word) => {
        const [id] = word.split("?");
        const optional = word.endsWith("?") ? "optional = true\n" : "";
        return `[[order.group]]\nid = "${id}"\nversion = "1.0.0"\n${optional}`;
      })
      .join("")}`;

  test("[E, O, F] is [E, A, B, F], then [E, C, D, F]", async () => {
    const known = [
      await composite("o", `${inGroup("a", "b")}${inGroup("c", "d")}`),
      await buildpack({ id: "b", detect: exit(100) }),
      ...(await Promise.all(["a", "c", "d", "e", "f"].map((id) => buildpack({ id })))),
    ];
    const lines: string[] = [];
    const detected = await detect([group("e", "o", "f")], known, {
      write: (line) => lines.push(line),
    });
    expect(ids(detected)).toEqual(["e", "c", "d", "f"]);
    expect(lines.find((line) => line.startsWith("group "))).toStartWith(
      "group e@1.0.0, a@1.0.0, b@1.0.0, f@1.0.0: ",
    );
  });

  test("a composite in a composite; one that is optional is left out as a whole", async () => {
    const known = [
      await composite("outer", inGroup("inner?", "z")),
      await composite("inner", inGroup("a", "no")),
      await buildpack({ id: "no", detect: exit(100) }),
      await buildpack({ id: "a" }),
      await buildpack({ id: "z" }),
    ];
    expect(ids(await detect([group("outer")], known))).toEqual(["z"]);
  });

  test("a cycle, an unknown part, an unknown version: words, and nothing runs", async () => {
    const ran = `touch ${root}/ran`;
    const a = await buildpack({ id: "a", detect: ran });
    const cycle = [await composite("x", inGroup("y")), await composite("y", inGroup("a", "x")), a];
    expect(ids(await detect([group("x")], cycle))).toBe(
      "buildpacks are in a cycle: x@1.0.0 -> y@1.0.0 -> x@1.0.0",
    );
    const lacking = [
      await composite("x", inGroup("node-engin")),
      await buildpack({ id: "node-engine" }),
    ];
    expect(ids(await detect([group("x")], lacking))).toBe(
      "there is no buildpack node-engin, which x@1.0.0 needs; add its folder or its address to buildpacks; did you mean node-engine?",
    );
    expect(ids(await detect([group("a@2.0.0")], [a]))).toBe(
      "there is no version 2.0.0 of buildpack a; there is 1.0.0",
    );
    expect(await Bun.file(join(root, "ran")).exists()).toBe(false);
  });

  test("composites that multiply without end: words", async () => {
    const twice = (...its: string[]) => its.map((id) => inGroup(id)).join("");
    const known = [await buildpack({ id: "a" }), await buildpack({ id: "b" })];
    for (let level = 0; level < 6; level++)
      known.push(await composite(`c${level}`, twice("a", "b", "a", "b")));
    expect(ids(await detect([group("c0", "c1", "c2", "c3", "c4", "c5")], known))).toContain(
      "more than 1000 groups",
    );
  });

  test("exec-env of an entry, and of a buildpack: others are skipped (Platform spec, detector)", async () => {
    const known = [
      await buildpack({ id: "any" }),
      await buildpack({
        id: "tests",
        api: "0.12",
        tables: '[[buildpack.exec-env]]\nname = "test"',
      }),
    ];
    const order = [group("any", "tests")];
    expect(ids(await detect(order, known))).toEqual(["any"]);
    expect(ids(await detect(order, known, { execEnv: "test" }))).toEqual(["any", "tests"]);
    const entry = { id: "any", version: "1.0.0", optional: false, execEnvs: ["development"] };
    expect(ids(await detect([[entry]], known))).toBe("no buildpack is named that could build it");
  });
});

describe("targets (buildpack.toml, Targets)", () => {
  const forTarget = (tables: string) => buildpack({ id: "a", tables: `${tables}\n` });
  const cases: readonly [string, string, boolean][] = [
    ["no field: any", "[[targets]]", true],
    ["os and arch", '[[targets]]\nos = "linux"\narch = "amd64"', true],
    ["another arch", '[[targets]]\nos = "linux"\narch = "arm64"', false],
    ["another os", '[[targets]]\nos = "windows"', false],
    ["one of several", '[[targets]]\nos = "windows"\n[[targets]]\nos = "linux"', true],
    ["a distribution", '[[targets]]\n[[targets.distros]]\nname = "debian"\nversion = "12"', true],
    ["any version of it", '[[targets]]\n[[targets.distros]]\nname = "debian"', true],
    ["another version", '[[targets]]\n[[targets.distros]]\nname = "debian"\nversion = "11"', false],
    ["none: inferred of bin/build, linux", "", true],
    ["stacks, any (Deprecations)", '[[stacks]]\nid = "*"', true],
    ["stacks, bionic is ubuntu 18.04", '[[stacks]]\nid = "io.buildpacks.stacks.bionic"', false],
  ];
  for (const [name, tables, isFor] of cases) {
    test(`${name}: ${isFor ? "asked" : "the group fails, and it is not asked"}`, async () => {
      const its = await forTarget(tables);
      const detected = await detect([group("a")], [its]);
      expect(detected.kind).toBe(isFor ? "passed" : "failed");
      if (!isFor) expect(ids(detected)).toEndWith("and this is linux/amd64, debian 12");
    });
  }

  test("an optional buildpack for another machine is left out; on macOS bin/build alone is not enough", async () => {
    const known = [await forTarget('[[targets]]\nos = "windows"'), await buildpack({ id: "b" })];
    expect(ids(await detect([group("a?", "b")], known))).toEqual(["b"]);
    const mac = { os: "darwin", arch: "arm64", variant: undefined, distro: undefined };
    expect(ids(await detect([group("b")], known, { machine: mac }))).toBe(
      "b@1.0.0 is for linux, and this is darwin/arm64",
    );
  });
});

describe("what goes wrong", () => {
  test("no bin/detect, one that is no program, one that is a loop of links: words", async () => {
    const its = await buildpack({ id: "a", detect: "" });
    const path = join(its.directory, "bin/detect");
    const why = async () => ids(await detect([group("a")], [its]));
    await chmod(path, 0o644);
    expect(await why()).toBe(
      `a@1.0.0 cannot be asked: ${path} is not executable; to fix that: chmod +x ${path}`,
    );
    await chmod(path, 0o755);
    await writeFile(path, "exit 0\n");
    expect(await why()).toContain("its first line is not such as #!/bin/sh");
    await writeFile(path, "#!/no/such/shell\n");
    expect(await why()).toContain("the program in its first line is missing");
    await writeFile(path, "#!/bin/sh\r\nexit 0\r\n");
    expect(await why()).toContain("its lines end as those of Windows do");
    await rm(path);
    expect(await why()).toBe(
      `a@1.0.0 cannot be asked: there is no ${path}, which every buildpack has`,
    );
    await symlink("detect", path);
    expect(await why()).toContain("form a loop");
    await rm(path);
    await mkdir(path);
    expect(await why()).toContain("is no file");
  });

  test("a plan that is no TOML, has another shape, is huge, or is no text: words with its line", async () => {
    const why = async (detects: string) => {
      const its = await buildpack({ id: "a", detect: detects });
      return ids(await detect([group("a")], [its]));
    };
    expect(await why(planned("[[requires]]\nname ="))).toContain("a mistake: line 2, column");
    expect(await why(planned('requires = "node"'))).toContain("requires: is no list of tables");
    expect(await why(planned("[[requires]]\nversion = 1"))).toContain(
      "line 1 of its build plan: requires[0]: has no name",
    );
    expect(await why(planned("[[provides]]\nname = 3"))).toContain("3 is no text in quotes");
    expect(await why('head -c 1100000 /dev/zero | tr "\\0" "#" > "$2"')).toContain(
      "it is larger than 1024 KiB",
    );
    expect(await why(`printf '\\377' > "$2"`)).toContain("it is not UTF-8 text");
    expect(await why('rm "$2"; mkdir "$2"')).toContain("it is a folder, not a file");
    expect(await why('rm "$2"; mkfifo "$2"')).toContain("it is a named pipe, not a file");
    expect(await why('rm "$2"')).toEqual(["a"]);
  });

  test("output without end is bounded, and a terminal's escapes are shown", async () => {
    const its = await buildpack({ id: "a", detect: "seq 5000; printf '\\033[31mred\\n'" });
    const lines: string[] = [];
    await detect([group("a")], [its], { write: (line) => lines.push(line) });
    expect(lines.length).toBe(202);
    expect(lines.at(-3)).toBe("[a] \\x1b[31mred");
  });

  /** Two sleeps, one of which has left the session and all pipes. */
  const hanging = () =>
    `sleep 1000 & echo $! > ${root}/one
setsid sh -c 'echo $$ > ${root}/two; exec sleep 1000' > /dev/null 2>&1 < /dev/null &
until [ -s ${root}/two ]; do sleep 0.01; done
touch ${root}/hangs`;
  /** On a busy machine, one that is ended after its time may not have come to its second process. */
  const pids = async () => {
    const files = ["one", "two"].map((name) => Bun.file(join(root, name)));
    const texts = await Promise.all(
      files.map(async (its) => ((await its.exists()) ? its.text() : "")),
    );
    return texts.filter((text) => text !== "").map(Number);
  };
  const noneIsLeft = async () => {
    for (const pid of await pids()) await eventually(`${pid} is gone`, () => !isRunning(pid));
  };

  test("one that hangs is ended after its time, with all that it has started", async () => {
    const its = await buildpack({ id: "a", detect: `${hanging()}; sleep 1000` });
    const detected = await detect([group("a")], [its], { limit: 1000 });
    expect(ids(detected)).toBe("a@1.0.0 took longer than 1 s in bin/detect, and was ended");
    await noneIsLeft();
  });

  test("ended in the middle, all of it is ended; nothing stays in the folder of plans", async () => {
    const known = [
      await buildpack({ id: "a", detect: `${hanging()}; sleep 1000` }),
      await buildpack({ id: "b", detect: "trap '' TERM INT HUP; sleep 1000" }),
    ];
    const abort = new AbortController();
    const under = detect([group("a", "b")], known, { signal: abort.signal });
    await eventually("it hangs", () => Bun.file(join(root, "hangs")).exists());
    abort.abort();
    expect(ids(await under)).toBe("the build was ended");
    await noneIsLeft();
    expect([
      ...new Bun.Glob("**").scanSync({ cwd: join(root, "scratch"), onlyFiles: false }),
    ]).toEqual([]);
    expect(ids(await detect([group("a")], known, { signal: abort.signal }))).toBe(
      "the build was ended",
    );
  });

  test("what one leaves in the background does not hold the build up, and is ended", async () => {
    const its = await buildpack({ id: "a", detect: hanging() });
    expect(ids(await detect([group("a")], [its]))).toEqual(["a"]);
    await noneIsLeft();
  });
});
