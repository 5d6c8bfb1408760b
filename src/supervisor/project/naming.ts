/** A folder, and another one that has its project's name -> other names for it, and sentences about its name. Pure. */
import { basename, dirname } from "node:path";
import { localFile } from "../../manifest/layer.ts";
import { projectNameFrom } from "../../manifest/project-name.ts";
import type { ProjectSpec } from "../../manifest/project.ts";
import { listed } from "../../text/list.ts";
import type { KeptNaming } from "./registry.ts";

/** The folder's own name, and else with the one above it: `~/b/shop` beside `~/a/shop` is `b-shop`. */
export function namesToTry(directory: string, { name }: { name: string }): string[] {
  const own = basename(directory);
  const all = [own, `${basename(dirname(directory))}-${own}`].map(projectNameFrom);
  return all.filter((its) => its !== name);
}

export type NamedOptions = {
  /** The folder that has the name which this project would have. */
  holder: string | undefined;
  /** The worktree's label as it is now, where the project keeps an earlier one. */
  labelNow: string | undefined;
};

/** For a person who says `up`: what is otherwise here than the files make one think. */
export function nameNotes(
  { name, checkout, freedPorts = [] }: ProjectSpec,
  { holder, labelNow }: NamedOptions,
): string[] {
  const notes: string[] = [];
  const otherName = "localhostess up --name <name> gives it another";
  if (holder !== undefined) {
    notes.push(`${holder} has the name already, so this project is ${name}; ${otherName}`);
  }
  if (labelNow !== undefined && labelNow !== checkout?.label) {
    notes.push(`it goes on as ${name} until it is stopped: its worktree is ${labelNow} now`);
  }
  if (freedPorts.length > 0) {
    const ports = listed(freedPorts.map(({ service, port }) => `${port} (${service})`));
    const whose = checkout?.label === undefined ? "the other folder's" : "the main checkout's";
    const what = freedPorts.length === 1 ? `port ${ports} is` : `ports ${ports} are`;
    const how = `a port in ${localFile} holds for this folder`;
    notes.push(`${what} ${whose}, so ${name} has a free one here; ${how}`);
  }
  return notes;
}

/** How a linked worktree is named, where it is, and where git writes down what becomes of it. */
export function worktreeOf({
  checkout,
}: ProjectSpec): Pick<KeptNaming, "label" | "root" | "repository"> {
  const { label, root, repository } = checkout ?? {};
  return label === undefined
    ? { label, root: undefined, repository: undefined }
    : { label, root, repository };
}
