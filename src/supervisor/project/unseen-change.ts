/** Declarations that a person has seen, and the files now -> what runs, and what waits for `up`. Pure. */
import { withDependencies, graphOf } from "../../manifest/graph.ts";
import type { ProjectSpec, Reload, ServiceSpec } from "../../manifest/project.ts";
import { servicesWithin } from "../../routes/named.ts";
import { type Pending, pendingText } from "../../routes/pending.ts";
import { pastedWord } from "../../text/shell-words.ts";
import { type Code, codeOf } from "./code.ts";
import { type GitHead, noRepository } from "./git-head.ts";

/** The declarations of a project that a person has seen, by `up` or by an edit of their own. */
export type Seen = {
  /** The commit of git's HEAD then; `noRepository` without a repository, undefined where it cannot be read. */
  head: string | undefined;
  /** The value of `reload` at the last `up`. */
  reload: Reload;
  /** By service. */
  code: ReadonlyMap<string, Code>;
  /** Unseen: once here, it waits for `up`, wherever HEAD goes. By service. */
  waiting: ReadonlyMap<string, Code>;
  /** Declarations with that code, as far as this daemon has read them; in memory only. */
  specs: ReadonlyMap<string, ServiceSpec>;
};

/** All is taken; what git has not brought; nothing. `why` is for a person. */
export type Trust = { kind: "all" } | { kind: "edits" } | { kind: "nothing"; why: string };

export type Reviewed = {
  /** The project to run: services that wait keep the declaration that was seen last. */
  spec: ProjectSpec;
  pending: ReadonlyMap<string, Pending>;
  seen: Seen;
};

export const nothingSeen: Seen = {
  head: undefined,
  reload: "git",
  code: new Map(),
  waiting: new Map(),
  specs: new Map(),
};

export function trustOf(
  { reload: { value, personal }, foreign }: Pick<ProjectSpec, "reload" | "foreign">,
  { seen, head }: { seen: Pick<Seen, "head" | "reload">; head: GitHead },
): Trust {
  const reload = personal ? value : seen.reload;
  if (reload === "auto") return { kind: "all" };
  if (reload === "ask") return { kind: "nothing", why: 'reload is "ask"' };
  if (foreign !== undefined) {
    return {
      kind: "nothing",
      why: `${pastedWord(foreign)} belongs to another user, who may have changed it`,
    };
  }
  if (head.kind === "unknown") {
    return { kind: "nothing", why: `git's HEAD cannot be told: ${head.why}` };
  }
  if (head.kind === "head" && head.within !== undefined) {
    return { kind: "nothing", why: `git is in the middle of ${head.within}` };
  }
  if (idOf(head) === seen.head || (head.kind === "head" && head.committed)) {
    return { kind: "edits" };
  }
  return { kind: "nothing", why: "git's HEAD is another than at the last up" };
}

/** Undefined where it cannot be read. */
export function idOf(head: GitHead): string | undefined {
  if (head.kind === "unknown") return undefined;
  return head.kind === "none" ? noRepository : head.id;
}

export function review(
  read: ProjectSpec,
  { seen, trust, head }: { seen: Seen; trust: Trust; head: GitHead },
): Reviewed {
  const code = new Map(seen.code);
  const waiting = new Map(seen.waiting);
  const specs = new Map(seen.specs);
  const pending = new Map<string, Pending>();
  const services = read.services.map((service) => {
    const { name } = service;
    const now = codeOf(service, read);
    const before = seen.code.get(name);
    const changed = before === undefined ? [...now.keys()] : changedKeys(before, now);
    const waited = seen.waiting.get(name);
    // A service that was added waits for as long as it runs the command that it came with.
    const telling = before === undefined ? ["command"] : changed;
    const unseen = waited !== undefined && telling.some((key) => waited.get(key) === now.get(key));
    const taken = trust.kind === "all" || (trust.kind === "edits" && !unseen);
    if (changed.length === 0 || taken) {
      code.set(name, now);
      specs.set(name, service);
      waiting.delete(name);
      return service;
    }
    waiting.set(name, now);
    const known = specs.get(name);
    const why = trust.kind === "nothing" ? trust.why : "it came with another HEAD of git";
    pending.set(name, {
      change: before === undefined ? "added" : "changed",
      keys: before === undefined ? [] : changed,
      before: known?.command ?? null,
      after: service.command,
      why,
      held: known === undefined,
    });
    return known === undefined ? service : asSeen(known, service);
  });
  const trusted = trust.kind !== "nothing";
  return {
    spec: { ...read, services: withoutHeld(services, pending) },
    pending,
    seen: { ...seen, ...(trusted ? { head: idOf(head) } : {}), code, waiting, specs },
  };
}

/** `up` of these services, or of all. */
export type Up = { names: readonly string[] | undefined };

export type Admitted = {
  reviewed: Reviewed;
  /** For a person: changes that this `up` approves. */
  takes: readonly string[];
  /** git is at work, so that who has brought what is known a moment later only. */
  again: boolean;
};

