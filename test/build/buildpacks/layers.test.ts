/** Layers over two builds: what the Buildpacks spec says that the second finds. */
import { afterEach, expect, test } from "bun:test";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { BuildScene, saidBy } from "../../support/build-scene.ts";

let scene: BuildScene;
afterEach(() => scene.end());

const sort = (lines: readonly string[]): string[] => [...lines].sort();

/** Every combination of types, with metadata, content and a software bill of materials. */
const table = `
for build in true false; do for cache in true false; do for launch in true false; do
  name="$build-$cache-$launch"
  toml="$CNB_LAYERS_DIR/$name.toml"
  if [ -n "\${AGAIN:-}" ]; then
    has() { [ -e "$1" ] && echo yes || echo no; }
    types=no; [ -e "$toml" ] && grep -q '^\\[types\\]' "$toml" && types=yes
    echo "$name metadata=$(has "$toml") sbom=$(has "$CNB_LAYERS_DIR/$name.sbom.cdx.json") layer=$(has "$CNB_LAYERS_DIR/$name/content") types=$types"
  fi
  mkdir -p "$CNB_LAYERS_DIR/$name"
  echo hello > "$CNB_LAYERS_DIR/$name/content"
  echo '{}' > "$CNB_LAYERS_DIR/$name.sbom.cdx.json"
  printf '[types]\\nbuild = %s\\ncache = %s\\nlaunch = %s\\n[metadata]\\nversion = "1"\\n' $build $cache $launch > "$toml"
done; done; done
`;

test("metadata, bills and content come back as the table of layer types says (buildpack.md, Layer Types)", async () => {
  scene = new BuildScene();
  const buildpacks = [scene.buildpack({ id: "table", build: table })];
  await scene.built({ buildpacks });
  const { lines } = await scene.built({ buildpacks, variables: { AGAIN: "yes" } });
  // Types are build, cache, launch, in the order of the spec's table. Restored ones have no types (Reusing Layers).
  expect(saidBy("table", lines)).toEqual([
    "true-true-true metadata=yes sbom=yes layer=yes types=no",
    "true-true-false metadata=yes sbom=yes layer=yes types=no",
    "true-false-true metadata=no sbom=no layer=no types=no",
    "true-false-false metadata=no sbom=no layer=no types=no",
    "false-true-true metadata=yes sbom=yes layer=yes types=no",
    "false-true-false metadata=yes sbom=yes layer=yes types=no",
    "false-false-true metadata=yes sbom=yes layer=no types=no",
    "false-false-false metadata=no sbom=no layer=no types=no",
  ]);
});

test("a build with clean finds nothing of the last one", async () => {
  scene = new BuildScene();
  const buildpacks = [scene.buildpack({ id: "table", build: table })];
  await scene.built({ buildpacks });
  const { lines, ran } = await scene.built({
    buildpacks,
    variables: { AGAIN: "yes" },
    clean: true,
  });
  expect(ran).toBe(true);
  const said = saidBy("table", lines);
  expect(said).toHaveLength(8);
  expect(said.filter((line) => line.includes("=yes"))).toEqual([]);
});

test("only layers for launch and from the cache are there when the app runs (Export)", async () => {
  scene = new BuildScene();
  const buildpacks = [scene.buildpack({ id: "table", build: table })];
  await scene.built({ buildpacks });
  const names = readdirSync(join(scene.place, "at/layers/table"), { withFileTypes: true });
  expect(sort(names.filter((its) => its.isDirectory()).map((its) => its.name))).toEqual([
    "false-false-true",
    "false-true-false",
    "false-true-true",
    "true-false-true",
    "true-true-false",
    "true-true-true",
  ]);
});

