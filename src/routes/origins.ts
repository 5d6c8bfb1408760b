/**
 * Services of several checkouts of one repository, and what a person has chosen -> the plain names that can show any
 * of these checkouts, and the one that a request is to see. Pure.
 */
import type { KnownCheckouts, KnownLabel, ServiceCheckout } from "./checkout.ts";
import type { ShownOrigin } from "./service.ts";

/** In the place of a label: the plain name's own server, whatever is chosen for all browsers. */
export const plainCheckout = "--";

/** By this field a request asks for a checkout, in lower case. Services see it, and may pass it on. */
export const useField = "localhostess-use";

/** By this cookie a browser asks for a checkout of the host that it is for. Services do not see it. */
export const useCookie = "localhostess-use";

/**
 * The same by https. Browsers take it for this very host only, and a cookie of http of the same name could not be set
 * beside it.
 */
export const secureUseCookie = `__Host-${useCookie}`;

/** At each such host, the page on which a browser chooses. */
export const choicePath = "/.localhostess/use";

/** For all browsers, until it is ended: plain names of a repository lead to one of its worktrees. */
export type Choice = {
  /** The repository's common git directory. */
  repository: string;
  /** The worktree's folder: a server that runs keeps its label when another branch is checked out there. */
  root: string;
  label: string;
  /** Limits the choice to this name and names under it; undefined: all plain names of the repository. */
  of: string | undefined;
  /** The names that it held for when it was made: none of them leads to another checkout while no server has it. */
  names: readonly string[];
};

/** A plain name that can show any checkout of its repository. */
export type Origin = {
  name: string;
  repository: string;
  /** Labels of the repository's worktrees, ascending, whether or not anything of them runs. */
  labels: readonly string[];
  /** Those of branches too, which are no subdomains of a server. */
  known: ReadonlyMap<string, KnownLabel>;
  /** By label: the name of that worktree's own server. */
  versions: ReadonlyMap<string, string>;
  /** The label that all browsers see; undefined: the plain name's own server. */
  shown: string | undefined;
};

/** A request for a plain name that is to see a worktree. */
export type Chosen = {
  origin: Origin;
  label: string;
  /** The name that leads there: `x.api.fix-nav.shop`; undefined: no server of that worktree has been seen. */
  name: string | undefined;
  /** The worktree's server itself: `api.fix-nav.shop`. */
  version: string | undefined;
  /** Whether the request itself has asked for it, or all of them get it. */
  by: "request" | "all";
};

export interface Origins {
  /** Ascending by name. */
  readonly all: readonly Origin[];
  /** The origin with this name, or with the longest suffix of it; undefined for a name of one worktree. */
  find(name: string): Origin | undefined;
  /** For the name of one checkout's own server: the plain name that can show it. */
  of(name: string): ShownOrigin | undefined;
}

/** A server or a declared service: the name that leads to it, and the checkout that it is of. */
export type Version = { name: string; checkout: ServiceCheckout | undefined };

export type OriginsFacts = {
  versions: readonly Version[];
  /** Names of no server that are not to be answered for by another one. */
  kept?: ReadonlySet<string> | undefined;
  choices: readonly Choice[];
  checkouts: Pick<KnownCheckouts, "labels" | "worktrees">;
};

/** The labels and names of one repository, as they are gathered. */
type Draft = { labels: Set<string>; names: Map<string, Map<string, Seen>> };

/** A worktree's own server, and the worktree's folder. */
type Seen = { name: string; root: string };

/** Undefined: no repository has more than one checkout, as for most people. */
export function originsOf(facts: OriginsFacts): Origins | undefined {
  const { versions, kept, choices, checkouts } = facts;
  const drafts = draftsOf(facts);
  const holders = new Map(
    versions.map(({ name, checkout }) => [name, checkout?.repository] as const),
  );
  const found = new Map<string, Origin>();
  for (const repository of [...drafts.keys()].sort()) {
    const { labels, names } = drafts.get(repository)!;
    if (labels.size === 0) continue;
    const labelsSorted = [...labels].sort();
    const known = checkouts.labels(repository);
    for (const [name, its] of names) {
      // The plain name is a server's of another folder, and a given name always wins.
      if (holders.has(name) && holders.get(name) !== repository) continue;
      const choice = choiceFor(name, { repository, choices });
      if (found.has(name) && choice === undefined) continue;
      found.set(name, {
        ...{ name, repository, labels: labelsSorted, known },
        versions: namesIn(its, checkouts.worktrees?.(repository) ?? []),
        shown: choice && labelFor(choice, its),
      });
    }
  }
  return found.size === 0
    ? undefined
    : asOrigins(found, new Set([...holders.keys(), ...(kept ?? [])]));
}

