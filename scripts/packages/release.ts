/** Arguments of scripts/release -> a release, from a clone that has no changes of its own. */
import { cp, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Kind, kinds, makeRelease } from "./make-release.ts";
import { platforms } from "./platforms.ts";
import { run } from "./run.ts";

const ids = platforms.map(({ id }) => id);

const usage = `scripts/release [options]

Makes the packages of this version: for npm, for Debian, as tarballs, and a formula for Homebrew, with a list of
components and SHA256SUMS.

  --only <platform>   only for this platform; repeatable: ${ids.join(", ")}
  --kind <kind>       only this kind of package; repeatable: ${kinds.join(", ")}
  --out <folder>      default: dist/release; emptied first
  --url <url>         where the tarballs will be, for the formula
  --helpers <folder>  what scripts/build-helper has written, instead of running it
  --as <version>      another version than that of package.json, to try an upgrade
  --quick             compress less: for a try
  --dirty             also from a clone with changes that are not committed
`;

async function main(): Promise<number> {
  const root = resolve(import.meta.dir, "../..");
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true },
      kind: { type: "string", multiple: true },
      out: { type: "string", default: join(root, "dist/release") },
      url: { type: "string" },
      helpers: { type: "string" },
      as: { type: "string" },
      quick: { type: "boolean", default: false },
      dirty: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const wrong = [
    ...(values.only ?? []).filter((id) => !ids.includes(id)),
    ...(values.kind ?? []).filter((kind) => !kinds.includes(kind as Kind)),
  ];
  if (wrong.length > 0) {
    console.error(`release: unknown ${wrong.join(", ")}\n\n${usage}`);
    return 2;
  }
  const changed = (await run(["git", "status", "--porcelain"], { cwd: root })).trimEnd();
  if (changed !== "" && !values.dirty) {
    console.error(`release: this clone has changes that are not committed:\n${changed}`);
    console.error("commit them, or give --dirty for a try");
    return 1;
  }
  const epoch = Number(await run(["git", "log", "-1", "--format=%ct"], { cwd: root }));
  const { as } = values;
  const source = as === undefined ? root : await copyAs(as, root);
  const { version } = (await Bun.file(join(source, "package.json")).json()) as { version: string };
  const made = await makeRelease({
    root: source,
    epoch,
    out: resolve(values.out),
    platforms: platforms.filter(({ id }) => values.only?.includes(id) ?? true),
    kinds: kinds.filter((kind) => values.kind?.includes(kind) ?? true),
    url: values.url ?? `https://localhostess.invalid/v${version}`,
    ...{ helpers: values.helpers, quick: values.quick },
    say: (line) => console.error(line),
  });
  if (source !== root) await rm(source, { recursive: true });
  for (const path of made) console.log(relative(process.cwd(), path));
  return 0;
}

/** All files of the clone in another folder, where they are of another version. */
async function copyAs(version: string, root: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "localhostess-as-"));
  const words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  for (const path of (await run(words, { cwd: root })).split("\0")) {
    if (path !== "") await cp(join(root, path), join(folder, path));
  }
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  const file = join(folder, "package.json");
  const fields = (await Bun.file(file).json()) as object;
  await writeFile(file, `${JSON.stringify({ ...fields, version }, null, 2)}\n`);
  return folder;
}

process.exit(await main());
