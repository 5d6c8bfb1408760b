/** Variables that buildpacks hand to one another, and to the app: the Buildpacks spec's rules, on folders of layers. */
import { afterEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Environment, withLayers } from "../../../src/build/buildpacks/layer-environment.ts";
import { BuildScene, saidBy } from "../../support/build-scene.ts";

let root: string | undefined;
let scene: BuildScene | undefined;
afterEach(() => {
  if (root !== undefined) rmSync(root, { recursive: true, force: true });
  scene?.end();
  root = undefined;
  scene = undefined;
});

type Layers = Record<string, Record<string, string>>;

/** Each buildpack's layers, with the files in each. */
function applied(
  buildpacks: readonly Layers[],
  {
    env = {},
    phase = "build",
    process,
  }: { env?: Environment; phase?: "build" | "launch"; process?: string } = {},
): { env: Environment; lines: string[]; root: string } {
  root ??= realpathSync(mkdtempSync(join(tmpdir(), "localhostess-layers-")));
  const lines: string[] = [];
  let its = env;
  for (const [index, layers] of buildpacks.entries()) {
    const folders = Object.keys(layers).sort();
    for (const name of folders) {
      for (const [file, text] of Object.entries(layers[name]!)) {
        const path = join(root, String(index), name, file);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, text);
      }
    }
    its = withLayers(its, {
      layers: folders.map((name) => ({ path: join(root!, String(index), name) })),
      phase,
      process,
      write: (line) => void lines.push(line),
    });
  }
  return { env: its, lines, root };
}

describe("modification rules", () => {
  test("override: the last file counts, with or without its suffix (Override)", () => {
    const { env } = applied(
      [
        { a: { "env/ONE": "a", "env/TWO.override": "a" }, b: { "env/ONE": "b" } },
        { a: { "env/TWO": "second" } },
      ],
      { env: { ONE: "before", TWO: "before" } },
    );
    expect(env).toEqual({ ONE: "b", TWO: "second" });
  });

  test("default: only where it is empty, so that the first counts (Default)", () => {
    const { env } = applied(
      [
        { a: { "env/SET.default": "a", "env/EMPTY.default": "a" }, b: { "env/NEW.default": "b" } },
        { a: { "env/NEW.default": "late", "env/EMPTY.default": "late" } },
      ],
      { env: { SET: "before", EMPTY: "" } },
    );
    expect(env).toEqual({ SET: "before", EMPTY: "a", NEW: "b" });
  });

  test("append: earlier buildpacks first, layers ascending, env before env.build (Append)", () => {
    const { env } = applied([
      {
        b: { "env/LIST.append": "3" },
        a: { "env/LIST.append": "1", "env.build/LIST.append": "2" },
      },
      { a: { "env/LIST.append": "4" } },
    ]);
    expect(env.LIST).toBe("1234");
  });

  test("prepend: later buildpacks first, layers descending, env.build before env (Prepend)", () => {
    const { env } = applied([
      {
        a: { "env/LIST.prepend": "1", "env.build/LIST.prepend": "2" },
        b: { "env/LIST.prepend": "3" },
      },
      { a: { "env/LIST.prepend": "4" } },
    ]);
    expect(env.LIST).toBe("4321");
  });

  test("a delimiter is put between, in its own layer only, and not in front of the first (Delimiter)", () => {
    const { env } = applied(
      [
        { a: { "env/LIST.append": "x", "env/LIST.delim": ":", "env.build/LIST.append": "y" } },
        { a: { "env/LIST.append": "z", "env/NEW.prepend": "n", "env/NEW.delim": "," } },
      ],
      { env: { LIST: "before" } },
    );
    expect(env).toEqual({ LIST: "before:x:yz", NEW: "n" });
  });

  test("contents stay as they are, a line end too; a name ends at its first period", () => {
    const { env, lines } = applied([
      { a: { "env/TEXT": "$HOME `date`\n", "env/NAME.append.more": "x", "env/OTHER.set": "x" } },
    ]);
    expect(env).toEqual({ TEXT: "$HOME `date`\n" });
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain("NAME.append.more is not used: .append.more is none of append,");
  });

  test("all of one layer is applied before the next one (Delimiter)", () => {
    const { env } = applied([
      { a: { "env/IT": "a", "env.build/IT.append": "+a" }, b: { "env/IT.append": "+b" } },
    ]);
    expect(env.IT).toBe("a+a+b");
  });
});

describe("for launch", () => {
  const layers: Layers = {
    a: {
      "env/IT": "env",
      "env.build/IT": "build",
      "env.launch/IT": "launch",
      "env.launch/web/IT": "web",
      "env/LIST.append": "1",
      "env.launch/LIST.append": "2",
      "env.launch/web/LIST.append": "3",
      "env.launch/worker/LIST.append": "other",
    },
  };

  test("env, then env.launch, then that of the process (Override, Append)", () => {
    expect(applied([layers], { phase: "launch", process: "web" }).env).toEqual({
      IT: "web",
      LIST: "123",
    });
  });

  test("nothing of another process, and nothing that is for builds", () => {
    expect(applied([layers], { phase: "launch", process: "job" }).env).toEqual({
      IT: "launch",
      LIST: "12",
    });
  });

  test("for builds, nothing of env.launch", () => {
    expect(applied([layers]).env).toEqual({ IT: "build", LIST: "1" });
  });
});