test("a layer without a type is out of the way for the buildpacks behind (Ignored Layers)", async () => {
  scene = new BuildScene();
  const first = scene.buildpack({ id: "first", build: table });
  const second = scene.buildpack({
    id: "second",
    build: `cd "$CNB_LAYERS_DIR/../first"; ls -d */`,
  });
  const { lines } = await scene.built({ buildpacks: [first, second] });
  expect(saidBy("second", lines)).toEqual([
    "false-false-false.ignore/",
    "false-false-true/",
    "false-true-false/",
    "false-true-true/",
    "true-false-false/",
    "true-false-true/",
    "true-true-false/",
    "true-true-true/",
  ]);
});

const launchOnly = `
if [ -e "$CNB_LAYERS_DIR/node.toml" ]; then
  echo "content: $(ls "$CNB_LAYERS_DIR/node" 2>/dev/null || echo none)"
  echo "metadata: $(grep version "$CNB_LAYERS_DIR/node.toml")"
  printf '\\n[types]\\nlaunch = true\\n' >> "$CNB_LAYERS_DIR/node.toml"
else
  mkdir -p "$CNB_LAYERS_DIR/node/bin"
  echo program > "$CNB_LAYERS_DIR/node/bin/node"
  ln -s "$CNB_LAYERS_DIR/node/bin/node" "$CNB_LAYERS_DIR/node/absolute"
  printf '[types]\\nlaunch = true\\n[metadata]\\nversion = "20"\\nsize = 1.0\\ncount = 7\\n' > "$CNB_LAYERS_DIR/node.toml"
fi
`;

test("a launch layer whose metadata says launch again is the last build's, without being made (Reusing Layers, Export)", async () => {
  scene = new BuildScene();
  const buildpacks = [scene.buildpack({ id: "example/node", build: launchOnly })];
  const first = await scene.built({ buildpacks });
  scene.write({ "app.txt": "two" });
  const second = await scene.built({ buildpacks });
  expect(saidBy("example/node", second.lines)).toEqual([
    "content: none",
    'metadata: version = "20"',
  ]);
  expect(second.lines).toContain("example/node: node of the last build is used again");
  expect(second.launchable.generation).not.toBe(first.launchable.generation);
  const layer = join(scene.place, "at/layers/example_node/node");
  expect(readFileSync(join(layer, "bin/node"), "utf8")).toBe("program\n");
  // A link to our own path is relative, so that it leads into the same generation.
  expect(readlinkSync(join(layer, "absolute"))).toBe("bin/node");
  // Numbers are as the buildpack has written them.
  const toml = readFileSync(`${layer}.toml`, "utf8");
  expect(toml).toContain("size = 1.0");
  expect(toml).toContain("count = 7\n");
});

test("a launch layer that neither this build nor the last one has fails the build (Export)", async () => {
  scene = new BuildScene();
  const buildpacks = [
    scene.buildpack({
      id: "none",
      build: `printf '[types]\\nlaunch = true\\n' > "$CNB_LAYERS_DIR/gone.toml"`,
    }),
  ];
  const { built } = await scene.build({ buildpacks });
  expect(built).toEqual({
    kind: "failed",
    phase: "exporting",
    why: "none: gone.toml says launch = true without a folder gone, and the last build has no such layer",
  });
});

test("a layer whose types are not set again is left out, with its metadata (Reusing Layers)", async () => {
  scene = new BuildScene();
  const make = `
    [ -e "$CNB_LAYERS_DIR/deps.toml" ] && { echo found; exit 0; }
    echo none; mkdir -p "$CNB_LAYERS_DIR/deps"
    printf '[types]\\ncache = true\\nlaunch = true\\n' > "$CNB_LAYERS_DIR/deps.toml"`;
  const buildpacks = [scene.buildpack({ id: "once", build: make })];
  const said: string[][] = [];
  for (const text of ["one", "two", "three"]) {
    scene.write({ "app.txt": text });
    said.push(saidBy("once", (await scene.built({ buildpacks })).lines));
  }
  expect(said).toEqual([["none"], ["found"], ["none"]]);
});

