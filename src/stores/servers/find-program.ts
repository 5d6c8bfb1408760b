/** A kind of store and a version -> its installed program, or why there is none. */
import { accessSync, constants, realpathSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { runCommand } from "../../system/command.ts";
import { searchPath } from "../../system/search-path.ts";
import type { FoundProgram, StoreServer } from "./server.ts";

export type FindOptions = {
  /** `7`, `7.2`; undefined: any. */
  version: string | undefined;
  /** The service's environment: its PATH is searched first. */
  env: Readonly<Record<string, string | undefined>>;
};

export type Found =
  | ({ kind: "found" } & FoundProgram)
  /** `why` is a clause, such as `Redis is not installed`. */
  | { kind: "none"; why: string };

/** Servers are in `sbin`, which a person's PATH often has not. */
const systemFolders = [
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
];

/** Milliseconds. */
const deadline = 10_000;

export async function findProgram(
  server: StoreServer,
  { version, env }: FindOptions,
): Promise<Found> {
  const { title, programs, folders, getting } = server;
  const inPath = searchPath(env.PATH).split(":").filter(isAbsolute);
  const places = [...new Set([...inPath, ...folders(version), ...systemFolders])];
  const others: FoundProgram[] = [];
  const seen = new Set<string>();
  for (const path of places.flatMap((folder) => programs.map((name) => join(folder, name)))) {
    const real = realOf(path);
    // Debian's /usr/bin/redis-server is a link to another program, which looks at the name it is run by.
    const key = `${real}:${path.slice(path.lastIndexOf("/"))}`;
    if (real === undefined || seen.has(key)) continue;
    seen.add(key);
    const its = await versionOf(path, { server, env });
    if (its === undefined) continue;
    if (version === undefined || isVersion(its, version)) {
      return { kind: "found", path, version: its };
    }
    others.push({ path, version: its });
  }
  const [other] = others;
  if (other === undefined) {
    return { kind: "none", why: `${title} is not installed (${getting})` };
  }
  return {
    kind: "none",
    why: `${title} ${version} is not installed (${other.path} is ${other.version})`,
  };
}

/** Whether `7.0.15` is a `7`. */
export function isVersion(its: string, wanted: string): boolean {
  return `${its}.`.startsWith(`${wanted}.`);
}

/** Undefined: nothing that can be run is there. */
function realOf(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return realpathSync(path);
  } catch {
    // There is none: that is the answer.
    return undefined;
  }
}

async function versionOf(
  path: string,
  { server, env }: { server: StoreServer; env: FindOptions["env"] },
): Promise<string | undefined> {
  const said = await runCommand([path, ...server.asksVersion], {
    env: { PATH: env.PATH ?? "", HOME: env.HOME ?? "/", LC_ALL: "C" },
    ...{ deadline, limit: 64 * 1024 },
  });
  return said.kind === "done" ? server.versionIn(said.stdout) : undefined;
}
