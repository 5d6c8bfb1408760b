/** A CONNECT -> whether a browser sends it. Pure. */
import type { FieldLines } from "../../wire/head.ts";

/** Chromium and Firefox put their name into CONNECT, and no page can change it there. */
export function isBrowsers(head: FieldLines, bytes: Uint8Array): boolean {
  for (let index = 0; index < head.fieldCount; index++) {
    if (!head.isNamed(bytes, index, "user-agent")) continue;
    return /^mozilla\//i.test(head.valueOf(bytes, index));
  }
  return false;
}
