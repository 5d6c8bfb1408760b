/** Changes to a project's files that wait for `up` -> sentences about them. Pure. */
import { cut } from "../text/cut.ts";
import { pastedWord } from "../text/shell-words.ts";
import { unprintable } from "../text/unprintable.ts";

/** A service whose declaration in the files differs from the version the person last saw. */
export type Pending = {
  change: "added" | "changed";
  /** The changed keys as in the file: `command`, `env.PATH`. */
  keys: readonly string[];
  /** The command at the last `up`; null if it is not known or there was none. */
  before: string | null;
  /** The command that waits. */
  after: string;
  /** The reason, such as `git's HEAD is another than at the last up`. */
  why: string;
  /** True if no earlier version of the service is known; it is then not started at all. */
  held: boolean;
};

/** Characters that could hide or reverse a part of a command. */
const unsafe = new RegExp(unprintable, "gu");

/** Characters of a command that are shown. */
const longest = 300;

/** For example `api (command: "bun a.ts" -> "bun b.ts", env.PATH)` or `db (new: "redis-server")`. */
export function pendingText(service: string, { change, keys, before, after }: Pending): string {
  if (change === "added") return `${service} (new: ${quoted(after)})`;
  const texts = keys.map((key) => {
    if (key !== "command") return key;
    const old = before === null ? "" : `${quoted(before)} -> `;
    return `command: ${old}${quoted(after)}`;
  });
  return `${service} (${texts.join(", ")})`;
}

export type Waiting = { project: string; directory: string; services: [string, Pending][] };

/**
 * For example `shop: git's HEAD is another than at the last up; waiting for localhostess up /srv/shop: api (...)`.
 */
export function waitingText({ project, directory, services }: Waiting): string {
  const whys = new Set(services.map(([, { why }]) => why));
  const these = services.map(([name, pending]) => pendingText(name, pending)).join(", ");
  return `${project}: ${[...whys].join("; ")}; waiting for ${upCommand(directory)}: ${these}`;
}

/** Groups pending changes by project. */
export function waitingOf(
  rows: readonly {
    project: string;
    service: string;
    directory: string;
    pending?: Pending | null | undefined;
  }[],
): Waiting[] {
  const found = new Map<string, Waiting>();
  for (const { project, service, directory, pending } of rows) {
    if (!pending) continue;
    const its = found.get(project) ?? { project, directory, services: [] };
    its.services.push([service, pending]);
    found.set(project, its);
  }
  return [...found.values()];
}

export function upCommand(directory: string): string {
  return `localhostess up ${pastedWord(directory)}`;
}

function quoted(text: string): string {
  const shown = JSON.stringify(cut(text, longest));
  return shown.replace(unsafe, (its) => `\\u{${its.codePointAt(0)!.toString(16)}}`);
}
