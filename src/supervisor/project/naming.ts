/** A folder, and another one that has its project's name -> other names for it, and sentences about its name. Pure. */
import { basename, dirname } from "node:path";
import { localFile } from "../../manifest/layer.ts";
import { projectNameFrom } from "../../manifest/project-name.ts";
import type { ProjectSpec } from "../../manifest/project.ts";
import { listed } from "../../text/list.ts";
import type { KeptNaming } from "./registry.ts";

/**
 * The folder's own name, and else with the one above it: `~/b/shop` beside `~/a/shop` is `b-shop`. Of a clone's
 * worktree, the name of the clone's folder first: `fix-nav.shop2`, and of a project within it, that of its own folder:
 * `fix-nav.web`.
 */
export function namesToTry(spec: ProjectSpec): string[] {
  const { directory, name, checkout } = spec;
  const { label, repository = "", root } = checkout ?? {};
  const own = basename(directory);
  const folders = [own, `${basename(dirname(directory))}-${own}`].map(projectNameFrom);
  const clone = basename(repository) === ".git" ? [basename(dirname(repository))] : [];
  const behind = directory === root ? clone.map(projectNameFrom) : folders;
  const labelled = label === undefined || isService(label, spec) ? [] : behind;
  const all = [...labelled.map((its) => `${label}.${its}`), ...folders];
  return all.filter((its) => its !== name);
}

/** Whether a service has the label as its name, too: in the main checkout, `api.shop` is its address. */
export function isService(label: string, { services }: Pick<ProjectSpec, "services">): boolean {
  return services.some(({ routeName, instance }) =>
    [routeName, instance?.routeName].some((its) => its?.startsWith(`${label}.${label}.`)),
  );
}

export type NamedOptions = {
  /** A clause: why it has not the name that it would have. */
  taken: string | undefined;
  /** The worktree's label as it is now, where the project keeps an earlier one. */
  labelNow: string | undefined;
};

/** For a person who says `up`: what is otherwise here than the files make one think. */
export function nameNotes(
  { name, checkout, freedPorts = [] }: ProjectSpec,
  { taken, labelNow }: NamedOptions,
): string[] {
  const notes: string[] = [];
  const otherName = "localhostess up --name <name> gives it another";
  if (taken !== undefined) notes.push(`${taken}, so this project is ${name}; ${otherName}`);
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
