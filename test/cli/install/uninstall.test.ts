/** `uninstall`, with the real program, in a home and a root of its own: what it lists, takes away, and leaves. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, lstatSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { storesFolder } from "../../../src/stores/folders.ts";
import { BuildPlaces } from "../../../src/stores/build-places.ts";
import { Owners } from "../../../src/stores/owners.ts";
import { temporarySystem, type TemporarySystem } from "../temporary-system.ts";

setDefaultTimeout(60_000);

const standardPorts = { LOCALHOSTESS_HTTP_PORT: "off", LOCALHOSTESS_HTTPS_PORT: "off" };

type System = TemporarySystem & { all: string };

/** Without this machine's own places. */
async function system(): Promise<System> {
  const its = await temporarySystem();
  const all = dirname(its.home);
  const runtime = join(all, "run");
  await mkdir(runtime, { mode: 0o700 });
  Object.assign(its.env, standardPorts, { XDG_RUNTIME_DIR: runtime, XDG_CACHE_HOME: undefined });
  its.env.LOCALHOSTESS_CONFIG = undefined;
  return { ...its, all };
}

/** Every path with what it is: a later look shows what has come, gone or changed. */
function snapshot(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true }) as string[];
  return names.sort().map((name) => {
    const path = join(folder, name);
    const { mode } = lstatSync(path);
    const form = mode.toString(8);
    if (lstatSync(path).isSymbolicLink()) return `${form} ${name} -> ${readlinkSync(path)}`;
    return lstatSync(path).isFile()
      ? `${form} ${name} ${readFileSync(path, "utf8")}`
      : `${form} ${name}`;
  });
}

const line = 'eval "$(localhostess completion bash)"\n';

test("all is listed, then taken away, and the files are as before; a second time there is nothing", async () => {
  await using its = await system();
  const shell = join(its.home, ".bashrc");
  await writeFile(shell, "alias l=ls\n");
  const before = snapshot(its.all);

  await writeFile(shell, `alias l=ls\n${line}`);
  await mkdir(join(its.home, ".config/localhostess"), { recursive: true });
  const config = join(its.home, ".config/localhostess/config.toml");
  await writeFile(config, "infer = false\n");
  await mkdir(join(its.home, ".cache/localhostess/postgres"), { recursive: true });
  await writeFile(join(its.home, ".cache/localhostess/postgres/x"), "x");
  expect((await its.run(["trust"])).code).toBe(0);
  const { env } = its;
  expect((await started(its)).code).toBe(0);
  const { pid } = JSON.parse(readFileSync(join(its.stateDirectory, "registration.json"), "utf8"));
  // Neither stands in the way of whoever wants all of it gone.
  await writeFile(config, "infer = [\n");
  await mkdir(join(its.stateDirectory, "sandboxes"), { mode: 0o700 });
  await writeFile(join(its.stateDirectory, "sandboxes/.DS_Store"), "");
  const installed = snapshot(its.all);

  const listed = await its.run(["uninstall", "--dry-run"], { env });
  expect(listed).toMatchObject({ code: 0 });
  expect(listed.out).toContain(`the daemon (pid ${pid})\n`);
  expect(listed.out).toContain(
    "the certificate authority\n    in the trust store: system (/usr/local/",
  );
  expect(listed.out).toContain(`1 line in start-up files of shells\n    ~/.bashrc: ${line}`);
  for (const folder of ["~/.config/localhostess", "~/.cache/localhostess", its.stateDirectory]) {
    expect(listed.out).toContain(`    ${folder}\n`);
  }
  // The clone that this test is in, or a copy of its files.
  expect(listed.err).toMatch(/the program (?:is in the clone|was not installed by) /);
  expect(snapshot(its.all)).toEqual(installed);

  const unasked = await its.run(["uninstall"], { env });
  expect(unasked).toMatchObject({ code: 2 });
  expect(unasked.err).toContain("nothing was removed, as nobody can be asked here");

  const removed = await its.run(["uninstall", "--yes"], { env });
  expect(removed).toMatchObject({ code: 0 });
  expect(() => process.kill(pid, 0)).toThrow();
  expect(await its.bundle()).toBe("");
  expect(snapshot(its.all)).toEqual(before);

  const again = await its.run(["uninstall", "--yes"], { env });
  expect(again).toMatchObject({ code: 0, out: "nothing to remove\n" });
});