test("store.toml comes back to its own buildpack (Analysis)", async () => {
  scene = new BuildScene();
  const count = `
    echo "store: $(cat "$CNB_LAYERS_DIR/store.toml" 2>/dev/null | tr '\\n' ' ')"
    printf '[metadata]\\nby = "%s"\\n' "$ME" > "$CNB_LAYERS_DIR/store.toml"`;
  const buildpacks = ["first", "second"].map((id) =>
    scene.buildpack({ id, build: `ME=${id}\n${count}` }),
  );
  await scene.built({ buildpacks });
  scene.write({ "app.txt": "two" });
  const { lines } = await scene.built({ buildpacks });
  expect(saidBy("first", lines)).toEqual(['store: [metadata] by = "first" ']);
  expect(saidBy("second", lines)).toEqual(['store: [metadata] by = "second" ']);
});

test("launch.toml and build.toml are made anew by each build (Layer Types, note on SBOM files; Build)", async () => {
  scene = new BuildScene();
  const buildpacks = [
    scene.buildpack({
      id: "files",
      build: `
        echo "found: $(cd "$CNB_LAYERS_DIR" && echo *)"
        printf '[[processes]]\\ntype = "web"\\ncommand = ["true"]\\n' > "$CNB_LAYERS_DIR/launch.toml"
        : > "$CNB_LAYERS_DIR/build.toml"
        echo '{}' > "$CNB_LAYERS_DIR/launch.sbom.spdx.json"
        echo '{}' > "$CNB_LAYERS_DIR/build.sbom.spdx.json"`,
    }),
  ];
  const first = await scene.built({ buildpacks });
  scene.write({ "app.txt": "two" });
  const second = await scene.built({ buildpacks });
  expect(saidBy("files", second.lines)).toEqual(["found: *"]);
  // A limit, said where it bites.
  expect(first.lines.find((line) => line.includes("not exported"))).toStartWith(
    "files: build.sbom.spdx.json and launch.sbom.spdx.json not exported, and stays in ",
  );
});

test("layers of a buildpack that has left the group are gone (Analysis)", async () => {
  scene = new BuildScene();
  const cached = `
    [ -e "$CNB_LAYERS_DIR/its.toml" ] && echo found || echo none
    mkdir -p "$CNB_LAYERS_DIR/its"; printf '[types]\\ncache = true\\nlaunch = true\\n' > "$CNB_LAYERS_DIR/its.toml"`;
  const [one, two] = ["one", "two"].map((id) => scene.buildpack({ id, build: cached }));
  await scene.built({ buildpacks: [one!, two!] });
  await scene.built({ buildpacks: [one!] });
  expect(readdirSync(join(scene.place, "at/layers"))).toEqual(["one"]);
  const { lines } = await scene.built({ buildpacks: [one!, two!] });
  expect([saidBy("one", lines), saidBy("two", lines)]).toEqual([["found"], ["none"]]);
});

const mistakes: Record<string, [build: string, why: string]> = {
  "a layer's types that are no booleans (Layer Content Metadata)": [
    `printf '[types]\\nlaunch = "yes"\\n' > "$CNB_LAYERS_DIR/its.toml"`,
    'bad: its.toml: types.launch is "yes", and has to be true or false',
  ],
  "types outside of their table (Layer Content Metadata)": [
    `printf 'launch = true\\n' > "$CNB_LAYERS_DIR/its.toml"`,
    "bad: its.toml: launch stands in [types], since Buildpack API 0.6",
  ],
  "a layer's file that is no TOML": [
    `printf '[types\\n' > "$CNB_LAYERS_DIR/its.toml"`,
    "bad: its.toml: line 1 is no TOML",
  ],
  "a layer for builds without a folder (Reusing Layers)": [
    `printf '[types]\\nbuild = true\\n' > "$CNB_LAYERS_DIR/its.toml"`,
    "bad: its.toml says build = true, and there is no folder its",
  ],
  "a cached layer without a folder (Reusing Layers)": [
    `printf '[types]\\ncache = true\\n' > "$CNB_LAYERS_DIR/its.toml"`,
    "bad: its.toml says cache = true, and there is no folder its",
  ],
  "a layer with a name that is taken (Build)": [
    `mkdir "$CNB_LAYERS_DIR/store"`,
    "bad: a layer cannot have the name store",
  ],
  "an exit code (Build)": ["exit 7", "bad: bin/build ended with 7"],
  "a signal": ["kill -TERM $$", "bad: bin/build was ended by SIGTERM"],
};

