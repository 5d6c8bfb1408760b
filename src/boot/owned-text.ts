/** A text that we write into a file -> the same with a line by which we know later whether somebody has changed it. */
import { createHash } from "node:crypto";

/** `ours`: as we, or an earlier version of this program, have written it. */
export type Ownership = "ours" | "edited";

export type Comment = {
  /** Before and after the line. */
  open: string;
  close: string;
};

export const hashComment: Comment = { open: "# ", close: "" };
/** Behind the last element: an XML file begins with its declaration. */
export const xmlComment: Comment = { open: "<!-- ", close: " -->" };

const words = "Written by localhostess; unchanged since:";

/** The line is the last one. */
export function ownedText(text: string, { open, close }: Comment = hashComment): string {
  return `${text}${open}${words} ${hashOf(text)}${close}\n`;
}

export function ownershipOf(text: string): Ownership {
  const at = text.trimEnd().lastIndexOf("\n") + 1;
  const said = new RegExp(`${words} ([0-9a-f]{16})\\b`).exec(text.slice(at))?.[1];
  return said === hashOf(text.slice(0, at)) ? "ours" : "edited";
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