function started(its: System) {
  // `--root` is no option of this verb.
  const { env } = its;
  return import("../cli.ts").then(({ cli }) =>
    cli(["server", "start", "--detach", "--port", "0"], { env }),
  );
}

test("databases are named as what cannot be made again, and stay with --keep-data", async () => {
  await using its = await system();
  // Root's own would be elsewhere.
  its.env.LOCALHOSTESS_STORES_DIR = join(its.stateDirectory, "stores");
  const stores = storesFolder(its.stateDirectory, { env: its.env, platform: "linux", uid: 0 });
  const project = join(its.home, "shop");
  await mkdir(project);
  await mkdir(its.stateDirectory, { recursive: true, mode: 0o700 });
  const owner = new Owners(stores).of({ directory: project, project: "shop" });
  await mkdir(join(owner.folder, "db/postgres-17/data"), { recursive: true });
  await writeFile(join(owner.folder, "db/postgres-17/data/PG_VERSION"), "17\n");
  await writeFile(join(its.stateDirectory, "credential"), "x");
  // A build is made again, and may have read-only folders in it.
  const builds = new BuildPlaces(its.stateDirectory);
  const place = builds.of({ directory: project, project: "shop", service: "web" });
  await mkdir(join(place, "a/layers/go"), { recursive: true });
  await chmod(join(place, "a/layers"), 0o555);
  const listed = await its.run(["uninstall", "--dry-run", "--json"]);
  const { pieces } = JSON.parse(listed.out);
  expect(pieces).toEqual([
    {
      ...{ piece: "state", what: expect.stringMatching(/^state \(.*\)$/), data: true },
      ...{ details: [its.stateDirectory, `db of shop, in ${owner.folder}`], removed: false },
    },
  ]);
  const kept = await its.run(["uninstall", "--yes", "--keep-data"]);
  expect(kept).toMatchObject({ code: 0 });
  expect(kept.err).toContain(`db of shop, in ${owner.folder} stays`);
  expect(readdirSync(its.stateDirectory)).toEqual(["stores"]);
  expect(existsSync(join(owner.folder, "db/postgres-17/data/PG_VERSION"))).toBe(true);
  expect((await its.run(["uninstall", "--yes"])).code).toBe(0);
  expect(existsSync(its.stateDirectory)).toBe(false);
});

test("a state directory that was somebody's folder before stays, and so does all in it", async () => {
  await using its = await system();
  await mkdir(its.stateDirectory, { recursive: true, mode: 0o700 });
  await writeFile(join(its.stateDirectory, "thesis.tex"), "x");
  const { code, err } = await its.run(["uninstall", "--yes"]);
  expect(code).toBe(0);
  expect(err).toContain(`${its.stateDirectory} stays, as it has in it what is not of localhostess`);
  expect(readdirSync(its.stateDirectory)).toContain("thesis.tex");
});

test("a piece that cannot be taken away ends it, with what is still there and what to do", async () => {
  await using its = await system();
  // A folder in the place of a file that would be written.
  const shell = join(its.home, ".bashrc");
  await writeFile(shell, line);
  await mkdir(join(its.home, ".cache/localhostess"), { recursive: true });
  const { removeAll } = await import("../../../src/cli/install/uninstall.ts");
  const said: string[] = [];
  const world = { err: { write: (text: string) => said.push(text), colors: { dim: String } } };
  const piece = (what: string, remove: () => Promise<void>) => ({
    ...{ id: "cache" as const, what, details: [], isData: false, remove },
  });
  const pieces = [
    piece("one", async () => {}),
    piece("two", () => Promise.reject(new Error("it is in use"))),
    piece("three", async () => void said.push("three was removed")),
  ];
  expect(removeAll(pieces, world as never)).rejects.toThrow(
    "two: it is in use; still there: two, three; once that is mended: localhostess uninstall",
  );
  expect(said).toEqual(["removed: one\n"]);
});

test("a sandbox has no installation of its own", async () => {
  await using its = await system();
  const { code, err } = await its.run(["--sandbox", "try", "uninstall", "--dry-run"]);
  expect(code).toBe(2);
  expect(err).toContain("sandboxes are taken away with everything else");
});
