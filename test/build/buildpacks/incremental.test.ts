/** What is built again, and what not; and the app as buildpacks get it. */
import { afterEach, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { BuildScene, saidBy } from "../../support/build-scene.ts";

let scene: BuildScene;
afterEach(() => scene?.end());

describe("what is built again", () => {
  const quiet = { id: "quiet", build: 'echo "ran"' };

  test("nothing, where nothing has changed", async () => {
    scene = new BuildScene();
    const buildpacks = [scene.buildpack(quiet)];
    const first = await scene.built({ buildpacks });
    expect(first.ran).toBe(true);
    const second = await scene.built({ buildpacks });
    expect([second.ran, second.lines, second.phases]).toEqual([false, [], ["analyzing"]]);
    expect(second.launchable).toEqual(first.launchable);
  });

  test("nothing, where variables stand in another order", async () => {
    scene = new BuildScene();
    const buildpacks = [scene.buildpack(quiet)];
    await scene.built({ buildpacks, variables: { ONE: "1", TWO: "2" } });
    const { ran } = await scene.built({ buildpacks, variables: { TWO: "2", ONE: "1" } });
    expect(ran).toBe(false);
  });

  test("nothing, where a file has another date and the same content", async () => {
    scene = new BuildScene();
    const buildpacks = [scene.buildpack(quiet)];
    await scene.built({ buildpacks });
    utimesSync(join(scene.app, "app.txt"), 1, 1);
    expect((await scene.built({ buildpacks })).ran).toBe(false);
  });

  const changes: Record<string, () => { variables?: Record<string, string> } | undefined> = {
    "the content of a file": () => void scene.write({ "app.txt": "two" }),
    "a file of the same size": () => void scene.write({ "app.txt": "eno" }),
    "a new file": () => void scene.write({ "other.txt": "" }),
    "a file that is gone": () => void rmSync(join(scene.app, "app.txt")),
    "the mode of a file": () => void chmodSync(join(scene.app, "app.txt"), 0o755),
    "an empty folder": () => void mkdirSync(join(scene.app, "empty")),
    "a link": () => void symlinkSync("app.txt", join(scene.app, "link")),
    "a variable": () => ({ variables: { BP_VERSION: "2" } }),
    "the buildpack": () =>
      void appendFileSync(join(scene.root, "buildpacks/quiet/bin/build"), "echo more\n"),
    "project.toml": () => {
      scene.write({
        "project.toml": `[_]\nschema-version = "0.2"\n[[io.buildpacks.build.env]]\nname = "A"\nvalue = "b"\n`,
      });
      return undefined;
    },
  };
  for (const [what, change] of Object.entries(changes)) {
    test(`everything, where this has changed: ${what}`, async () => {
      scene = new BuildScene();
      const buildpacks = [scene.buildpack(quiet)];
      await scene.built({ buildpacks });
      const more = change();
      expect((await scene.built({ buildpacks, ...more })).ran).toBe(true);
      expect((await scene.built({ buildpacks, ...more })).ran).toBe(false);
    });
  }

  test("nothing, where the change is in what project.toml leaves out", async () => {
    scene = new BuildScene({
      "project.toml": `[_]\nschema-version = "0.2"\n[io.buildpacks]\nexclude = ["logs/"]\n`,
      "app.txt": "one",
      "logs/today": "",
      ".git/HEAD": "ref: refs/heads/main",
      "node_modules/left-pad/index.js": "",
    });
    const buildpacks = [scene.buildpack({ id: "list", build: "find . -type f | sort" })];
    const first = await scene.built({ buildpacks });
    expect(saidBy("list", first.lines)).toEqual(["./app.txt", "./project.toml"]);
    scene.write({ "logs/today": "a line", ".git/HEAD": "ref: refs/heads/other" });
    expect((await scene.built({ buildpacks })).ran).toBe(false);
  });

  test("an app of hundreds of files is looked at in well under a second", async () => {
    scene = new BuildScene();
    for (let folder = 0; folder < 20; folder++) {
      const path = join(scene.app, `folder-${folder}`);
      mkdirSync(path);
      for (let file = 0; file < 25; file++) writeFileSync(join(path, `${file}.js`), `${file}`);
    }
    const buildpacks = [scene.buildpack(quiet)];
    await scene.built({ buildpacks });
    // Files that were just written are read once more.
    await scene.built({ buildpacks });
    const begun = performance.now();
    expect((await scene.built({ buildpacks })).ran).toBe(false);
    expect(performance.now() - begun).toBeLessThan(900);
  }, 30_000);
});

describe("the app that buildpacks get", () => {
  test("is there: a folder that is missing, or a file, is told as such", async () => {
    scene = new BuildScene();
    const buildpacks = [scene.buildpack({ id: "any", build: "" })];
    rmSync(scene.app, { recursive: true });
    const why = async () => ((await scene.build({ buildpacks })).built as { why: string }).why;
    expect(await why()).toBe(`there is no folder ${scene.app} to build from`);
    writeFileSync(scene.app, "");
    expect(await why()).toBe(`${scene.app} is no folder; context names the folder of the app`);
  });

  test("has nothing of our own folders, whatever path leads to them", async () => {
    scene = new BuildScene({ "app.txt": "one", "state/builds/shop/api/a/app/x": "" });
    symlinkSync(join(scene.app, "state"), join(scene.root, "state"));
    const buildpacks = [scene.buildpack({ id: "list", build: "ls" })];
    const options = { buildpacks, without: [join(scene.root, "state"), "/none/such"] };
    const { lines } = await scene.built(options);
    expect(saidBy("list", lines)).toEqual(["app.txt"]);
    scene.write({ "state/logs/api": "a line" });
    expect((await scene.built(options)).ran).toBe(false);
  });

  test("comes with variables as files, but for names that lead out of their folder", async () => {
    scene = new BuildScene();
    const build = `cd "$CNB_PLATFORM_DIR/.."; ls -A platform platform/env`;
    const { lines } = await scene.built({
      buildpacks: [scene.buildpack({ id: "list", build })],
      variables: { A: "1", "../outside": "2", "..": "3", "a.b": "4" },
    });
    const listed = ["platform:", "env", "", "platform/env:", "A", "a.b"];
    expect(saidBy("list", lines)).toEqual(listed);
  });

  const list = { id: "list", build: "ls -la" };

  test("has links as they are, modes and dates; sockets and pipes are left out", async () => {
    scene = new BuildScene({ "app.txt": "one", "sub/deep/x": "" });
    chmodSync(join(scene.app, "app.txt"), 0o751);
    utimesSync(join(scene.app, "app.txt"), 1_000_000, 1_000_000);
    symlinkSync("/nowhere/at/all", join(scene.app, "dangling"));
    symlinkSync("..", join(scene.app, "sub/up"));
    chmodSync(join(scene.app, "sub/deep"), 0o555);
    Bun.spawnSync(["mkfifo", join(scene.app, "pipe")]);
    const server = createServer().listen(join(scene.app, "socket"));
    await new Promise((resolve) => server.once("listening", resolve));
    try {
      await scene.built({ buildpacks: [scene.buildpack(list)] });
    } finally {
      server.close();
      chmodSync(join(scene.app, "sub/deep"), 0o755);
    }
    const at = join(scene.place, "at/app");
    expect(readdirSync(at).sort()).toEqual(["app.txt", "dangling", "sub"]);
    expect(lstatSync(join(at, "app.txt")).mode & 0o777).toBe(0o751);
    expect(lstatSync(join(at, "app.txt")).mtimeMs).toBe(1_000_000_000);
    expect(readlinkSync(join(at, "dangling"))).toBe("/nowhere/at/all");
    expect(readlinkSync(join(at, "sub/up"))).toBe("..");
    // Buildpacks may write to each folder.
    expect(lstatSync(join(at, "sub/deep")).mode & 0o777).toBe(0o755);
  });

  test("is a copy: what a buildpack writes there is not in the project", async () => {
    scene = new BuildScene();
    const buildpacks = [scene.buildpack({ id: "writes", build: "echo x > made; rm app.txt" })];
    await scene.built({ buildpacks });
    expect(readdirSync(scene.app)).toEqual(["app.txt"]);
    expect(readdirSync(join(scene.place, "at/app"))).toEqual(["made"]);
    expect((await scene.built({ buildpacks })).ran).toBe(false);
  });

  /** Calls it at each turn of the event loop, until it says that it is done. */
  async function atEachTurn(step: () => boolean): Promise<void> {
    while (!step()) await new Promise((resolve) => setImmediate(resolve));
  }

  const names = Array.from({ length: 50 }, (_, index) => `file-${index + 10}`);

  test("is of one moment: where a file is written meanwhile, it is copied again", async () => {
    scene = new BuildScene(Object.fromEntries(names.map((name) => [name, "one"])));
    const buildpacks = [scene.buildpack({ id: "shows", build: "cat file-* | sort | uniq -c" })];
    const changed = atEachTurn(() => {
      if (!existsSync(join(scene.place, "a/app/file-12"))) return false;
      for (const name of names.slice(0, 10)) scene.write({ [name]: "one\n" });
      rmSync(join(scene.app, names[20]!));
      return true;
    });
    const { lines } = await scene.built({ buildpacks });
    await changed;
    for (const name of names) {
      const copy = join(scene.place, "at/app", name);
      expect(existsSync(copy)).toBe(name !== names[20]);
      if (name === names[20]) continue;
      expect(readFileSync(copy, "utf8")).toBe(readFileSync(join(scene.app, name), "utf8"));
    }
    expect(lines).toContain("49 files of the app, 157 B");
    expect((await scene.built({ buildpacks })).ran).toBe(false);
  });

  test("is taken as it is where it never stands still, and the next build is made anew", async () => {
    scene = new BuildScene(Object.fromEntries(names.map((name) => [name, "one"])));
    const buildpacks = [scene.buildpack({ id: "quiet", build: "true" })];
    let isCopied = false;
    const writing = atEachTurn(() => {
      appendFileSync(join(scene.app, "file-10"), "more");
      return isCopied;
    });
    const { lines } = await scene.built({
      buildpacks,
      onPhase: (phase) => {
        isCopied ||= phase === "detecting";
      },
    });
    await writing;
    expect(lines).toContain(
      "files of the app change while they are copied; it is built as it is, and anew by the next build",
    );
    expect((await scene.built({ buildpacks })).ran).toBe(true);
    expect((await scene.built({ buildpacks })).ran).toBe(false);
  });

  test.skipIf(process.platform !== "linux")(
    "is refused where the name of a file is not UTF-8, unless it is left out",
    async () => {
      scene = new BuildScene();
      const path = Buffer.concat([Buffer.from(`${scene.app}/caf`), Buffer.from([0xe9])]);
      writeFileSync(path, "x");
      const buildpacks = [scene.buildpack(list)];
      const { built } = await scene.build({ buildpacks });
      expect(built.kind === "failed" && built.why).toStartWith(
        `${scene.app} has a file whose name is not UTF-8, caf`,
      );
      scene.write({
        "project.toml": `[_]\nschema-version = "0.2"\n[io.buildpacks]\nexclude = ["caf*"]\n`,
      });
      expect((await scene.built({ buildpacks })).ran).toBe(true);
    },
  );

  test.skipIf(process.getuid?.() === 0)(
    "is refused with the file that cannot be read",
    async () => {
      scene = new BuildScene({ secret: "x" });
      chmodSync(join(scene.app, "secret"), 0o000);
      const { built } = await scene.build({ buildpacks: [scene.buildpack(list)] });
      expect(built.kind === "failed" && built.why).toContain("secret cannot be read (EACCES)");
    },
  );
});

describe("layers", () => {
  test("a changed lock file makes the one layer again whose buildpack asks for it by metadata", async () => {
    scene = new BuildScene({ lock: "1", "app.txt": "one" });
    const layer = (name: string, key: string) => `
      toml="$CNB_LAYERS_DIR/${name}.toml"
      if [ -e "$toml" ] && grep -q "key = \\"${key}\\"" "$toml"; then echo "${name}: used again"
      else rm -rf "$CNB_LAYERS_DIR/${name}"; mkdir "$CNB_LAYERS_DIR/${name}"; echo "${name}: made"; fi
      printf '[types]\\ncache = true\\nlaunch = true\\n[metadata]\\nkey = "%s"\\n' "${key}" > "$toml"`;
    const build = `${layer("runtime", "20")}\n${layer("modules", "$(cksum < lock)")}`;
    const buildpacks = [scene.buildpack({ id: "two", build })];
    const said = async () => saidBy("two", (await scene.built({ buildpacks })).lines);
    expect(await said()).toEqual(["runtime: made", "modules: made"]);
    scene.write({ "app.txt": "two" });
    expect(await said()).toEqual(["runtime: used again", "modules: used again"]);
    scene.write({ lock: "2" });
    expect(await said()).toEqual(["runtime: used again", "modules: made"]);
  });

  test("a cached layer comes back with links, dates and read-only folders, and is removed with them", async () => {
    scene = new BuildScene();
    const build = `
      its="$CNB_LAYERS_DIR/its"
      if [ ! -e "$its" ]; then
        mkdir -p "$its/read/only"; echo x > "$its/read/only/file"; ln -s "$its/read" "$its/link"
        touch -t 200001010000 "$its/read/only/file"; chmod -R a-w "$its/read"
      fi
      printf '[types]\\ncache = true\\n' > "$its.toml"`;
    const buildpacks = [scene.buildpack({ id: "go", build })];
    for (const text of ["one", "two", "three"]) {
      scene.write({ "app.txt": text });
      await scene.built({ buildpacks });
    }
    const its = join(scene.place, "at/layers/go/its");
    expect(readlinkSync(join(its, "link"))).toBe("read");
    expect(lstatSync(join(its, "read/only/file")).mtime).toEqual(new Date(2000, 0, 1));
    expect(lstatSync(join(its, "read/only")).mode & 0o222).toBe(0);
    expect(readFileSync(join(its, "read/only/file"), "utf8")).toBe("x\n");
    chmodSync(join(its, "read"), 0o755);
    for (const one of ["a", "b"]) {
      Bun.spawnSync(["chmod", "-R", "u+w", join(scene.place, one)]);
    }
  });

  test("a place that was moved is built anew, since layers hold its path", async () => {
    scene = new BuildScene();
    const buildpacks = [scene.buildpack({ id: "quiet", build: "true" })];
    await scene.built({ buildpacks });
    Bun.spawnSync(["mv", scene.place, `${scene.place}-moved`]);
    expect(existsSync(`${scene.place}-moved/at/built.json`)).toBe(true);
    Object.defineProperty(scene, "place", { value: `${scene.place}-moved` });
    expect((await scene.built({ buildpacks })).ran).toBe(true);
  });
});
