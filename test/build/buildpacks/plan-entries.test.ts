/** Entries of a build plan, from the buildpack that requires them to the one that meets them. */
import { afterEach, expect, test } from "bun:test";
import { BuildScene, saidBy } from "../../support/build-scene.ts";

let scene: BuildScene;
afterEach(() => scene.end());

const show = `echo "plan: $(tr -d ' ' < "$CNB_BP_PLAN_PATH" | tr '\\n' ' ')"`;
const provides = `printf '[[provides]]\\nname = "tool"\\n' > "$CNB_BUILD_PLAN_PATH"`;

test("an entry goes to the first that provides it, and to the next while it is unmet (Unmet Buildpack Plan Entries)", async () => {
  scene = new BuildScene();
  const unmet = `printf '[[unmet]]\\nname = "tool"\\n' > "$CNB_LAYERS_DIR/build.toml"`;
  const requires = `printf '[[requires]]\\nname = "tool"\\n[requires.metadata]\\nversion = "2"\\nbuild = true\\n' > "$CNB_BUILD_PLAN_PATH"`;
  const buildpacks = [
    scene.buildpack({ id: "first", detect: provides, build: `${show}\n${unmet}` }),
    scene.buildpack({ id: "second", detect: provides, build: show }),
    scene.buildpack({ id: "third", detect: provides, build: show }),
    scene.buildpack({ id: "asks", detect: requires, build: show }),
  ];
  const { lines } = await scene.built({ buildpacks });
  const entry = 'plan: [[entries]] name="tool" [entries.metadata] version="2" build=true ';
  const said = ["first", "second", "third", "asks"].map((id) => saidBy(id, lines)[0]!.trim());
  expect(said.map((line) => line.replace(/ +/g, " "))).toEqual([
    entry.trim(),
    entry.trim(),
    "plan:",
    "plan:",
  ]);
});

test("an entry that nobody meets is told of", async () => {
  scene = new BuildScene();
  const both = `printf '[[provides]]\\nname = "tool"\\n[[requires]]\\nname = "tool"\\n' > "$CNB_BUILD_PLAN_PATH"`;
  const unmet = `printf '[[unmet]]\\nname = "tool"\\n' > "$CNB_LAYERS_DIR/build.toml"`;
  const buildpacks = [scene.buildpack({ id: "only", detect: both, build: unmet })];
  const { lines } = await scene.built({ buildpacks });
  expect(lines).toContain("tool was required, and no buildpack has met it");
});

test("unmet names an entry of the plan (build.toml)", async () => {
  scene = new BuildScene();
  const unmet = `printf '[[unmet]]\\nname = "other"\\n' > "$CNB_LAYERS_DIR/build.toml"`;
  const { built } = await scene.build({
    buildpacks: [scene.buildpack({ id: "bad", build: unmet })],
  });
  expect(built).toEqual({
    kind: "failed",
    phase: "building",
    why: 'bad: build.toml: unmet names "other", which its plan does not have',
  });
});
