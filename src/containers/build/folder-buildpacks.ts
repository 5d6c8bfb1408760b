/** Buildpacks that a file names by their folders -> what they are, and their files, to be put into a builder. */
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { readToml } from "../../manifest/toml.ts";
import { readText } from "../../system/read-text.ts";
import { absolute } from "../../text/absolute.ts";
import { printablePath } from "../../text/printable.ts";
import type { KnownBuildpack } from "./builder-image.ts";
import { type FolderArchive, folderArchive } from "./folder-archive.ts";

export type FolderBuildpack = KnownBuildpack & {
  /** As the file names it. */
  written: string;
  /** Its files, below a folder inside, which is relative to the root there. */
  archiveIn(buildpacks: string): FolderArchive;
};

export type ReadFolders =
  { kind: "buildpacks"; found: FolderBuildpack[] } | { kind: "bad"; why: string };

/** Bytes of a buildpack.toml. */
const longestText = 1024 * 1024;

/** A repository that has its root there is no part of the buildpack. */
const leftOut = [".git", ".hg", ".svn"];

export function isFolder(written: string): boolean {
  return /^\.{0,2}\//.test(written);
}

/** `directory`: the project's. */
export async function folderBuildpacks(
  wanted: readonly string[],
  { directory, note }: { directory: string; note(text: string): void },
): Promise<ReadFolders> {
  const found: FolderBuildpack[] = [];
  for (const written of wanted.filter(isFolder)) {
    const read = await readOne(written, { directory, note });
    if (read.kind === "bad") return read;
    found.push(read.buildpack);
  }
  return { kind: "buildpacks", found };
}

type ReadOne = { kind: "buildpack"; buildpack: FolderBuildpack } | { kind: "bad"; why: string };

async function readOne(
  written: string,
  { directory, note }: { directory: string; note(text: string): void },
): Promise<ReadOne> {
  const named = absolute(written, directory);
  const folder = await realpath(named).catch(() => named);
  const path = join(folder, "buildpack.toml");
  const shown = printablePath(path);
  const its = await readText(path, { longest: longestText });
  if (its.kind === "missing") {
    return { kind: "bad", why: `there is no ${shown}: ${written} is no buildpack` };
  }
  if (its.kind !== "text") return { kind: "bad", why: `${shown} cannot be used: ${its.why}` };
  const read = readToml(its.text);
  if (read.kind === "bad") return { kind: "bad", why: `${shown}:${read.place.line} ${read.why}` };
  const { id, version } = (read.document.value.buildpack ?? {}) as Record<string, unknown>;
  // Both become names of folders inside.
  if (
    !isName(id, /^[A-Za-z0-9][A-Za-z0-9./-]*$/) ||
    !isName(version, /^[A-Za-z0-9][A-Za-z0-9.+-]*$/)
  ) {
    return { kind: "bad", why: `${shown} has no [buildpack] with an id and a version` };
  }
  return {
    kind: "buildpack",
    buildpack: {
      ...{ written, id, version },
      archiveIn: (buildpacks) =>
        folderArchive(folder, {
          under: `${buildpacks}/${id.replaceAll("/", "_")}/${version}`,
          ignored: { has: (inside) => leftOut.includes(inside), mayHoldMore: () => false },
          ...{ note, hint: "it is part of a buildpack", timeless: true },
        }),
    },
  };
}

function isName(value: unknown, form: RegExp): value is string {
  return typeof value === "string" && form.test(value) && !value.includes("..");
}
