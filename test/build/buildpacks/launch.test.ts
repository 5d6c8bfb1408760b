/** What a build declares, and with which words, variables and folder it is started. */
import { afterEach, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lastBuilt, launchOf } from "../../../src/build/buildpacks/launch.ts";
import { combined, readLaunch } from "../../../src/build/buildpacks/launch-toml.ts";
import { BuildScene, printed } from "../../support/build-scene.ts";

let scene: BuildScene;
afterEach(() => scene?.end());

/** A script that writes launch.toml. */
const declares = (text: string) => `cat > "$CNB_LAYERS_DIR/launch.toml" <<'END'\n${text}\nEND`;

const web = (more = "") => `[[processes]]\ntype = "web"\ncommand = ["sh", "-c"]\n${more}`;

test("the default process is started, with its own arguments or those of a person (launcher; launch.toml)", async () => {
  scene = new BuildScene();
  const buildpacks = [
    scene.buildpack({
      id: "procs",
      build: declares(
        `${web()}\n[[processes]]\ntype = "job"\ncommand = ["echo", "always"]\nargs = ["usual one"]\ndefault = true`,
      ),
    }),
  ];
  const { launchable } = await scene.built({ buildpacks });
  expect(await printed(await scene.launch(launchable))).toBe("always usual one\n");
  expect(await printed(await scene.launch(launchable, { args: ["mine"] }))).toBe("always mine\n");
  const named = await scene.launch(launchable, { process: "web", args: ["echo by type"] });
  expect(await printed(named)).toBe("by type\n");
});

test("the last definition of a type counts, and the last default (launch.toml)", () => {
  const read = (text: string) => {
    const its = readLaunch(text, { app: "/app", execEnv: "production" });
    if (its.kind === "mistake") throw new Error(its.what);
    return its.processes;
  };
  const first = read(`${web("default = true")}\n[[processes]]\ntype = "a"\ncommand = ["a"]`);
  const second = read('[[processes]]\ntype = "b"\ncommand = ["b"]\ndefault = true');
  const third = read('[[processes]]\ntype = "b"\ncommand = ["other"]');
  const brief = (all: readonly (typeof first)[]) =>
    combined(all).map(({ type, command, isDefault }) => [type, command[0], isDefault]);
  expect(brief([first, second])).toEqual([
    ["web", "sh", false],
    ["a", "a", false],
    ["b", "b", true],
  ]);
  // One that is no default in the place of the default: there is none.
  expect(brief([first, second, third])).toEqual([
    ["web", "sh", false],
    ["a", "a", false],
    ["b", "other", false],
  ]);
});

test("a working directory is the app's, or one in it, or another (launch.toml)", () => {
  const text = ["", 'working-dir = "sub"', 'working-dir = "/srv"']
    .map((line, index) => `[[processes]]\ntype = "p${index}"\ncommand = ["x"]\n${line}`)
    .join("\n");
  const read = readLaunch(text, { app: "/app", execEnv: "production" });
  if (read.kind === "mistake") throw new Error(read.what);
  expect(read.processes.map(({ workdir }) => workdir)).toEqual(["/app", "/app/sub", "/srv"]);
});

test("processes of other execution environments are left out (launch.toml, exec-env)", () => {
  const text = ['["test"]', '["production"]', '["*"]', "[]"]
    .map((envs, index) => `[[processes]]\ntype = "p${index}"\ncommand = ["x"]\nexec-env = ${envs}`)
    .join("\n");
  const read = readLaunch(text, { app: "/app", execEnv: "production" });
  if (read.kind === "mistake") throw new Error(read.what);
  expect(read.processes.map(({ type }) => type)).toEqual(["p1", "p2", "p3"]);
  expect(read.elsewhere).toEqual(["p0"]);
});