describe("paths of layers (Layer Paths)", () => {
  const files = { "bin/x": "", "lib/x": "", "include/x": "", "pkgconfig/x": "" };

  test("later buildpacks first, layers of one ascending, before what was there", () => {
    const { env, root } = applied([{ a: files, b: files }, { c: files }], {
      env: { PATH: "/usr/bin" },
    });
    const paths = (folder: string) =>
      ["1/c", "0/a", "0/b"].map((its) => join(root, its, folder)).join(":");
    expect(env).toEqual({
      PATH: `${paths("bin")}:/usr/bin`,
      LD_LIBRARY_PATH: paths("lib"),
      LIBRARY_PATH: paths("lib"),
      CPATH: paths("include"),
      PKG_CONFIG_PATH: paths("pkgconfig"),
    });
  });

  test("for launch, of programs and shared libraries only", () => {
    const { env, root } = applied([{ a: files }], { phase: "launch" });
    expect(env).toEqual({ PATH: join(root, "0/a/bin"), LD_LIBRARY_PATH: join(root, "0/a/lib") });
  });
});

test("a buildpack gets what those before it provide for builds, and only that (Build, Environment)", async () => {
  scene = new BuildScene();
  const provide = `
    for name in build launch; do
      mkdir -p "$CNB_LAYERS_DIR/$name-layer/bin" "$CNB_LAYERS_DIR/$name-layer/env"
      printf "$name" > "$CNB_LAYERS_DIR/$name-layer/env/FROM_$name"
      printf '[types]\\n%s = true\\n' $name > "$CNB_LAYERS_DIR/$name-layer.toml"
      printf '#!/bin/sh\\necho tool of %s\\n' $name > "$CNB_LAYERS_DIR/$name-layer/bin/tool-$name"
      chmod +x "$CNB_LAYERS_DIR/$name-layer/bin/tool-$name"
    done
    printf other > "$CNB_LAYERS_DIR/build-layer/env/HOME"
    printf theirs > "$CNB_LAYERS_DIR/build-layer/env/BP_GIVEN"
    echo "own: \${FROM_build:-none}"`;
  const show = `
    tool-build; command -v tool-launch || echo "no tool-launch"
    echo "build=$FROM_build launch=\${FROM_launch:-none} given=\${BP_GIVEN} home=$HOME"`;
  const buildpacks = [
    scene.buildpack({ id: "provides", build: provide }),
    scene.buildpack({ id: "shows", build: show }),
  ];
  const { lines } = await scene.built({ buildpacks, variables: { BP_GIVEN: "mine" } });
  expect(saidBy("provides", lines)).toEqual(["own: none"]);
  // The person's BP_* and HOME are not a buildpack's to set (Provided by the Platform).
  expect(saidBy("shows", lines)).toEqual([
    "tool of build",
    "no tool-launch",
    `build=build launch=none given=mine home=${scene.root}`,
  ]);
});

test("arguments, folders and variables of bin/build (Build, Targets, Provided by the Platform)", async () => {
  scene = new BuildScene();
  const show = `
    echo "args: $#, $1 = $CNB_LAYERS_DIR, $2 = $CNB_PLATFORM_DIR, $3 = $CNB_BP_PLAN_PATH"
    echo "here: $(pwd)"
    echo "buildpack: $CNB_BUILDPACK_DIR"
    echo "target: $CNB_TARGET_OS \${CNB_EXEC_ENV:-unset}"
    echo "given: \${GIVEN:-unset}, in a file: $(cat "$CNB_PLATFORM_DIR/env/GIVEN")"
    echo "on stderr" >&2; echo "by its path" > /dev/stderr`;
  const buildpacks = [
    scene.buildpack({ id: "one/shows", api: "0.10", build: show }),
    scene.buildpack({ id: "clear", api: "0.12", clearEnv: true, build: show }),
  ];
  const { lines } = await scene.built({ buildpacks, variables: { GIVEN: "a secret" } });
  const at = join(scene.place, "at");
  const layers = (name: string) => join(at, "layers", name);
  const plan = join(at, "scratch/plan.toml");
  const said = (name: string, id: string, given: string, execEnv: string) => [
    `args: 3, ${layers(name)} = ${layers(name)}, ${at}/platform = ${at}/platform, ${plan} = ${plan}`,
    `here: ${at}/app`,
    `buildpack: ${join(scene!.root, "buildpacks", id)}`,
    `target: ${process.platform} ${execEnv}`,
    `given: ${given}, in a file: a secret`,
    "on stderr",
    "by its path",
  ];
  expect(saidBy("one/shows", lines)).toEqual(said("one_shows", "one-shows", "a secret", "unset"));
  // clear-env: not in its environment, and in the file all the same.
  expect(saidBy("clear", lines)).toEqual(said("clear", "clear", "unset", "production"));
  // A secret is not left behind.
  const left = Bun.spawnSync(["grep", "-rl", "a secret", scene.place]).stdout.toString();
  expect(left).toBe("");
});

test("a person's path variables stand in front of those of layers (Provided by the Platform)", async () => {
  scene = new BuildScene();
  const buildpacks = [
    scene.buildpack({
      id: "provides",
      build: `mkdir -p "$CNB_LAYERS_DIR/its/include" "$CNB_LAYERS_DIR/its/env"
        printf theirs > "$CNB_LAYERS_DIR/its/env/SET"
        printf '[types]\\nbuild = true\\n' > "$CNB_LAYERS_DIR/its.toml"`,
    }),
    scene.buildpack({ id: "shows", build: `echo "$CPATH $SET"` }),
  ];
  const { lines } = await scene.built({
    buildpacks,
    variables: { CPATH: "/mine", SET: "mine" },
  });
  const layer = join(scene.place, "at/layers/provides/its/include");
  expect(saidBy("shows", lines)).toEqual([`/mine:${layer} mine`]);
});
