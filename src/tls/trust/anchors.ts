/** A distribution's folder of local certificate authorities, and the command that reads it -> a trust store. */
import { mkdir, readdir, rename, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readText } from "../../system/read-text.ts";
import { certificateFile } from "../certificate-file.ts";
import { bodiesOf, bodyOf, sha256Of } from "./pem.ts";
import type { Certificate, Check, Machine, Outcome, TrustStore } from "./store.ts";
import { pastedWord } from "../../text/shell-words.ts";
import { failureOf, textOf } from "./failure-text.ts";

/** All paths are absolute. */
export type Anchors = {
  name: string;
  /** The folder for a person's own certificate authorities. */
  directory: string;
  /** The file extension, including the dot. */
  extension: string;
  /** The command that builds the bundle from the folder. */
  refresh: readonly [string, ...string[]];
  /** The command to use after a removal, if it is a different one. */
  refreshAfterRemoval?: readonly [string, ...string[]];
  /** The file that programs read, built by `refresh`. */
  bundle: string;
};

/** Milliseconds. The command reads about 150 files and runs hooks; a Java hook takes seconds. */
const refreshDeadline = 60_000;

/** Bytes. A certificate takes about 1 KiB, so a longer file is something else. */
const longestFile = 64 * 1024;

export type AnchorPlace = { root: string; pem: string };

/** The file in which a certificate of ours is put. */
export function anchorFile({ directory, extension }: Anchors, { root, pem }: AnchorPlace): string {
  return join(root, directory, `localhostess-${sha256Of(pem).slice(0, 16)}${extension}`);
}

/** The files that hold this certificate alone, whatever their names. @throws Error of the file system. */
export async function anchorHolders(
  anchors: Anchors,
  { root, pem }: AnchorPlace,
): Promise<string[]> {
  const directory = join(root, anchors.directory);
  const wanted = bodyOf(pem);
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const found: string[] = [];
  for (const name of names) {
    const path = join(directory, name);
    const its = await readText(path, { longest: longestFile, lossy: true });
    // Covers dangling links too: a missing file is trusted by nobody.
    if (its.kind !== "text") continue;
    const bodies = bodiesOf(its.text);
    if (bodies.length === 1 && bodies[0] === wanted) found.push(path);
  }
  return found;
}

export function anchorStore(anchors: Anchors, machine: Machine): TrustStore {
  const directory = join(machine.root, anchors.directory);
  const bundle = join(machine.root, anchors.bundle);
  const target = ({ pem }: Certificate) => anchorFile(anchors, { root: machine.root, pem });

  const holders = ({ pem }: Certificate) => anchorHolders(anchors, { root: machine.root, pem });

  async function inBundle({ pem }: Certificate): Promise<boolean> {
    return bodiesOf((await certificateFile(bundle)) ?? "").includes(bodyOf(pem));
  }

  function command(argv: readonly [string, ...string[]]): [string, ...string[]] {
    const [program, ...rest] = argv;
    // Uses the absolute path, so that no one's PATH decides which program runs as root.
    return [join(machine.root, program), ...rest];
  }

  function shown(argv: readonly [string, ...string[]]): string {
    return `sudo ${command(argv).map(pastedWord).join(" ")}`;
  }

  async function refreshed(argv: readonly [string, ...string[]]): Promise<Outcome | undefined> {
    const result = await machine.run(command(argv), { deadline: refreshDeadline });
    const why = failureOf(argv[0], result);
    return why === undefined ? undefined : { kind: "failed", why, fix: shown(argv) };
  }

  const refreshAfterRemoval = anchors.refreshAfterRemoval ?? anchors.refresh;

  return {
    name: anchors.name,

    async check(certificate): Promise<Check> {
      try {
        const [files, bundled] = [await holders(certificate), await inBundle(certificate)];
        if (bundled) return { kind: "trusted" };
        if (files.length === 0) return { kind: "absent" };
        return {
          kind: "absent",
          why: `it is in ${anchors.directory}, but ${anchors.refresh[0]} has not run since`,
        };
      } catch (error) {
        return {
          kind: "unavailable",
          why: textOf(error),
          fix: `sudo ls -l ${pastedWord(directory)}`,
        };
      }
    },

    async install(certificate): Promise<Outcome> {
      const path = target(certificate);
      const copy = `sudo install -D -m 644 ${pastedWord(certificate.path)} ${pastedWord(path)}`;
      try {
        if (await inBundle(certificate)) return { kind: "already" };
        const there = (await holders(certificate)).length > 0;
        if (!machine.privileged) {
          return {
            kind: "needs you",
            why: "only root may change it",
            fix: there ? shown(anchors.refresh) : `${copy} && ${shown(anchors.refresh)}`,
          };
        }
        if (!there) await place(path, certificate.pem);
        const failed = await refreshed(anchors.refresh);
        if (failed !== undefined) return failed;
        if (await inBundle(certificate)) return { kind: "done" };
        return {
          kind: "failed",
          why: `${anchors.refresh[0]} did not add it to ${anchors.bundle}`,
          fix: shown(anchors.refresh),
        };
      } catch (error) {
        return { kind: "failed", why: textOf(error), fix: `${copy} && ${shown(anchors.refresh)}` };
      }
    },

    async remove(certificate): Promise<Outcome> {
      const again = (files: string[]) =>
        [
          ...(files.length === 0 ? [] : [`sudo rm ${files.map(pastedWord).join(" ")}`]),
          shown(refreshAfterRemoval),
        ].join(" && ");
      let files: string[] = [];
      try {
        files = await holders(certificate);
        if (files.length === 0 && !(await inBundle(certificate))) return { kind: "already" };
        if (!machine.privileged) {
          return { kind: "needs you", why: "only root may change it", fix: again(files) };
        }
        for (const file of files) await unlink(file);
        const failed = await refreshed(refreshAfterRemoval);
        if (failed !== undefined) return failed;
        if (!(await inBundle(certificate))) return { kind: "done" };
        return {
          kind: "failed",
          why: `it is still in ${anchors.bundle}, from a place other than ${anchors.directory}`,
          fix: `look for it: grep -rl localhostess ${pastedWord(dirname(directory))}`,
        };
      } catch (error) {
        return { kind: "failed", why: textOf(error), fix: again(files) };
      }
    },
  };
}

/**
 * Writes the file atomically and readable for everybody: every program of the machine reads the bundle built from it.
 */
async function place(path: string, pem: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  // A different extension, so that a refresh running right now does not pick up half a file.
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, pem, { mode: 0o644, flag: "wx" });
  await rename(temporary, path).catch(async (error: unknown) => {
    await unlink(temporary);
    throw error;
  });
}
