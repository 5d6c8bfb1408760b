/**
 * A name that leads nowhere -> why: it is kept for a place at which nobody is, unrelated programs have it, or a process
 * has it in a file that only the program itself reads, or does not listen.
 */
import { join } from "node:path";
import { hostname } from "node:os";
import { ancestry } from "../../discovery/ancestry.ts";
import { nameOf } from "../../discovery/name.ts";
import { commonNameRemedy, commonNameText } from "../../routes/common-name.ts";
import { readDotenv } from "../../manifest/dotenv.ts";
import {
  faultText,
  remedyText,
  silentRemedy,
  silentText,
  type Unusable,
} from "../../routes/unusable.ts";
import { waitingFor, waitingRemedy, waitingText } from "../../routes/waiting-name.ts";
import { readText } from "../../system/read-text.ts";
import { printable, printablePath } from "../../text/printable.ts";
import { shortCommand } from "../../text/short-command.ts";
import { isWsl } from "./is-wsl.ts";
import { type Sight, unusableIn } from "./look.ts";
import { sourceOf } from "./own-look.ts";
import type { Settings } from "./settings.ts";

/** Clauses: which process it is and why no name leads to it, and what helps. */
export type Hidden = { detail: string; fix: string };

/** Files that Bun, Vite and dotenv read for a server under development. */
const files = [".env.local", ".env.development", ".env"];

/** Bytes. A file with variables has a few hundred. */
const longestFile = 64 * 1024;

/** Servers whose files are read; milliseconds for all of them: a folder may be on a disk that does not answer. */
const mostServers = 50;
const deadline = 500;

/**
 * Only for a name that a person has asked for, and that leads nowhere. Files are read in the folders of servers that
 * run as the same user, and nowhere else: the current folder may be anybody's, but of a server's folder the user runs
 * code already. A file counts if it is the user's own, and nothing of it is told but the name that was asked for.
 */
export async function hiddenServer(
  name: string,
  { sight, settings }: { sight: Sight; settings: Settings },
): Promise<Hidden | undefined> {
  const kept = waitingFor(name, sight.waiting ?? []);
  if (kept !== undefined) return { detail: waitingText(kept), fix: waitingRemedy(kept) };
  const common = sight.scan.common?.find((its) => isNamed(its.name, name));
  if (common !== undefined) return { detail: commonNameText(common), fix: commonNameRemedy };
  const inFile = await namedInFile(name, sight);
  if (inFile !== undefined) return { detail: faultText(inFile), fix: remedyText(inFile) };
  const silent = await silentOne(name, settings);
  return silent && { detail: silentText(silent), fix: silentRemedy };
}

function isNamed(written: string | undefined, name: string): boolean {
  const verdict = nameOf(written, { hostName: hostname(), wsl: isWsl() });
  return verdict.kind === "name" && verdict.name === name;
}

async function namedInFile(name: string, sight: Sight): Promise<Unusable | undefined> {
  const uid = process.getuid?.() ?? 0;
  // One that its folder has named was meant to have another name.
  const services = sight.services.filter(({ source }) => source !== "folder");
  const servers = unusableIn({ ...sight, services }).filter(({ pid, fault }) => {
    const its = sight.scan.processes.get(pid);
    return fault.kind === "no name" && its?.uid === uid && its.cwd !== undefined;
  });
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), deadline);
  const found = servers.slice(0, mostServers).map(async (its) => {
    const folder = sight.scan.processes.get(its.pid)!.cwd!;
    const file = await fileWith(name, { folder, uid });
    if (file === undefined) return undefined;
    return { ...its, fault: { kind: "in a file", name, file: printablePath(file) } as const };
  });
  try {
    const all = await Promise.race([Promise.all(found), late.promise]);
    return all?.find((its) => its !== undefined);
  } finally {
    clearTimeout(timer);
  }
}

/** The path of the first file of the folder that gives the name. */
async function fileWith(
  name: string,
  { folder, uid }: { folder: string; uid: number },
): Promise<string | undefined> {
  for (const file of files) {
    const path = join(folder, file);
    const its = await readText(path, { longest: longestFile, lossy: true });
    if (its.kind !== "text" || its.uid !== uid) continue;
    const line = readDotenv(its.text).lines.findLast((line) => line.name === "NAME");
    const value = line?.value?.every((piece) => typeof piece === "string")
      ? line.value.join("")
      : undefined;
    if (isNamed(value, name)) return path;
  }
  return undefined;
}

/** A process with the name that does not listen: the innermost, which is the program itself; never a shell of ours. */
async function silentOne(
  name: string,
  settings: Settings,
): Promise<Parameters<typeof silentText>[0] | undefined> {
  const named = await sourceOf(settings)
    .named?.((written) => isNamed(written, name))
    .catch(() => {
      // The machine cannot be looked at, which has been said.
      return [];
    });
  if (named === undefined) return undefined;
  const all = new Map(named.map((its) => [its.pid, its]));
  // A shell in which NAME is exported has it, and so have we.
  const ours = ancestry(process.pid, all);
  const parents = new Set(named.map(({ parent }) => parent));
  const [first] = named
    .filter(({ pid }) => !ours.has(pid) && !parents.has(pid))
    .sort((a, b) => b.startedAt - a.startedAt || b.pid - a.pid);
  if (first === undefined) return undefined;
  const { pid, command, cwd } = first;
  return {
    name,
    pid,
    command: printable(shortCommand(command, cwd), 200),
    cwd: cwd === undefined ? undefined : printablePath(cwd),
  };
}