const mistakes: Record<string, string> = {
  '[[processes]]\ntype = "a b"\ncommand = ["x"]':
    'processes[0]: type is "a b", and has to be of letters, digits, ., _ and -',
  '[[processes]]\ncommand = ["x"]':
    'processes[0]: type is "", and has to be of letters, digits, ., _ and -',
  '[[processes]]\ntype = "web"\ncommand = "npm start"':
    'processes[0]: command of web is a text; since Buildpack API 0.9 it is a list, such as ["bash", "-c", "…"]',
  '[[processes]]\ntype = "web"\ncommand = []':
    "processes[0]: command of web has to be a list of words that begins with a program",
  '[[processes]]\ntype = "web"\ncommand = ["x"]\nargs = "y"':
    "processes[0]: args of web has to be a list of words",
  '[[processes]]\ntype = "web"\ncommand = ["x"]\ndefault = 1':
    "processes[0]: default of web has to be true or false",
  [`${web()}\n${web()}`]: "two processes have the type web",
  [`${web("default = true")}\n[[processes]]\ntype = "b"\ncommand = ["x"]\ndefault = true`]:
    "web and b both have default = true",
  "processes = 1": "processes has to be written as [[processes]]",
  "processes = [": "line 1 is no TOML: ",
};

for (const [text, what] of Object.entries(mistakes)) {
  test(`launch.toml: ${what}`, () => {
    const read = readLaunch(text, { app: "/app", execEnv: "production" });
    expect(read.kind === "mistake" ? read.what : "none").toStartWith(what);
  });
}

test("launch layers give variables and programs; a person's HOME and BPL_ variables stay (Environment; Provided by the Platform)", async () => {
  scene = new BuildScene();
  const buildpacks = [
    scene.buildpack({
      id: "vars",
      build: `
        its="$CNB_LAYERS_DIR/its"; mkdir -p "$its/bin" "$its/env" "$its/env.launch/web" "$CNB_LAYERS_DIR/hidden/env"
        printf '#!/bin/sh\\necho "$IT $HOME $BPL_SET \${HIDDEN:-none} \${CNB_APP_DIR:-unset}"; pwd' > "$its/bin/show"; chmod +x "$its/bin/show"
        printf all > "$its/env/IT"; printf web > "$its/env.launch/web/IT"
        printf theirs > "$its/env.launch/HOME"; printf theirs > "$its/env.launch/BPL_SET"
        printf x > "$CNB_LAYERS_DIR/hidden/env/HIDDEN"
        printf '[types]\\nlaunch = true\\n' > "$its.toml"
        printf '[types]\\ncache = true\\nbuild = true\\n' > "$CNB_LAYERS_DIR/hidden.toml"
        ${declares('[[processes]]\ntype = "web"\ncommand = ["show"]\n[[processes]]\ntype = "job"\ncommand = ["show"]')}`,
    }),
  ];
  const { launchable } = await scene.built({ buildpacks });
  const env = { BPL_SET: "mine", CNB_APP_DIR: "/x" };
  const here = join(scene.place, launchable.generation, "app");
  expect(await printed(await scene.launch(launchable, { env }))).toBe(
    `web ${scene.root} mine none unset\n${here}\n`,
  );
  expect(await printed(await scene.launch(launchable, { process: "job", env }))).toStartWith(
    `all ${scene.root} mine none unset\n`,
  );
});

test("exec.d programs set variables, in the order of buildpacks, layers and names, those of the process last (Exec.d; launcher, Execution)", async () => {
  scene = new BuildScene();
  const layer = (name: string, files: Record<string, string>) =>
    `${Object.entries(files)
      .map(
        ([file, text]) =>
          `mkdir -p "$(dirname "$CNB_LAYERS_DIR/${name}/exec.d/${file}")"
           printf '#!/bin/sh\\n%s\\n' '${text}' > "$CNB_LAYERS_DIR/${name}/exec.d/${file}"; chmod +x "$CNB_LAYERS_DIR/${name}/exec.d/${file}"`,
      )
      .join("\n")}
     printf '[types]\\nlaunch = true\\n' > "$CNB_LAYERS_DIR/${name}.toml"`;
  const add = (word: string) => `echo "ORDER = \\"\${ORDER:-} ${word}\\"" >&3`;
  const buildpacks = [
    scene.buildpack({
      id: "one",
      build: `${layer("b", { x: add("one.b.x") })}
        ${layer("a", { y: add("one.a.y"), x: `${add("one.a.x")}; echo said; echo warned >&2`, "web/x": add("one.a.web") })}
        ${declares('[[processes]]\ntype = "web"\ncommand = ["sh", "-c", "echo $ORDER $IN"]')}`,
    }),
    scene.buildpack({
      id: "two",
      build: layer("a", { x: `${add("two.a.x")}; echo "IN = \\"$(pwd)\\"" > /dev/fd/3` }),
    }),
  ];
  const { launchable } = await scene.built({ buildpacks });
  const launch = await scene.launch(launchable);
  expect(await printed(launch)).toBe(
    `one.a.x one.a.y one.b.x two.a.x one.a.web ${join(scene.place, launchable.generation, "app")}\n`,
  );
  expect(launch.lines.sort()).toEqual(["said", "warned"]);
});

