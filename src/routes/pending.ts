/** What of a project's files waits for `up` -> sentences about it. Pure. */
import { pastedWord } from "../text/shell-words.ts";
import { unprintable } from "../text/unprintable.ts";

/** A service of which the files say what nobody has seen yet. */
export type Pending = {
  change: "added" | "changed";
  /** As the file spells them: `command`, `env.PATH`. */
  keys: readonly string[];
  /** The command that was seen last; null where it is not known any more, or there was none. */
  before: string | null;
  /** The command that waits. */
  after: string;
  /** `git's HEAD is another than at the last up`. */
  why: string;
  /** Nothing that was seen is known of it, so that it is not started at all. */
  held: boolean;
};

/** What would hide or turn around a part of a command. */
const unsafe = new RegExp(unprintable, "gu");

/** Characters of a command that are shown. */
const longest = 300;

/** `api (command: "bun a.ts" -> "bun b.ts", env.PATH)`, `db (new: "redis-server")`. */
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

/** `shop: git's HEAD is another than at the last up; localhostess up /srv/shop takes what waits: api (...), db (...)`. */
export function waitingText({ project, directory, services }: Waiting): string {
  const whys = new Set(services.map(([, { why }]) => why));
  const these = services.map(([name, pending]) => pendingText(name, pending)).join(", ");
  return `${project}: ${[...whys].join("; ")}; ${upCommand(directory)} takes what waits: ${these}`;
}

/** By project, of whatever names its services so. */
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
  const cut = text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
  return JSON.stringify(cut).replace(unsafe, (its) => `\\u{${its.codePointAt(0)!.toString(16)}}`);
}
