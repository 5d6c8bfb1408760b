/** A word of `allow_posts` -> the path that it allows, or why it cannot be one. Pure. */
import { didYouMeanText } from "../text/nearest.ts";
import { shown } from "../text/shown.ts";

export type PostPath = { kind: "path"; path: string } | { kind: "mistake"; why: string };

/**
 * Exactly as a browser sends it, without a query: `/auth/..%2fadmin` is under `/auth/` to us and may be `/admin` to a
 * server, so there are no patterns.
 */
export function readPostPath(text: string): PostPath {
  const mistake = (why: string): PostPath => ({ kind: "mistake", why: `${shown(text)} ${why}` });
  if (text.includes("*")) return mistake("has a *; list each path");
  if (!text.startsWith("/")) {
    const url = /^https?:\/\//i.test(text) ? URL.parse(text) : null;
    return mistake(`does not begin with /${meantText(url?.pathname ?? `/${text}`)}`);
  }
  const path = pathOf(text);
  if (path === undefined) return mistake("is not a path");
  return path === text
    ? { kind: "path", path }
    : mistake(`is not in the form that browsers send${meantText(path)}`);
}

/** Suggests what was probably meant, if that is valid itself. */
function meantText(guess: string): string {
  return readPostPath(guess).kind === "path" ? didYouMeanText(guess) : "";
}

function pathOf(text: string): string | undefined {
  // Two slashes would begin a host.
  return URL.parse(`http://x${text}`)?.pathname;
}
