/** Services, git's worktrees and kept choices -> repositories with several checkouts, and what is chosen in each. */
import type { Checkouts, Worktree } from "../../discovery/checkouts.ts";
import { baseOf } from "../../manifest/project-name.ts";
import { wordIn } from "../../routes/named.ts";
import { type Choice, type Origin, plainName } from "../../routes/origins.ts";
import { routeTable } from "../../routes/table.ts";
import { nearest } from "../../text/nearest.ts";
import type { Sight } from "../shared/look.ts";

export type Choosable = {
  repository: string;
  /** Its plain names, ascending. */
  origins: readonly Origin[];
  worktrees: readonly Worktree[];
  choices: readonly Choice[];
};

export type ChoosableFacts = {
  sight: Pick<Sight, "services" | "supervised" | "tlds">;
  git: Checkouts;
  kept: readonly Choice[];
  /** Repositories that are meant, be a server of theirs there or not. */
  besides: readonly string[];
};

/** Sorted by repository; without those that have one checkout only. */
export function choosableIn({ sight, git, kept, besides }: ChoosableFacts): Choosable[] {
  const { services, supervised, tlds } = sight;
  const { origins } = routeTable(services, { supervised, tlds, checkouts: git, choices: kept });
  const seen = [...services, ...supervised].flatMap(({ checkout }) => checkout?.repository ?? []);
  const chosen = kept.map(({ repository }) => repository);
  return [...new Set([...seen, ...chosen, ...besides])].sort().flatMap((repository) => {
    const worktrees = git.worktrees(repository);
    const choices = kept.filter((its) => its.repository === repository);
    if (worktrees.length === 0 && choices.length === 0) return [];
    const own = origins?.all ?? [];
    return [
      {
        repository,
        origins: own.filter((its) => its.repository === repository),
        worktrees,
        choices,
      },
    ];
  });
}

/** The worktree with this label or branch, or the one that `folder` is in, or else whose folder is called so. */
export function worktreeNamed(
  word: string,
  { worktrees, folder }: Pick<Choosable, "worktrees"> & { folder: string | undefined },
): Worktree | undefined {
  const label = word.toLowerCase();
  return (
    worktrees.find((its) => its.label === label) ??
    worktrees.find((its) => its.branch === word || its.root === folder) ??
    worktrees.find((its) => its.root.endsWith(`/${word}`))
  );
}

/** `of`: the plain name that is meant, with all names under it. */
export type Meant =
  | { kind: "meant"; repository: string; of: string }
  /** The name is there, and has one checkout. */
  | { kind: "alone"; name: string }
  | { kind: "unknown"; near: string | undefined };

/** A name, a URL, a project, `shop:api`, or a service of the project in `repository` -> the plain name. */
export function nameMeant(
  typed: string,
  facts: {
    all: readonly Choosable[];
    sight: ChoosableFacts["sight"];
    /** The one that the current folder is in. */
    repository: string | undefined;
  },
): Meant {
  const { all, sight, repository } = facts;
  const { services, supervised, tlds } = sight;
  const word = baseOf(wordIn(typed).word.toLowerCase(), tlds);
  const found = (name: string): Meant | undefined => {
    const its = all.find(({ origins }) => origins.some((origin) => isOf(origin, name)));
    const origin = its?.origins.find((one) => isOf(one, name));
    if (its === undefined || origin === undefined) return undefined;
    return { kind: "meant", repository: its.repository, of: origin.name };
  };
  const direct = found(word);
  if (direct !== undefined) return direct;
  const rows = supervised.filter(({ id, project, service, checkout }) => {
    if (id.toLowerCase() === word || plainOf(project, checkout?.label) === word) return true;
    return service.toLowerCase() === word && checkout?.repository === repository;
  });
  for (const { domain, project, checkout, routeName } of rows) {
    const isProject = plainOf(project, checkout?.label) === word || project === word;
    const base = baseOf(domain, tlds);
    const name = isProject ? plainOf(base, checkout?.label) : routeName;
    const its = all.find((one) => one.repository === checkout?.repository);
    if (name === undefined) continue;
    if (isProject && its !== undefined) {
      return { kind: "meant", repository: its.repository, of: name };
    }
    const meant = found(name);
    if (meant !== undefined) return meant;
    return { kind: "alone", name };
  }
  const above = all
    .toSorted((one, other) => rank(one, repository) - rank(other, repository))
    .find(({ origins }) => origins.some((its) => its.name.endsWith(`.${word}`)));
  if (above !== undefined) return { kind: "meant", repository: above.repository, of: word };
  const alone = services.find((its) => its.name === word);
  if (alone !== undefined) return { kind: "alone", name: alone.name };
  const names = all.flatMap(({ origins }) => origins.map((its) => its.name));
  return { kind: "unknown", near: nearest(word, names) };
}

/** The repository of the current folder comes first. */
function rank(its: Choosable, repository: string | undefined): number {
  return its.repository === repository ? 0 : 1;
}

function isOf({ name, versions }: Origin, wanted: string): boolean {
  return name === wanted || [...versions.values()].includes(wanted);
}

function plainOf(name: string, label: string | undefined): string {
  return label === undefined ? name : (plainName(name, label) ?? name);
}

/** Those plain names that a choice holds for. */
export function namesFor(of: string | undefined, { origins }: Choosable): string[] {
  const names = origins.map((its) => its.name);
  if (of === undefined) return names;
  const under = names.filter((name) => name === of || name.endsWith(`.${of}`));
  return under.length === 0 ? [of] : under;
}
