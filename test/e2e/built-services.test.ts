/** Services that are built, and built again beside the process that runs: what a person who edits files sees. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { endNow } from "../support/daemon-place.ts";
import { eventually } from "../support/eventually.ts";
import { type ProjectPlace, projectPlace } from "../support/project-place.ts";
import { writeShellBuildpack } from "../support/shell-buildpack.ts";

/** Checks what it bundles; waits for as long as a test holds it. */
const script = `const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
fs.appendFileSync(process.env.BUILDS, "begun\\n");
while (fs.existsSync(process.env.HOLD)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
execFileSync(process.execPath, ["--check", "src/answer.js"], { stdio: "inherit" });
fs.mkdirSync("dist", { recursive: true });
for (const name of ["answer.js", "server.js"]) fs.copyFileSync("src/" + name, "dist/" + name);
fs.writeFileSync("dist/built-at", String(Date.now()));
fs.appendFileSync(process.env.BUILDS, "built\\n");
`;

const server = `const answer = require("./answer.js");
require("node:http").createServer((_, out) => out.end(answer)).listen(process.env.PORT, "127.0.0.1");
`;

/** Names of its own: services of one name get one port of two daemons, of which the other one's may be at work. */
const suffix = crypto.randomUUID().slice(0, 8);
const shop = `shop-${suffix}`;
const web = `${shop}:web`;

let place: ProjectPlace;
let directory: string;
let hold: string;
let builds: string;

beforeAll(async () => {
  place = await projectPlace();
  hold = join(place.daemon.directory, "hold");
  builds = join(place.daemon.directory, "builds.txt");
  directory = await place.project(
    shop,
    `[services.web]
build = "node build.js"
command = "exec node dist/server.js"
watch = ["."]
env = { HOLD = "${hold}", BUILDS = "${builds}" }
`,
  );
  await mkdir(join(directory, "src"));
  await place.write(join(directory, "build.js"), script);
  await place.write(join(directory, "src/server.js"), server);
  await answerWith("'one'");
}, 60_000);

afterAll(async () => {
  rmSync(hold, { force: true });
  await place[Symbol.asyncDispose]();
}, 60_000);

/** In one step, as editors save: a file that is emptied first may be told of twice. */
async function save(path: string, text: string): Promise<void> {
  const made = join(place.daemon.directory, "saved");
  await place.write(made, text);
  await rename(made, path);
}

async function answerWith(value: string): Promise<void> {
  await save(join(directory, "src/answer.js"), `module.exports = ${value};\n`);
}

async function answer(name = `web.${shop}`): Promise<string> {
  const { port } = await place.daemon.running();
  const its = await fetch(`http://127.0.0.1:${port}/`, { headers: { host: `${name}.localhost` } });
  return `${its.status} ${await its.text()}`;
}

/** Resolves when it does. @throws with what there is in the place of that. */
async function answers(word: string): Promise<void> {
  let last = "";
  const isThere = async (): Promise<boolean> => {
    last = await answer();
    return last === `200 ${word}`;
  };
  await eventually(`the answer is ${word}`, isThere, 30_000).catch(async (error: Error) => {
    const row = JSON.stringify(await place.row(web));
    const log = (await place.logs(web)).slice(-20).join("\n");
    throw new Error(`${error.message}: ${last}\n${row}\n${log}`);
  });
}

/** How many have begun, and how many have succeeded. */
function counts(): { begun: number; built: number } {
  const lines = existsSync(builds) ? readFileSync(builds, "utf8").trim().split("\n") : [];
  const count = (word: string): number => lines.filter((its) => its === word).length;
  return { begun: count("begun"), built: count("built") };
}

/** Resolves when nothing is built, and nothing waits to be. */
async function settled(): Promise<void> {
  await place.until(web, ({ state, says }) => state === "ready" && says === null);
}

/** Processes that the build command of this test has started. */
function building(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const isNode = readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("build.js");
        return isNode && readFileSync(`/proc/${pid}/environ`, "latin1").includes(hold);
      } catch {
        // Ended meanwhile, or another user's.
        return false;
      }
    });
}