for (const [what, [build, why]] of Object.entries(mistakes)) {
  test(`fails the build, which says so: ${what}`, async () => {
    scene = new BuildScene();
    const { built } = await scene.build({ buildpacks: [scene.buildpack({ id: "bad", build })] });
    if (built.kind !== "failed") throw new Error("it has succeeded");
    expect(built.why).toStartWith(why);
    expect(built.phase).toBe("building");
    expect(existsSync(join(scene.place, "at"))).toBe(false);
  });
}

test("metadata that is a text comes back, and a type that there is not is told of (Layer Content Metadata)", async () => {
  scene = new BuildScene();
  const buildpacks = [
    scene.buildpack({
      id: "text",
      build: `echo "found: $(cat "$CNB_LAYERS_DIR/its.toml" 2>/dev/null || echo none)"; mkdir -p "$CNB_LAYERS_DIR/its"
        printf 'metadata = "3.1"\\n[types]\\nlaunch = true\\nrun = 1\\n' > "$CNB_LAYERS_DIR/its.toml"`,
    }),
  ];
  await scene.built({ buildpacks });
  scene.write({ "app.txt": "two" });
  const { lines } = await scene.built({ buildpacks });
  expect(saidBy("text", lines)).toEqual([
    'found: metadata = "3.1"',
    "its.toml: run of [types] not used: it has build, launch and cache",
  ]);
});

test("a failed buildpack that names a container's folder gets a line with the reason", async () => {
  scene = new BuildScene();
  const buildpacks = [
    scene.buildpack({ id: "fixed", build: "# /layers in a comment\ncd /workspace && make" }),
  ];
  const { built, lines } = await scene.build({ buildpacks });
  expect(built.kind).toBe("failed");
  expect(lines.find((line) => line.startsWith("fixed: bin/build:"))).toStartWith(
    "fixed: bin/build:4 names /workspace, which is in containers only;",
  );
});

test("so does one whose bin/detect is broken by that", async () => {
  scene = new BuildScene();
  const buildpacks = [scene.buildpack({ id: "fixed", detect: "ls /layers/x", build: "true" })];
  const { built, lines } = await scene.build({ buildpacks });
  expect(built).toMatchObject({ kind: "failed", phase: "detecting" });
  expect(lines.find((line) => line.startsWith("fixed: bin/detect:"))).toStartWith(
    "fixed: bin/detect:3 names /layers, which is in containers only;",
  );
});

test("a build that fails leaves the last good one as it was", async () => {
  scene = new BuildScene();
  const buildpacks = [
    scene.buildpack({
      id: "careful",
      build: `
        mkdir -p "$CNB_LAYERS_DIR/its"; cat app.txt > "$CNB_LAYERS_DIR/its/text"
        printf '[types]\\nlaunch = true\\n' > "$CNB_LAYERS_DIR/its.toml"
        grep -q broken app.txt && exit 1 || exit 0`,
    }),
  ];
  await scene.built({ buildpacks });
  const before = lstatSync(join(scene.place, "at/layers/careful/its/text"));
  scene.write({ "app.txt": "broken" });
  expect((await scene.build({ buildpacks })).built.kind).toBe("failed");
  const after = lstatSync(join(scene.place, "at/layers/careful/its/text"));
  expect(after.ino).toBe(before.ino);
  expect(readFileSync(join(scene.place, "at/app/app.txt"), "utf8")).toBe("one");
});
