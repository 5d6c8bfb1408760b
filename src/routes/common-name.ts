/** A value of NAME that many unrelated programs have -> the words for a person. Pure. */
import { printable } from "../text/printable.ts";

/** A shell profile, a terminal or Windows gives it to every program: it is no server's name. */
export type CommonName = {
  name: string;
  /** Unrelated programs that have it, one of each: ascending. */
  pids: readonly number[];
};

/** Pids that are told. */
const mostPids = 4;

/** A sentence, without its end. */
export function commonNameText({ name, pids }: CommonName): string {
  const more = pids.length > mostPids ? ` and ${pids.length - mostPids} more` : "";
  const shown = printable(name, 100);
  return `NAME=${shown} is ignored, because unrelated programs have it (pid ${pids.slice(0, mostPids).join(", ")}${more}), as if a shell profile exported it; ${commonNameRemedy}`;
}

/** A clause: what to do. */
export const commonNameRemedy = "remove it there, or give each server a NAME of its own";
