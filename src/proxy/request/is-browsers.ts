/** A CONNECT -> whether a browser sends it. Pure. */
import type { FieldLines } from "../../wire/head.ts";

/**
 * Chromium and Firefox put their name into CONNECT, and no page can change it there. Safari has the name of WebKit's
 * process in it: `com.apple.WebKit.Networking/21624 Network/5812 macOS/26.5`, or `Safari/` with its build.
 */
export function isBrowsers(head: FieldLines, bytes: Uint8Array): boolean {
  for (let index = 0; index < head.fieldCount; index++) {
    if (!head.isNamed(bytes, index, "user-agent")) continue;
    return /^(?:mozilla|(?:mobile)?safari|com\.apple\.webkit[.\w]*)\//i.test(
      head.valueOf(bytes, index),
    );
  }
  return false;
}
