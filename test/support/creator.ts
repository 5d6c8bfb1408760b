/**
 * A lifecycle of our own, compiled and put into the builder images of tests as /cnb/lifecycle/creator: as much of the
 * Platform API as shell buildpacks need, with the image made by the engine at the socket that it is given. It stays
 * root, and a file `hold` in the app with the name of a phase keeps it there for good.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";

type Flags = Record<string, string>;
type Table = Record<string, unknown>;

const isAlone = ["-daemon", "-skip-restore"];

function flagsIn(words: readonly string[]): { flags: Flags; image: string } {
  const flags: Flags = {};
  let at = 0;
  for (; words[at]?.startsWith("-"); at++) {
    const name = words[at]!;
    flags[name] = isAlone.includes(name) ? "true" : words[++at]!;
  }
  return { flags, image: words[at]! };
}

const { flags, image } = flagsIn(process.argv.slice(2));
const app = flags["-app"]!;
const layers = flags["-layers"]!;
const platform = flags["-platform"]!;
const cache = flags["-cache-dir"]!;
const buildpacks = "/cnb/buildpacks";
const unix = "/var/run/docker.sock";

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function fail(code: number, why: string): never {
  process.stderr.write(`ERROR: ${why}\n`);
  process.exit(code);
}

async function phase(name: string): Promise<void> {
  say(`===> ${name.toUpperCase()}`);
  const hold = join(app, "hold");
  if (!existsSync(hold) || readFileSync(hold, "utf8").trim() !== name) return;
  say(`held while ${name}`);
  for (;;) await Bun.sleep(60_000);
}

function toml(path: string): Table {
  return existsSync(path) ? parse(readFileSync(path, "utf8")) : {};
}

async function engine(method: string, path: string, body?: Uint8Array): Promise<string> {
  const headers = { "content-type": "application/x-tar" };
  const answer = await fetch(`http://engine${path}`, { method, unix, headers, body: body ?? null });
  const text = await answer.text();
  if (!answer.ok || text.includes('"errorDetail"')) fail(62, `${method} ${path}: ${text}`);
  return text;
}

type Buildpack = { id: string; version: string };

function folderOf({ id, version }: Buildpack): string {
  return join(buildpacks, id.replaceAll("/", "_"), version);
}

function run(its: Buildpack, program: "detect" | "build", words: readonly string[]): number {
  const env = Object.fromEntries(
    existsSync(join(platform, "env"))
      ? readdirSync(join(platform, "env")).map((name) => [
          name,
          readFileSync(join(platform, "env", name), "utf8"),
        ])
      : [],
  );
  const ran = Bun.spawnSync([join(folderOf(its), "bin", program), ...words], {
    ...{ cwd: app, stdout: "inherit", stderr: "inherit" },
    env: { PATH: "/bin", ...env, CNB_PLATFORM_DIR: platform, CNB_BUILDPACK_DIR: folderOf(its) },
  });
  return ran.exitCode;
}

function detected(): Buildpack[] {
  const path = flags["-order"] ?? "/cnb/order.toml";
  for (const { group } of toml(path).order as { group: Buildpack[] }[]) {
    if (group.every((its) => run(its, "detect", [platform, "/tmp/plan.toml"]) === 0)) return group;
  }
  return fail(20, "No buildpack groups passed detection.");
}

/** Layers with that type, each with the buildpack that made it. */
function layersOf(group: readonly Buildpack[], type: string): { folder: string; path: string }[] {
  return group.flatMap(({ id }) => {
    const folder = id.replaceAll("/", "_");
    const names = existsSync(join(layers, folder)) ? readdirSync(join(layers, folder)) : [];
    return names.flatMap((name) => {
      const path = join(layers, folder, name);
      const types = (toml(`${path}.toml`).types ?? {}) as Table;
      return statSync(path).isDirectory() && types[type] === true ? [{ folder, path }] : [];
    });
  });
}

function write(path: string, text: string, mode = 0o644): void {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text, { mode });
}

async function exported(group: readonly Buildpack[]): Promise<void> {
  const context = "/tmp/export";
  const root = join(context, "root");
  cpSync(app, join(root, app), { recursive: true });
  for (const { path } of layersOf(group, "launch"))
    cpSync(path, join(root, path), { recursive: true });
  write(join(root, "cnb/lifecycle/launcher"), `#!/bin/sh\ncd ${app}\nexec "$@"\n`, 0o755);
  const own = group.flatMap(({ id }) => {
    const declared = toml(join(layers, id.replaceAll("/", "_"), "launch.toml")).processes ?? [];
    return declared as { type: string; command: string[]; default?: boolean }[];
  });
  for (const { type, command } of own) {
    const words = command.map((its) => `'${its}'`).join(" ");
    write(join(root, `cnb/process/${type}`), `#!/bin/sh\ncd ${app}\nexec ${words} "$@"\n`, 0o755);
  }
  const usual = own.find((its) => its.default === true)?.type;
  const entry = usual === undefined ? "/cnb/lifecycle/launcher" : `/cnb/process/${usual}`;
  write(
    join(context, "Dockerfile"),
    `FROM ${flags["-run-image"]}\nCOPY root/ /\nWORKDIR ${app}\nENTRYPOINT ["${entry}"]\nLABEL io.buildpacks.build.metadata={}\n`,
  );
  const tar = Bun.spawnSync(["/bin/busybox", "tar", "-c", "."], { cwd: context }).stdout;
  await engine("POST", `/build?t=${encodeURIComponent(image)}&rm=1`, new Uint8Array(tar));
  for (const { folder, path } of layersOf(group, "cache")) {
    const to = join(cache, folder);
    mkdirSync(to, { recursive: true });
    Bun.spawnSync(["/bin/busybox", "cp", "-a", path, `${path}.toml`, to]);
  }
}

const api = process.env.CNB_PLATFORM_API ?? "";
if (api !== "0.13") fail(11, `set platform API: ${api} is not known`);
await phase("analyzing");
await engine("GET", "/_ping");
say(`previous image: ${flags["-previous-image"] === undefined ? "none" : "one"}`);
say(`credentials of registries: ${process.env.CNB_REGISTRY_AUTH === undefined ? "none" : "some"}`);
const { uid, gid } = statSync(join(app, "locald.toml"));
say(`files of ${uid}:${gid}: ${readdirSync(app).sort().join(" ")}`);
await phase("detecting");
const group = detected();
await phase("restoring");
if (flags["-skip-restore"] !== "true") {
  for (const { id } of group) {
    const from = join(cache, id.replaceAll("/", "_"));
    if (existsSync(from)) cpSync(from, join(layers, id.replaceAll("/", "_")), { recursive: true });
  }
}
await phase("building");
for (const its of group) {
  const folder = join(layers, its.id.replaceAll("/", "_"));
  mkdirSync(folder, { recursive: true });
  const code = run(its, "build", [folder, platform, "/tmp/plan.toml"]);
  if (code !== 0) fail(51, `failed to build: exit status ${code}`);
}
await phase("exporting");
await exported(group);
say(`Saving ${image}`);
