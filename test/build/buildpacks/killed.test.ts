/** Builds that are ended at any moment: the last good one is as it was, and the next one succeeds. */
import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, lstatSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lastBuilt } from "../../../src/build/buildpacks/launch.ts";
import { startedWith } from "../../../src/system/started-with.ts";
import { BuildScene, printed, saidBy } from "../../support/build-scene.ts";
import { ended } from "../../support/ended.ts";
import { eventually } from "../../support/eventually.ts";
import { byMount, canMount, smallDisk } from "../../support/small-disk.ts";

let scene: BuildScene;
afterEach(() => scene?.end());

/** Ends the program that has started it, where the test says so, and stays behind as an orphan until the test ends. */
const deadly = (name: string) => `
  if [ -e ${name} ]; then kill -KILL $PPID; exec 2> /dev/null
    while [ -d "$CNB_BUILDPACK_DIR" ]; do sleep 0.01; { echo x >> "$CNB_PLATFORM_DIR/written"; } || :; done; fi`;

function buildpack(): string {
  return scene.buildpack({
    id: "its",
    detect: deadly("in-detect"),
    build: `
      its="$CNB_LAYERS_DIR/its"; mkdir -p "$its"; cat app.txt > "$its/text"; echo "text \${FOUND:-}"
      ${deadly("in-build")}
      [ ! -e hangs ] || { echo hangs; exec sleep 1000; }
      printf '[types]\\nlaunch = true\\ncache = true\\n' > "$its.toml"
      printf '[[processes]]\\ntype = "web"\\ncommand = ["cat", "%s/text"]\\n' "$its" > "$CNB_LAYERS_DIR/launch.toml"`,
  });
}

/** Everything in a generation, by inode and date. */
function snapshot(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .sort()
    .map((path) => {
      const { ino, mtimeMs, size } = lstatSync(join(folder, path));
      return `${path} ${ino} ${mtimeMs} ${size}`;
    });
}

async function killed(moment: string, folder: string): Promise<void> {
  const program = join(import.meta.dir, "../../support/build-and-die.ts");
  const { out, err } = await ended([process.execPath, program, scene.root, moment, folder], {
    env: { PATH: process.env.PATH },
    cwd: "/",
  });
  // One that was not killed says how it went.
  expect({ out, err }).toEqual({ out: "", err: "" });
}

const orphans = () => startedWith({ variable: "CNB_PLATFORM_DIR", begins: `${scene.place}/` });

describe("a build that is killed", () => {
  const moments: Record<string, { moment: string; file?: string }> = {
    "as it begins": { moment: "phase analyzing" },
    "when the app is copied": { moment: "of the app" },
    "before detection": { moment: "phase detecting" },
    "in bin/detect": { moment: "none", file: "in-detect" },
    "before layers are restored": { moment: "phase restoring" },
    "when a layer was restored": { moment: "from the cache" },
    "before bin/build": { moment: "phase building its" },
    "in bin/build": { moment: "none", file: "in-build" },
    "when bin/build has said something": { moment: "line [its] text" },
    "before it is exported": { moment: "phase exporting" },
  };
  for (const [when, { moment, file }] of Object.entries(moments)) {
    test.skipIf(process.platform !== "linux")(
      `${when}`,
      async () => {
        scene = new BuildScene();
        const folder = buildpack();
        const { launchable } = await scene.built({ buildpacks: [folder] });
        const good = join(scene.place, launchable.generation);
        const before = snapshot(good);
        scene.write({ "app.txt": "two", ...(file === undefined ? {} : { [file]: "" }) });
        await killed(moment, folder);
        expect(lastBuilt(scene.place)).toEqual(launchable);
        expect(snapshot(good)).toEqual(before);
        expect(await printed(await scene.launch(launchable))).toBe("one");
        if (file !== undefined) {
          // Its buildpack is still at work in the folder that the next build needs.
          expect(await orphans()).not.toEqual([]);
          Bun.spawnSync(["rm", join(scene.app, file)]);
        }
        const next = await scene.built({ buildpacks: [folder] });
        expect(next.ran).toBe(true);
        expect(await printed(await scene.launch(next.launchable))).toBe("two");
        expect(await orphans()).toEqual([]);
        expect(existsSync(join(scene.place, "at/platform"))).toBe(false);
      },
      30_000,
    );
  }

  test.skipIf(process.platform !== "linux")(
    "leaves none of its variables once the next one has nothing to do",
    async () => {
      scene = new BuildScene();
      const folder = buildpack();
      const { launchable } = await scene.built({ buildpacks: [folder] });
      scene.write({ "app.txt": "two" });
      await killed("phase building its", folder);
      const other = launchable.generation === "a" ? "b" : "a";
      expect(existsSync(join(scene.place, other, "platform"))).toBe(true);
      scene.write({ "app.txt": "one" });
      expect((await scene.built({ buildpacks: [folder] })).ran).toBe(false);
      expect(existsSync(join(scene.place, other))).toBe(false);
    },
    30_000,
  );

  test.skipIf(process.platform !== "linux")(
    "and was the first: there is none, and the next succeeds",
    async () => {
      scene = new BuildScene();
      const folder = buildpack();
      await killed("phase exporting", folder);
      expect(lastBuilt(scene.place)).toBeUndefined();
      const next = await scene.built({ buildpacks: [folder] });
      expect(await printed(await scene.launch(next.launchable))).toBe("one");
    },
    30_000,
  );
});