const execDs: Record<string, string> = {
  "exit 3": "ended with 3",
  "echo = >&3": "says no TOML on descriptor 3: line 1 is no TOML",
  "echo it = 1 >&3": "says it = 1, and a variable is a text",
};

test("an exec.d program that fails, or says what is no variable, keeps the process from starting (Exec.d Output)", async () => {
  scene = new BuildScene();
  const buildpacks = [
    scene.buildpack({
      id: "one",
      build: `mkdir -p "$CNB_LAYERS_DIR/its/exec.d"; printf '[types]\\nlaunch = true\\n' > "$CNB_LAYERS_DIR/its.toml"
        ${declares('[[processes]]\ntype = "web"\ncommand = ["true"]')}`,
    }),
  ];
  const { launchable } = await scene.built({ buildpacks });
  const path = join(scene.place, "at/layers/one/its/exec.d/program");
  for (const [script, why] of Object.entries(execDs)) {
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    await expect(scene.launch(launchable)).rejects.toThrow(`exec.d/program ${why}`);
  }
});

test("without a default, web is started, or the only process; else they are named", async () => {
  scene = new BuildScene();
  mkdirSync(scene.place);
  const process = (type: string) => ({
    type,
    command: ["true"],
    args: [],
    isDefault: false,
    workdir: join(scene.place, "at/app"),
  });
  const tried = async (types: string[], named?: string) => {
    const processes = types.map(process);
    const launch = await launchOf(scene.place, {
      launchable: { generation: "a", processes, group: [] },
      process: named,
      args: [],
      env: { PATH: "/usr/bin:/bin" },
      write() {},
    });
    return launch.kind === "cannot" ? launch.why : launch.words[0];
  };
  expect(await tried(["job", "web"])).toEndWith("/bin/true");
  expect(await tried(["job"])).toEndWith("/bin/true");
  expect(await tried(["job", "other"])).toBe(
    'the build declares no default process; name one of job and other by process = "…" in build',
  );
  expect(await tried(["job"], "web")).toBe('the build declares no process "web"; it has job');
  expect(await tried([])).toStartWith("the build declares no process; ");
});

test("paths of a process are its generation's own, so that a build beside it does not move them", async () => {
  scene = new BuildScene({ "run.sh": "#!/bin/sh\ncat text\n", text: "one\n" });
  chmodSync(join(scene.app, "run.sh"), 0o755);
  const buildpacks = [
    scene.buildpack({
      id: "own",
      build: `mkdir -p "$CNB_LAYERS_DIR/its/env"; printf '[types]\\nlaunch = true\\n' > "$CNB_LAYERS_DIR/its.toml"
        printf "%s:%s" "$(pwd)/x" "$CNB_LAYERS_DIR/y" > "$CNB_LAYERS_DIR/its/env/PATHS"
        ${declares('[[processes]]\ntype = "web"\ncommand = ["./run.sh"]')}
        [ ! -e broken ]`,
    }),
  ];
  const first = await scene.built({ buildpacks });
  const launch = await scene.launch(first.launchable);
  const here = join(scene.place, first.launchable.generation);
  expect(launch.words).toEqual([join(here, "app/run.sh")]);
  expect(launch.env.PATHS).toBe(`${here}/app/x:${here}/layers/own/y`);
  scene.write({ text: "two\n" });
  const second = await scene.built({ buildpacks });
  expect(await printed(launch)).toBe("one\n");
  expect(await printed(await scene.launch(second.launchable))).toBe("two\n");
  // While a build is under way, the last good one is what there is.
  scene.write({ broken: "" });
  await scene.build({
    buildpacks,
    onPhase() {
      expect(lastBuilt(scene.place)?.generation).toBe(second.launchable.generation);
    },
  });
  expect(lastBuilt(scene.place)).toEqual(second.launchable);
});

