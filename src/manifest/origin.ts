/** A word -> a web origin as browsers write it, or why it is not one. Pure. */
import { shown } from "../text/shown.ts";

export type WebOrigin = { kind: "origin"; origin: string } | { kind: "mistake"; why: string };

/** RFC 6454 section 6.2: scheme, host, and the port if it is not the scheme's; in lower case, with nothing after it. */
export function readOrigin(text: string): WebOrigin {
  const mistake = (why: string): WebOrigin => ({ kind: "mistake", why: `${shown(text)} ${why}` });
  if (text.includes("*")) {
    return mistake(
      "contains *, which would allow anyone who has a matching name; list each origin",
    );
  }
  if (text === "null") {
    return mistake("is the origin of every sandboxed page and local file; list each origin");
  }
  const url = URL.parse(text);
  const isWeb = url !== null && /^https?:\/\//i.test(text) && url.hostname !== "";
  if (!isWeb) {
    const guess = URL.parse(`http://${text}`);
    const meant =
      guess !== null && /^[a-z0-9[]/i.test(text) && !text.includes("://") && guess.hostname !== ""
        ? `; did you mean ${JSON.stringify(guess.origin)}?`
        : "";
    return mistake(
      `is not an origin; expected http:// or https://, a host and an optional port${meant}`,
    );
  }
  if (url.origin === text) return { kind: "origin", origin: text };
  return mistake(
    `is not in the form that browsers send; did you mean ${JSON.stringify(url.origin)}?`,
  );
}
