/** The folder of an app, and its project.toml -> the files of a build, and what else that file says on it. */
import { lstat, realpath } from "node:fs/promises";
import { join } from "node:path";
import {
  descriptorOf,
  longestDescriptor,
  type ProjectDescriptor,
} from "../../manifest/project-descriptor.ts";
import { projectFiles } from "../../manifest/project-files.ts";
import { readText } from "../../system/read-text.ts";
import { printablePath } from "../../text/printable.ts";
import { archiveDigest, type FolderArchive, folderArchive } from "./folder-archive.ts";

export type AppFiles = {
  descriptor: ProjectDescriptor;
  /** As they are sent: the build's user has them. */
  archiveFor(owner: { uid: number; gid: number }): FolderArchive;
  /** A hash of their paths, modes and contents. @throws Unsendable of folder-archive.ts */
  digest(): Promise<string>;
};

export type ReadApp = { kind: "app"; app: AppFiles } | { kind: "bad"; why: string };

const hint = "if the build does not need it, name it under exclude in project.toml";

export async function readApp(
  context: string,
  { note }: { note(text: string): void },
): Promise<ReadApp> {
  const folder = await realpath(context).catch(() => undefined);
  const shown = printablePath(context);
  if (folder === undefined) {
    return { kind: "bad", why: `there is no folder ${shown} to build from` };
  }
  if (!(await lstat(folder)).isDirectory()) {
    return { kind: "bad", why: `${shown} is no folder; context names the folder of the app` };
  }
  const path = join(folder, "project.toml");
  const text = await readText(path, { longest: longestDescriptor });
  const read = descriptorOf(text, printablePath(path));
  if (read.kind === "mistakes") return { kind: "bad", why: read.mistakes.join("; ") };
  const { descriptor } = read;
  const files = projectFiles(descriptor);
  const options = {
    hint,
    ignored: {
      has: (path: string, isFolder: boolean) => !files.takes(path, { isFolder }),
      mayHoldMore: (path: string) => files.mayHoldMore(path),
    },
  };
  const app: AppFiles = {
    descriptor,
    archiveFor: (owner) => folderArchive(folder, { ...options, note, owner }),
    digest: () =>
      archiveDigest(folderArchive(folder, { ...options, note: () => {}, timeless: true })),
  };
  return { kind: "app", app };
}
