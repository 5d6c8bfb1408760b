/** A name that only the service of a shorter one could answer for -> why that one may not, and the way on. Pure. */
import { pastedWord } from "../text/shell-words.ts";
import { isInside } from "./name-rights.ts";
import type { KnownCheckouts, ServiceCheckout } from "./checkout.ts";

/** `by`: the name whose service would have answered. */
export type Unanswered =
  /** The label is another checkout's. `command` starts the server there. */
  | { kind: "worktree"; by: string; label: string; folder: string; command: string }
  /** The label is of a branch that is checked out nowhere. */
  | { kind: "branch"; by: string; label: string; branch: string; command: string }
  /** The name was a server's in a worktree, which has ended since; nothing is known of its label now. */
  | { kind: "left"; by: string; label: string; folder: string }
  /** `strict_subdomains`. */
  | { kind: "strict"; by: string }
  /** A store of a project, which does not speak HTTP. `by`: the name that would have answered, or else this one. */
  | { kind: "store"; by: string; id: string; protocol: string; port: number | undefined };

export type Answering = {
  /** The name that its service has. */
  name: string;
  checkout: ServiceCheckout | undefined;
  /** The folder that its server runs in. */
  cwd: string | undefined;
  /** The folder of its project, if it is one's. */
  project: string | undefined;
  strict: boolean;
};

/** `name` is longer than the answering one's, of which it is a subdomain. Undefined where that one may answer. */
export function unansweredOf(
  name: string,
  { answering, checkouts }: { answering: Answering; checkouts: KnownCheckouts | undefined },
): Unanswered | undefined {
  const { name: by, checkout, strict } = answering;
  const labels = name.slice(0, -by.length - 1).split(".");
  const elsewhere = checkout && checkouts && ofCheckout(labels, { answering, checkout, checkouts });
  if (elsewhere !== undefined) return elsewhere;
  for (let rest = name; rest.length > by.length; rest = rest.slice(rest.indexOf(".") + 1)) {
    const was = checkouts?.left?.(rest);
    if (was?.label !== undefined && was.root !== checkout?.root) {
      return { kind: "left", by, label: was.label, folder: was.root };
    }
  }
  return strict ? { kind: "strict", by } : undefined;
}

type Known = { answering: Answering; checkout: ServiceCheckout; checkouts: KnownCheckouts };

function ofCheckout(
  labels: readonly string[],
  { answering, checkout, checkouts }: Known,
): Unanswered | undefined {
  const { repository, root } = checkout;
  const known = checkouts.labels(repository);
  const { name: by, cwd, project } = answering;
  for (const label of labels) {
    const its = known.get(label);
    // `main.api` is `api`, while the main checkout is on the branch `main`.
    if (its === undefined || label === checkout.label || its.root === root) continue;
    if (its.root === undefined) {
      const branch = its.branch ?? label;
      const command = `cd ${pastedWord(project ?? root)} && localhostess worktree add ${pastedWord(branch)}`;
      return { kind: "branch", by, label, branch, command };
    }
    const folder = (here: string | undefined): string =>
      here !== undefined && isInside(here, root)
        ? `${its.root}${here.slice(root.length)}`
        : its.root!;
    const command =
      project === undefined
        ? `cd ${pastedWord(folder(cwd))} && NAME=${pastedWord(by)} bun dev`
        : `localhostess up ${pastedWord(folder(project))}`;
    return { kind: "worktree", by, label, folder: its.root, command };
  }
  return undefined;
}

/** Behind `no server is named fix-nav.api`: a clause, with the way on. */
export function unansweredText(its: Unanswered): string {
  const reason = unansweredReason(its);
  const remedy = unansweredRemedy(its);
  return remedy === undefined ? reason : `${reason}; ${remedy}`;
}

/** The same clause alone. */
export function unansweredReason(its: Unanswered): string {
  switch (its.kind) {
    case "worktree":
      return `${its.label} is the worktree ${its.folder}, for which ${its.by} does not answer`;
    case "branch":
      return `${its.label} is the branch ${its.branch}, for which ${its.by} does not answer`;
    case "left":
      return `it was a server in the worktree ${its.folder}, for which ${its.by} does not answer`;
    case "strict":
      return `strict_subdomains keeps ${its.by} from answering for it`;
    case "store":
      return `${its.id} speaks the protocol of ${its.protocol}, and not HTTP`;
  }
}

/** Undefined where nothing is to be done. */
export function unansweredRemedy(its: Unanswered): string | undefined {
  switch (its.kind) {
    case "worktree":
      return `to start it there: ${its.command}`;
    case "branch":
      return `to make its worktree: ${its.command}`;
    case "left":
      return undefined;
    case "strict":
      return `${strictRemedy(its.by)} allows that`;
    case "store":
      return its.port === undefined ? undefined : `it is reached at localhost:${its.port}`;
  }
}

/** The words of config.toml that let a name answer for longer ones. */
export function strictRemedy(name: string): string {
  const key = /^[a-z0-9-]+$/.test(name) ? name : `"${name}"`;
  return `[names.${key}] strict_subdomains = false in config.toml`;
}
