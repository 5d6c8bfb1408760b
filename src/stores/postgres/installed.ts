/** A major version of PostgreSQL -> the folder of its programs where it is installed. */
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../../system/command.ts";
import { searchPath } from "../../system/search-path.ts";

/** Where packages of systems put each major version. */
const folders: readonly ((major: number) => string)[] = [
  // Debian, Ubuntu and PostgreSQL's own packages for them.
  (major) => `/usr/lib/postgresql/${major}/bin`,
  (major) => `/opt/homebrew/opt/postgresql@${major}/bin`,
  (major) => `/usr/local/opt/postgresql@${major}/bin`,
  (major) => `/home/linuxbrew/.linuxbrew/opt/postgresql@${major}/bin`,
  (major) => `/Applications/Postgres.app/Contents/Versions/${major}/bin`,
  // PostgreSQL's own packages for Fedora and Red Hat.
  (major) => `/usr/pgsql-${major}/bin`,
  // Alpine.
  (major) => `/usr/libexec/postgresql${major}`,
];

/** Milliseconds. */
const deadline = 10_000;

/** The major version that a program says it has: `postgres (PostgreSQL) 17.10 (Debian 17.10-1)`. */
export function majorIn(said: string): number | undefined {
  const found = /\(PostgreSQL\) (\d+)/.exec(said);
  return found === null ? undefined : Number(found[1]);
}

export type InstalledOptions = {
  /** PATH is read. */
  env: Readonly<Record<string, string | undefined>>;
  /** Whether the user as whom it will run can get there. */
  isReachable(folder: string): boolean;
};

/** Undefined: none of that major version, with all that is needed. */
export async function installedBinaries(
  major: number,
  { env, isReachable }: InstalledOptions,
): Promise<string | undefined> {
  const inPath = searchPath(env.PATH).split(":");
  const candidates = [...folders.map((folder) => folder(major)), ...new Set(inPath)];
  for (const folder of candidates) {
    if (!hasPrograms(folder) || !isReachable(folder)) continue;
    if ((await majorOf(folder)) === major) return folder;
  }
  return undefined;
}

function hasPrograms(folder: string): boolean {
  return ["postgres", "initdb"].every((name) => isExecutable(join(folder, name)));
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // There is none, or it cannot be run: that is the answer.
    return false;
  }
}

/** Undefined where it cannot be run at all. */
export async function majorOf(folder: string): Promise<number | undefined> {
  const said = await runCommand([join(folder, "postgres"), "--version"], {
    env: { LC_ALL: "C" },
    deadline,
    limit: 4096,
  });
  return said.kind === "done" && said.code === 0 ? majorIn(said.stdout) : undefined;
}
