/** The name of a client program of PostgreSQL -> those that are installed, each with its version. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../../system/command.ts";
import { searchPath } from "../../system/search-path.ts";
import { isExecutable, majorIn } from "./installed.ts";

export type ClientName = "psql" | "pg_dump" | "pg_restore";

export type Client = { path: string; major: number };

/** Where packages of systems put all major versions, each in a folder of its own, and the name of that. */
const homes: readonly [folder: string, name: RegExp, bin: string][] = [
  ["/usr/lib/postgresql", /^\d+$/, "bin"],
  ["/opt/homebrew/opt", /^(?:postgresql@\d+|libpq)$/, "bin"],
  ["/usr/local/opt", /^(?:postgresql@\d+|libpq)$/, "bin"],
  ["/home/linuxbrew/.linuxbrew/opt", /^(?:postgresql@\d+|libpq)$/, "bin"],
  ["/Applications/Postgres.app/Contents/Versions", /^\d+$/, "bin"],
  ["/usr", /^pgsql-\d+$/, "bin"],
  ["/usr/libexec", /^postgresql\d+$/, ""],
];

/** Milliseconds. */
const deadline = 10_000;

export type ClientsOptions = {
  /** PATH is read. */
  env: Readonly<Record<string, string | undefined>>;
};

/** Without those that cannot be run. Empty: none is installed. */
export async function installedClients(
  name: ClientName,
  { env }: ClientsOptions,
): Promise<readonly Client[]> {
  const folders = homes.flatMap(([folder, pattern, bin]) =>
    namesIn(folder)
      .filter((its) => pattern.test(its))
      .map((its) => join(folder, its, bin)),
  );
  const inPath = searchPath(env.PATH).split(":");
  const paths = [...new Set([...folders, ...inPath].map((folder) => join(folder, name)))];
  const found = paths.filter(isExecutable).map(async (path) => {
    const said = await runCommand([path, "--version"], {
      ...{ env: { LC_ALL: "C", PATH: env.PATH ?? "" }, deadline, limit: 4096 },
    });
    const major = said.kind === "done" && said.code === 0 ? majorIn(said.stdout) : undefined;
    return major === undefined ? [] : [{ path, major }];
  });
  return (await Promise.all(found)).flat();
}

/**
 * The one for a server: of its own version, or else the next newer one, which knows all older servers; with `older`,
 * the newest of the others where there is none of those.
 */
export function clientFor(
  server: number,
  { all, older }: { all: readonly Client[]; older: boolean },
): Client | undefined {
  const sorted = [...all].sort((one, other) => one.major - other.major);
  return (
    sorted.find(({ major }) => major >= server) ?? (older ? sorted[sorted.length - 1] : undefined)
  );
}

/** Completes a sentence. */
export function howToGetClients(major: number, platform: NodeJS.Platform): string {
  if (platform === "darwin") return "brew install libpq has them";
  if (existsSync("/sbin/apk")) return `apk add postgresql${major}-client has them`;
  if (existsSync("/usr/bin/dnf")) return "dnf install postgresql has them";
  return `apt-get install postgresql-client-${major}, or postgresql-client, has them`;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // There is none, or nobody may look into it: nothing of it can be run.
    return [];
  }
}