function draftsOf({ versions, choices, checkouts }: OriginsFacts): Map<string, Draft> {
  const drafts = new Map<string, Draft>();
  const draftOf = (repository: string): Draft => {
    let draft = drafts.get(repository);
    if (draft === undefined) {
      draft = {
        labels: new Set(checkouts.worktrees?.(repository).map((its) => its.label)),
        names: new Map(),
      };
      drafts.set(repository, draft);
    }
    return draft;
  };
  const versionsOf = ({ names }: Draft, name: string): Map<string, Seen> => {
    const its = names.get(name) ?? new Map<string, Seen>();
    names.set(name, its);
    return its;
  };
  for (const { name, checkout } of versions) {
    if (checkout === undefined) continue;
    const { repository, label, root } = checkout;
    const draft = draftOf(repository);
    const plain = label === undefined ? name : plainName(name, label);
    if (plain === undefined) continue;
    const its = versionsOf(draft, plain);
    if (label === undefined) continue;
    draft.labels.add(label);
    its.set(label, { name, root });
  }
  for (const { repository, label, names } of choices) {
    const draft = draftOf(repository);
    draft.labels.add(label);
    for (const name of names) versionsOf(draft, name);
  }
  return drafts;
}

/** By label, which is also the worktree's own of now, where the server has an older one. */
function namesIn(
  seen: ReadonlyMap<string, Seen>,
  worktrees: readonly { label: string; root: string }[],
): Map<string, string> {
  const names = new Map([...seen].map(([label, { name }]) => [label, name]));
  for (const { label, root } of worktrees) {
    const its = [...seen.values()].find((one) => one.root === root);
    if (its !== undefined && !names.has(label)) names.set(label, its.name);
  }
  return names;
}

/** The label of the server that stands in the chosen worktree: its own, which may be older than the worktree's. */
function labelFor({ label, root }: Choice, versions: ReadonlyMap<string, Seen>): string {
  if (versions.has(label)) return label;
  return [...versions].find(([, its]) => its.root === root)?.[0] ?? label;
}

/** `fix-nav.api` -> `api`, and `api.fix-nav.shop` -> `api.shop`; undefined if the label is no part of the name. */
export function plainName(name: string, label: string): string | undefined {
  const parts = name.split(".");
  const at = parts.indexOf(label);
  if (at === -1 || at === parts.length - 1) return undefined;
  return parts.toSpliced(at, 1).join(".");
}

/** The most exact choice about a name. */
export function choiceFor(
  name: string,
  { repository, choices }: { repository: string; choices: readonly Choice[] },
): Choice | undefined {
  let found: Choice | undefined;
  for (const choice of choices) {
    const { of } = choice;
    if (choice.repository !== repository) continue;
    if (of !== undefined && of !== name && !name.endsWith(`.${of}`)) continue;
    if (found === undefined || (of?.length ?? 0) > (found.of?.length ?? 0)) found = choice;
  }
  return found;
}

function isLabelOf({ labels, known }: Origin, part: string): boolean {
  return labels.includes(part) || known.has(part);
}

/** `held`: names of servers, and kept ones. One that is no origin has the names under it, whatever is chosen. */
function asOrigins(byName: ReadonlyMap<string, Origin>, held: ReadonlySet<string>): Origins {
  const versions = new Map<string, ShownOrigin>();
  for (const { name: plain, versions: its, shown } of byName.values()) {
    const now = shown === undefined ? undefined : its.get(shown);
    for (const name of its.values()) versions.set(name, { name: plain, shown: name === now });
  }
  return {
    all: [...byName.values()].sort((one, other) => (one.name < other.name ? -1 : 1)),
    of(name) {
      const origin = byName.get(name);
      return origin === undefined
        ? versions.get(name)
        : { name, shown: origin.shown === undefined };
    },
    find(name) {
      for (let rest = name, before = ""; ;) {
        const origin = byName.get(rest);
        // `stale.api` is that worktree's, be its server there or not.
        if (origin !== undefined) return isLabelOf(origin, before) ? undefined : origin;
        const dot = rest.indexOf(".");
        if (dot === -1 || held.has(rest)) return undefined;
        before = rest.slice(0, dot);
        rest = rest.slice(dot + 1);
      }
    },
  };
}

/**
 * The worktree that a request for a name is to see: what the request says (`use`), else what is chosen for all
 * browsers. Undefined: the name's own server.
 */
export function chosenFor(
  name: string,
  { origins, use }: { origins: Origins; use: string | undefined },
): Chosen | undefined {
  const origin = origins.find(name);
  const label = use ?? origin?.shown;
  if (origin === undefined || label === undefined || label === plainCheckout) return undefined;
  const version = origin.versions.get(label);
  const before = name.slice(0, -origin.name.length);
  return {
    origin,
    label,
    version,
    name: version === undefined ? undefined : `${before}${version}`,
    by: use === undefined ? "all" : "request",
  };
}