test.skipIf(process.platform !== "linux")(
  "the folder that a process runs out of is not built in, and goes once it has ended",
  async () => {
    scene = new BuildScene({ text: "0" });
    const buildpacks = [
      scene.buildpack({
        id: "waits",
        build: declares(
          '[[processes]]\ntype = "web"\ncommand = ["sh", "-c", "read line; cat text"]',
        ),
      }),
    ];
    const { launchable } = await scene.built({ buildpacks });
    const { words, env, workdir } = await scene.launch(launchable);
    const options = { cwd: workdir, env, stdin: "pipe", stdout: "pipe" } as const;
    const child = Bun.spawn([...words], options);
    const seen: string[] = [launchable.generation];
    for (const text of ["1", "2", "3"]) {
      scene.write({ text });
      const before = lastBuilt(scene.place);
      const built = await scene.built({
        buildpacks,
        onPhase: () => expect(lastBuilt(scene.place)).toEqual(before),
      });
      seen.push(built.launchable.generation);
    }
    expect(seen).toEqual(["a", "b", "c", "b"]);
    child.stdin.write("\n");
    child.stdin.end();
    expect(await child.stdout.text()).toBe("0");
    await child.exited;
    scene.write({ text: "4" });
    expect((await scene.built({ buildpacks })).launchable.generation).toBe("a");
    expect(readdirSync(scene.place).sort()).toEqual(["a", "at", "b", "lock", "seen.json"]);
  },
);

test("a program that is not there is named before it is started", async () => {
  scene = new BuildScene();
  const buildpacks = [
    scene.buildpack({
      id: "gone",
      build: declares('[[processes]]\ntype = "web"\ncommand = ["no-such-program"]'),
    }),
  ];
  const { launchable } = await scene.built({ buildpacks });
  await expect(scene.launch(launchable)).rejects.toThrow(
    'the process web begins with "no-such-program", and there is no such program in its PATH',
  );
  expect(readFileSync(join(scene.place, "at/built.json"), "utf8")).toContain('"version": 1');
});

test("what is for images only is said to be unused (launch.toml, Slice Layers, profile.d)", async () => {
  scene = new BuildScene();
  const buildpacks = [
    scene.buildpack({
      id: "image",
      build: `mkdir -p "$CNB_LAYERS_DIR/its/profile.d"; printf '[types]\\nlaunch = true\\n' > "$CNB_LAYERS_DIR/its.toml"
        ${declares('[[labels]]\nkey = "a"\nvalue = "b"\n[[slices]]\npaths = ["*"]')}`,
    }),
  ];
  const { lines } = await scene.built({ buildpacks });
  expect(lines).toContain("image: 1 label and 1 slice not used: there is no image");
  expect(lines.find((line) => line.includes("profile.d"))).toStartWith(
    "image: profile.d of its is not run: ",
  );
});

test("a service's own command runs in the place of a process, with the launch environment", async () => {
  scene = new BuildScene();
  const buildpacks = [
    scene.buildpack({
      id: "tools",
      build: `its="$CNB_LAYERS_DIR/its"; mkdir -p "$its/bin"; printf '#!/bin/sh\\necho tool; pwd' > "$its/bin/tool"; chmod +x "$its/bin/tool"
        printf '[types]\\nlaunch = true\\n' > "$its.toml"`,
    }),
  ];
  const { launchable } = await scene.built({ buildpacks });
  const launch = await scene.launch(launchable, { words: ["sh", "-c", "tool"] });
  const here = join(scene.place, launchable.generation, "app");
  expect(await printed(launch)).toBe(`tool\n${here}\n`);
  await expect(scene.launch(launchable, { words: ["no-such"] })).rejects.toThrow(
    'the command begins with "no-such", and there is no such program in its PATH',
  );
});