test("a build that is ended ends what it has started, and says so", async () => {
  scene = new BuildScene();
  const folder = buildpack();
  const { launchable } = await scene.built({ buildpacks: [folder] });
  scene.write({ hangs: "" });
  const stop = new AbortController();
  const { built } = await scene.build({
    buildpacks: [folder],
    signal: stop.signal,
    onLine: (line) => {
      if (line === "[its] hangs") stop.abort();
    },
  });
  expect(built).toEqual({ kind: "failed", phase: "building", why: "the build was ended" });
  await eventually("its processes are gone", async () => (await orphans()).length === 0);
  expect(lastBuilt(scene.place)).toEqual(launchable);
  expect(readdirSync(scene.place)).not.toContain(launchable.generation === "a" ? "b" : "a");
});

test.skipIf(!canMount)(
  `a disk that is full fails the build with that, and the last good one stays${byMount}`,
  async () => {
    scene = new BuildScene();
    const folder = buildpack();
    using disk = smallDisk("size=2m");
    Object.defineProperty(scene, "place", { value: join(disk.folder, "place") });
    const { launchable } = await scene.built({ buildpacks: [folder] });
    scene.write({ large: "x".repeat(3 * 1024 ** 2), "app.txt": "two" });
    const { built } = await scene.build({ buildpacks: [folder] });
    expect(built).toEqual({
      kind: "failed",
      phase: "analyzing",
      why: `there is no room left on the disk of ${scene.place}`,
    });
    expect(await printed(await scene.launch(launchable))).toBe("one");
    expect(lastBuilt(scene.place)).toEqual(launchable);
    scene.write({ large: "" });
    const next = await scene.built({ buildpacks: [folder] });
    expect(await printed(await scene.launch(next.launchable))).toBe("two");
  },
);

test("of two builds at a time the second waits, and has nothing left to do", async () => {
  scene = new BuildScene();
  const buildpacks = [
    scene.buildpack({ id: "slow", build: "while [ ! -e ../../../go ]; do :; done" }),
  ];
  const lines: string[] = [];
  let second: ReturnType<BuildScene["built"]> | undefined;
  const first = await scene.built({
    buildpacks,
    onPhase(phase, id) {
      if (phase !== "building" || id === undefined) return;
      second = scene.built({
        buildpacks,
        onLine(line) {
          lines.push(line);
          writeFileSync(join(scene.root, "go"), "");
        },
      });
    },
  });
  const { ran } = await second!;
  expect([first.ran, ran]).toEqual([true, false]);
  expect(lines).toEqual(["another build of it is under way; waiting for its end"]);
});

test("layers of a build that failed are not restored: the last good ones are", async () => {
  scene = new BuildScene();
  const build = `
    its="$CNB_LAYERS_DIR/its"; echo "found: $(cat "$its/text" 2>/dev/null || echo none)"
    mkdir -p "$its"; cat app.txt > "$its/text"; printf '[types]\\ncache = true\\n' > "$its.toml"
    ! grep -q bad app.txt`;
  const buildpacks = [scene.buildpack({ id: "its", build })];
  const found: string[][] = [];
  for (const text of ["one", "bad", "two"]) {
    scene.write({ "app.txt": text });
    found.push(saidBy("its", (await scene.build({ buildpacks })).lines));
  }
  expect(found).toEqual([["found: none"], ["found: one"], ["found: one"]]);
});