test("a service is built before it starts, and the log has both in order", async () => {
  await place.up(directory);
  await settled();
  expect(await answer()).toBe("200 one");
  // A file that is another one after each build is the last one to be known as the build's own.
  await eventually("the build's own files are known", async () => {
    return (await place.logs(web)).join("\n").includes("dist/built-at changes with every build");
  });
  await settled();
  expect(counts().built).toBeGreaterThan(0);
}, 60_000);

test("an edit is built while the old answers go on, no request fails, and what the build writes begins no other", async () => {
  const { pid } = await place.row(web);
  const before = counts();
  await place.write(hold, "");
  await answerWith("'two'");
  await place.until(web, ({ says }) => says?.startsWith("builds again") === true);
  expect(await place.row(web)).toMatchObject({ state: "ready", pid });
  const seen: string[] = [];
  let longest = 0;
  let isOver = false;
  const asked = (async () => {
    while (!isOver) {
      const begin = performance.now();
      seen.push(await answer());
      longest = Math.max(longest, performance.now() - begin);
    }
  })();
  await eventually("the old answers go on", () => seen.length > 5);
  expect(new Set(seen)).toEqual(new Set(["200 one"]));
  rmSync(hold);
  await eventually("the new answer is there", () => seen.at(-1) === "200 two", 30_000);
  isOver = true;
  await asked;
  expect(new Set(seen)).toEqual(new Set(["200 one", "200 two"]));
  expect(seen.slice(seen.indexOf("200 two"))).not.toContain("200 one");
  await settled();
  const after = await place.row(web);
  expect(after.pid).not.toBe(pid);
  for (const word of ["three", "four"]) {
    await answerWith(`'${word}'`);
    await answers(word);
    await settled();
  }
  expect(counts()).toEqual({ begun: before.begun + 3, built: before.built + 3 });
  expect(longest).toBeLessThan(20_000);
}, 120_000);

test("an edit that breaks the build leaves the old answers, and is told everywhere; mended, it makes way", async () => {
  const { pid } = await place.row(web);
  await answerWith("'broken");
  const row = await place.until(web, ({ warnings }) => warnings.length > 0);
  expect(row).toMatchObject({ state: "ready", pid });
  expect(row.warnings).toEqual([
    `its last build failed (exit code 1): node build.js; it runs what was built before; localhostess logs ${web}`,
  ]);
  expect(row.message).toContain("its last build failed");
  expect(await answer()).toBe("200 four");
  expect((await place.logs(web)).join("\n")).toContain("SyntaxError");
  for (const words of [
    ["status", web],
    ["why", web],
  ]) {
    const said = await place.daemon.run(...words);
    expect([words[0], `${said.out}${said.err}`.replace(/\s+/g, " ")]).toEqual([
      words[0]!,
      expect.stringContaining("its last build failed (exit code 1)"),
    ]);
  }
  // Asked for once more, it is built again, and says the same.
  const lines = await place.up(directory);
  expect(JSON.stringify(lines)).toContain("its last build failed");
  await answerWith("'mended'");
  await answers("mended");
  await settled();
  expect((await place.row(web)).warnings).toEqual([]);
}, 120_000);

test("a daemon that is replaced while a service is built loses neither the process nor the edit", async () => {
  const { pid } = await place.row(web);
  await place.write(hold, "");
  await answerWith("'five'");
  await eventually("it builds", () => building().length > 0);
  const former = building();
  const restarted = await place.daemon.run("server", "restart");
  expect(restarted.code).toBe(0);
  expect(await place.row(web)).toMatchObject({ state: "ready", pid });
  expect(await answer()).toBe("200 mended");
  await eventually("the next daemon builds", () => building().some((its) => !former.includes(its)));
  expect(building().filter((its) => former.includes(its))).toEqual([]);
  rmSync(hold);
  await answers("five");
  await settled();
}, 120_000);

test("after a daemon that is killed while a service is built, the next one ends that build and starts what is edited", async () => {
  await place.write(hold, "");
  await answerWith("'six'");
  await eventually("it builds", () => building().length > 0);
  const former = building();
  for (const pid of place.daemon.pids()) endNow(pid);
  rmSync(hold);
  await place.daemon.start();
  await answers("six");
  await eventually("the former build has ended", () => {
    const now = building();
    return !former.some((its) => now.includes(its));
  });
  await settled();
  await place.send({ Stop: { project_path: directory } });
  expect(building()).toEqual([]);
}, 120_000);

