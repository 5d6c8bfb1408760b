/** A word -> a web origin as browsers write it, or why it is none. Pure. */
import { shown } from "../text/shown.ts";

export type WebOrigin = { kind: "origin"; origin: string } | { kind: "mistake"; why: string };

/** RFC 6454 section 6.2: scheme, host, and a port that is not the scheme's own; in lower case, with nothing behind. */
export function readOrigin(text: string): WebOrigin {
  const mistake = (why: string): WebOrigin => ({ kind: "mistake", why: `${shown(text)} ${why}` });
  if (text.includes("*")) {
    return mistake("has a *, which would let in whoever makes such a name; list each origin");
  }
  if (text === "null") {
    return mistake("is what every sandboxed page and every file says; list each origin");
  }
  const url = URL.parse(text);
  const isWeb = url !== null && /^https?:\/\//i.test(text) && url.hostname !== "";
  if (!isWeb) {
    const guess = URL.parse(`http://${text}`);
    const meant =
      guess !== null && /^[a-z0-9[]/i.test(text) && !text.includes("://") && guess.hostname !== ""
        ? `; did you mean ${JSON.stringify(guess.origin)}?`
        : "";
    return mistake(`is no origin: http:// or https://, a host, and a port if it has one${meant}`);
  }
  if (url.origin === text) return { kind: "origin", origin: text };
  return mistake(`is not how browsers write it; did you mean ${JSON.stringify(url.origin)}?`);
}
