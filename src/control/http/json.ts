/** Bytes from a client -> the JSON value in them, or the reason why there is none. Pure. */

export type Json = { kind: "value"; value: unknown } | { kind: "bad"; why: string };

/** Levels of nesting. No command needs more than two, and no client may use up the parser's stack. */
const deepest = 32;

export function readJson(bytes: Uint8Array): Json {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return { kind: "bad", why: "it is not UTF-8" };
  }
  if (text.trim() === "") return { kind: "bad", why: "there is nothing" };
  if (isTooDeep(text)) return { kind: "bad", why: `it is nested more than ${deepest} deep` };
  try {
    return { kind: "value", value: JSON.parse(text) };
  } catch {
    return { kind: "bad", why: "it is not JSON" };
  }
}

function isTooDeep(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (quoted) {
      if (code === 92) index++;
      else if (code === 34) quoted = false;
    } else if (code === 34) quoted = true;
    else if (code === 91 || code === 123) {
      depth += 1;
      if (depth > deepest) return true;
    } else if (code === 93 || code === 125) depth -= 1;
  }
  return false;
}
