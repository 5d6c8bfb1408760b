/** Names that are kept for places at which nobody is now -> the sentence for one that was asked for. Pure. */
import type { ClaimSource } from "./claim.ts";

/** A claim that leads nowhere. */
export type WaitingName = {
  /** A lower-case DNS name without `.localhost`. */
  name: string;
  source: ClaimSource;
  /** Where the name is from: a clause. */
  because: string;
  /** `waits`: nobody is at its place. `shadowed`: the server there has another name, or another server has this one. */
  kind: "waits" | "shadowed";
  /** A clause. */
  why: string;
};

/** No server with a shorter name answers for these: whoever has given one means its own place. */
export function keptNames(waiting: readonly WaitingName[]): ReadonlySet<string> {
  return new Set(waiting.map(({ name }) => name));
}

/** The one that a request for `name` would go to: of that name, or of its longest ending. */
export function waitingFor(name: string, waiting: readonly WaitingName[]): WaitingName | undefined {
  let found: WaitingName | undefined;
  for (const its of waiting) {
    const isMeant = name === its.name || name.endsWith(`.${its.name}`);
    if (isMeant && its.name.length > (found?.name.length ?? 0)) found = its;
  }
  return found;
}

/** `localhostess name gives it to port 5432, and nothing listens on port 5432`. */
export function waitingText({ because, why }: WaitingName): string {
  return `${because}, and ${why}`;
}

/** A clause on what helps. */
export function waitingRemedy({ kind }: WaitingName): string {
  return kind === "waits"
    ? "start the server there, and it has the name"
    : "for all names that were given: localhostess name";
}