/** A buildpack whose n-th build waits while there is a file `hold-<n>`, and fails where the page is broken. */
async function pack(folder: string, notes: string): Promise<void> {
  await writeShellBuildpack(folder, {
    id: "test/pack",
    detect: "exit 0",
    build: `echo begun >> ${notes}/begun
number=$(wc -l < ${notes}/begun)
while [ -e ${notes}/hold-$number ]; do sleep 0.05; done
if grep -q broken page.txt; then echo "the page is broken"; exit 3; fi
printf '[[processes]]\ntype = "web"\ncommand = ["node", "server.js"]\ndefault = true\n' > "$CNB_LAYERS_DIR/launch.toml"`,
  });
}

test("a process out of buildpacks keeps its files however often it is built beside it, and makes way for the last", async () => {
  const notes = join(place.daemon.directory, "packs");
  await mkdir(notes);
  const name = `packs-${suffix}`;
  const id = `${name}:web`;
  const packs = await place.project(
    name,
    '[services.web]\nbuild = { buildpacks = ["./pack"] }\nwatch = ["page.txt"]\n',
  );
  await pack(join(packs, "pack"), notes);
  await place.write(
    join(packs, "server.js"),
    `const read = () => require("node:fs").readFileSync("page.txt", "utf8");
require("node:http").createServer((_, out) => out.end(read())).listen(process.env.PORT, "127.0.0.1");
`,
  );
  const page = (text: string) => save(join(packs, "page.txt"), text);
  const begun = () => readFileSync(join(notes, "begun"), "utf8").trim().split("\n").length;
  const shown = () => answer(`web.${name}`);
  await page("one");
  await place.up(packs);
  expect(await shown()).toBe("200 one");
  for (const number of [2, 3]) await place.write(join(notes, `hold-${number}`), "");
  await page("two");
  await eventually("it builds", () => begun() === 2);
  await page("three");
  await place.until(id, ({ says }) => says?.startsWith("builds again") === true);
  rmSync(join(notes, "hold-2"));
  await eventually("it builds once more", () => begun() === 3);
  // The process makes way for the second page where the second build ended before the edit was told of.
  expect(["200 one", "200 two"]).toContain(await shown());
  rmSync(join(notes, "hold-3"));
  await eventually("the last page is there", async () => (await shown()) === "200 three", 30_000);
  await page("broken");
  const row = await place.until(id, ({ warnings }) => warnings.length > 0);
  expect(row.warnings[0]).toContain("its last build failed");
  expect(await shown()).toBe("200 three");
  await page("mended");
  await eventually("it is mended", async () => (await shown()) === "200 mended", 30_000);
  await place.send({ Stop: { project_path: packs } });
}, 120_000);

test("instances share one build, also without inputs, and all of them make way for it", async () => {
  const notes = join(place.daemon.directory, "many-built");
  const name = `many-${suffix}`;
  const many = await place.project(
    name,
    `[services.web]
instances = 2
build = "cp page.txt shown.txt; echo built >> ${notes}"
command = "exec node server.js"
watch = ["page.txt"]
`,
  );
  await place.write(join(many, "page.txt"), "one");
  await place.write(
    join(many, "server.js"),
    `const text = require("node:fs").readFileSync("shown.txt", "utf8");
require("node:http").createServer((_, out) => out.end(text)).listen(process.env.PORT, "127.0.0.1");
`,
  );
  const built = () => readFileSync(notes, "utf8").trim().split("\n").length;
  const both = [`${name}:web-1`, `${name}:web-2`];
  await place.up(many);
  for (const id of both) await place.until(id, ({ state }) => state === "ready");
  const before = built();
  const pids = await Promise.all(both.map(async (id) => (await place.row(id)).pid));
  await save(join(many, "page.txt"), "two");
  for (const [at, id] of both.entries()) {
    await place.until(id, ({ state, pid, says }) => {
      return state === "ready" && pid !== pids[at] && says === null;
    });
  }
  expect(await Promise.all([1, 2, 3, 4].map(() => answer(`web.${name}`)))).toEqual(
    Array.from({ length: 4 }, () => "200 two"),
  );
  expect(built()).toBe(before + 1);
  await place.send({ Stop: { project_path: many } });
}, 120_000);
