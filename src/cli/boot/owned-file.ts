/** A file that we want to have a text -> the step that writes it, or the reason why a person has to decide. */
import { type Comment, ownedText, ownershipOf } from "../../boot/owned-text.ts";
import { readText } from "../../system/read-text.ts";
import { lineDifference } from "../../text/line-difference.ts";
import { Failure } from "../shared/failure.ts";
import type { Step } from "./plan.ts";

/** Bytes: a unit, or an agent. */
const longest = 64 * 1024;

export type Wanted = {
  path: string;
  /** Without the line by which we know it. */
  text: string;
  comment?: Comment;
};

export type Having =
  | { kind: "absent" | "current" }
  /** An earlier version of this program has written it, or this one for another place. */
  | { kind: "older"; text: string }
  | { kind: "edited"; text: string };

/** @throws Failure where it cannot be read. */
export async function havingOf({ path, text, comment }: Wanted): Promise<Having> {
  const read = await readText(path, { longest, lossy: true });
  if (read.kind === "missing") return { kind: "absent" };
  if (read.kind === "unreadable") throw new Failure("failed", `${path}: ${read.why}`);
  if (read.text === ownedText(text, comment)) return { kind: "current" };
  return { kind: ownershipOf(read.text) === "ours" ? "older" : "edited", text: read.text };
}

/** @throws Failure where a person has changed the file, with the lines in which it differs. */
export async function writing(
  wanted: Wanted,
  { force, instead }: { force: boolean; instead: string },
): Promise<Step[]> {
  const having = await havingOf(wanted);
  if (having.kind === "current") return [];
  const { path, comment } = wanted;
  const text = ownedText(wanted.text, comment);
  if (having.kind === "edited" && !force) {
    const lines = lineDifference(having.text, text).join("\n");
    throw new Failure(
      "exists",
      `${path} was changed by somebody, or is not ours; ${instead}; to write over it: localhostess service install --force\n${lines}`,
    );
  }
  return [{ do: "write", path, text }];
}