export type AdmitOptions = {
  /** Undefined where a person asks for an unknown project. */
  seen: Seen | undefined;
  /** HEAD before the files were read, and after: files come before it moves. */
  first: GitHead;
  last: GitHead;
  /** Undefined where nobody said `up`. */
  up: Up | undefined;
  /** False once git has been at work too long to wait for it. */
  patient: boolean;
};

export function admit(
  read: ProjectSpec,
  { seen: before, first, last, up, patient }: AdmitOptions,
): Admitted {
  const settled = (reviewed: Reviewed): Admitted => ({ reviewed, takes: [], again: false });
  if (before === undefined) {
    const seen = approve(read, { seen: undefined, names: undefined, head: first });
    const reviewed = review(read, { seen, trust: { kind: "all" }, head: first });
    // A repository that turns the waiting off for all that it will ever bring does not do so in silence.
    const turnsOff = seen.reload === "auto" && !read.reload.personal;
    const takes = turnsOff ? [reloadText(nothingSeen.reload, seen.reload)] : [];
    return { reviewed, takes, again: false };
  }
  const trust = trustOf(read, { seen: before, head: last });
  const reviewed = review(read, { seen: before, trust, head: last });
  const within = up?.names?.map((word) => servicesWithin(word, read));
  const names = within?.flatMap((its) => (its.kind === "services" ? its.names : []));
  const sound = within?.every((its) => its.kind === "services") ?? true;
  if (up !== undefined && sound) {
    // A HEAD that has moved since may bring files that were not read.
    const seen = approve(read, { seen: reviewed.seen, names, head: first });
    const rest = { seen, trust: trustOf(read, { seen, head: first }), head: first };
    return {
      reviewed: review(read, rest),
      takes: newlySeen(reviewed.seen, seen),
      again: false,
    };
  }
  const busy = last.kind === "head" && last.busy;
  if (!busy || trust.kind !== "edits") return settled(reviewed);
  const why = "git is at work there, or has left a lock";
  const strict = review(read, { seen: before, trust: { kind: "nothing", why }, head: last });
  if (strict.pending.size === 0) return settled(reviewed);
  if (!patient) return settled(strict);
  return { reviewed: { ...strict, seen: before }, takes: [], again: true };
}

/** A person has said `up`: of these services and what they depend on, or of all. */
export function approve(
  read: ProjectSpec,
  {
    seen,
    names,
    head,
  }: { seen: Seen | undefined; names: readonly string[] | undefined; head: GitHead },
): Seen {
  const whole = seen === undefined || names === undefined;
  const these = whole ? undefined : new Set(withDependencies(graphOf(read.services), names));
  const code = new Map(whole ? [] : seen.code);
  const waiting = new Map(whole ? [] : seen.waiting);
  const specs = new Map(whole ? [] : seen.specs);
  for (const service of read.services) {
    const { name } = service;
    if (these?.has(name) === false) continue;
    code.set(name, codeOf(service, read));
    specs.set(name, service);
    waiting.delete(name);
  }
  const reload = whole ? read.reload.value : seen.reload;
  return { head: idOf(head), reload, code, waiting, specs };
}

/** For a person: the changes that an approval adds to what was seen. */
export function newlySeen(before: Seen, after: Seen): string[] {
  const texts: string[] = [];
  for (const [name, now] of after.code) {
    const old = before.code.get(name);
    const keys = old === undefined ? [] : changedKeys(old, now);
    if (old !== undefined && keys.length === 0) continue;
    texts.push(
      pendingText(name, {
        change: old === undefined ? "added" : "changed",
        keys,
        before: before.specs.get(name)?.command ?? null,
        after: after.specs.get(name)?.command ?? "",
        why: "",
        held: false,
      }),
    );
  }
  if (before.reload !== after.reload) texts.push(reloadText(before.reload, after.reload));
  return texts;
}

function reloadText(before: Reload, after: Reload): string {
  const meaning = after === "auto" ? ": what git brings runs at once" : "";
  return `reload ("${before}" -> "${after}"${meaning})`;
}

/** No service waits for an added one that is held: what runs was approved without it, and can be restarted. */
function withoutHeld(
  services: readonly ServiceSpec[],
  pending: ReadonlyMap<string, Pending>,
): readonly ServiceSpec[] {
  const isHeld = (name: string): boolean => {
    const its = pending.get(name);
    return its?.change === "added" && its.held;
  };
  return services.map((its) =>
    its.dependsOn.some(isHeld)
      ? { ...its, dependsOn: its.dependsOn.filter((name) => !isHeld(name)) }
      : its,
  );
}

/**
 * The declaration that was seen, with the dependencies and the address of the current file, so that its order holds.
 */
function asSeen(
  known: ServiceSpec,
  { dependsOn, conditions, restartWith, routeName, instance, type }: ServiceSpec,
) {
  return {
    ...known,
    instance,
    dependsOn,
    conditions,
    restartWith,
    routeName: type === known.type ? routeName : known.routeName,
  };
}

function changedKeys(before: Code, now: Code): string[] {
  return [...new Set([...before.keys(), ...now.keys()])].filter(
    (key) => before.get(key) !== now.get(key),
  );
}
