/** The folder of a build -> an archive of it as it is read, without what its .dockerignore leaves out. */
import { lstat, realpath } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { readText } from "../../system/read-text.ts";
import { printablePath } from "../../text/printable.ts";
import { folderArchive } from "./folder-archive.ts";
import { type Ignored, readIgnored } from "./ignored.ts";

export type BuildContext = {
  /** The Dockerfile's path inside the archive. */
  dockerfile: string;
  /** The archive, in pieces. @throws Unsendable of folder-archive.ts */
  archive(): AsyncGenerator<Uint8Array>;
};

export type ReadContext = { kind: "context"; context: BuildContext } | { kind: "bad"; why: string };

export type ContextOptions = {
  /** Absolute. */
  context: string;
  /** Relative to the context; it may be outside. */
  dockerfile: string;
  /** A line for the log. */
  note(text: string): void;
};

/** Bytes of a Dockerfile, and of a .dockerignore. */
const longestText = 1024 * 1024;
/** The name of a Dockerfile from outside the context, which none of the context has. */
const dockerfileInside = ".localhostess.Dockerfile";
/** The repository's history is large, may hold secrets, and is another after each commit; `!.git` asks for it. */
const history = ".git";
const neverIgnored: Ignored = { has: () => false, mayHoldMore: () => false };

export async function readContext(options: ContextOptions): Promise<ReadContext> {
  const folder = await realpath(options.context).catch(() => undefined);
  const shown = printablePath(options.context);
  if (folder === undefined)
    return { kind: "bad", why: `there is no folder ${shown} to build from` };
  if (!(await lstat(folder)).isDirectory()) {
    return { kind: "bad", why: `${shown} is no folder; build names the folder with a Dockerfile` };
  }
  const found = await dockerfileIn(folder, options.dockerfile);
  if (found.kind === "bad") return found;
  const read = await ignoredIn(folder, found.path);
  if (read.kind === "bad") return read;
  const isOutside = found.inside.startsWith("..");
  const dockerfile = isOutside ? dockerfileInside : found.inside;
  const always = new Set([dockerfile, ".dockerignore"]);
  const { ignored } = read;
  const context = folderArchive(folder, {
    note: options.note,
    ignored: {
      has(path) {
        if (always.has(path)) return false;
        return ignored.has(path) || (!read.wantsHistory && isHistory(path));
      },
      mayHoldMore: (path) =>
        ignored.mayHoldMore(path) || [...always].some((its) => its.startsWith(`${path}/`)),
    },
    first: isOutside ? { path: dockerfile, from: found.path } : undefined,
    hint: "if the image does not need it, name it in .dockerignore",
  });
  return { kind: "context", context: { dockerfile, archive: context.archive } };
}

type FoundFile = { kind: "file"; path: string; inside: string } | { kind: "bad"; why: string };

/** Podman's people call it Containerfile. */
async function dockerfileIn(folder: string, written: string): Promise<FoundFile> {
  const names = written === "Dockerfile" ? [written, "Containerfile"] : [written];
  for (const name of names) {
    const path = resolve(folder, name);
    const its = await readText(path, { longest: longestText });
    if (its.kind === "text") return { kind: "file", path, inside: relative(folder, path) };
    if (its.kind === "unreadable") {
      return { kind: "bad", why: `${printablePath(path)} cannot be used: ${its.why}` };
    }
  }
  const path = printablePath(resolve(folder, written));
  const hint = "write one, or name another in build = { dockerfile = … }";
  return { kind: "bad", why: `there is no ${path} to build from; ${hint}` };
}

type FoundIgnored =
  { kind: "ignored"; ignored: Ignored; wantsHistory: boolean } | { kind: "bad"; why: string };

/** A file beside the Dockerfile counts more than the context's own, as with BuildKit. */
async function ignoredIn(folder: string, dockerfile: string): Promise<FoundIgnored> {
  const places = [`${dockerfile}.dockerignore`, join(folder, ".dockerignore")];
  for (const path of places) {
    const its = await readText(path, { longest: longestText, lossy: true });
    if (its.kind === "missing") continue;
    const read =
      its.kind === "text" ? readIgnored(its.text) : { kind: "bad" as const, why: its.why };
    if (read.kind === "bad") return { kind: "bad", why: `${printablePath(path)}: ${read.why}` };
    return { ...read, wantsHistory: its.kind === "text" && /^!\/?\.git\b/m.test(its.text) };
  }
  return { kind: "ignored", ignored: neverIgnored, wantsHistory: false };
}

function isHistory(path: string): boolean {
  return path === history || path.startsWith(`${history}/`);
}
