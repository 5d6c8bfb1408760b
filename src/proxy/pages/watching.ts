/**
 * A page of ours in a browser -> loaded again by an event, when what it says is no longer so. Pure.
 *
 * A reload on a timer would begin the page anew for a person who listens to it. So a script asks once, and the answer
 * comes when there is something new. The page is served on the app's own address, and what the script asks must tell
 * the app's scripts nothing: the question names no path of the app's, the answer is empty, and only somebody who has
 * read the page knows the mark for which an answer waits.
 */
import { Field } from "../../wire/field.ts";
import { FIELD_STRIDE, type FieldLines, VALUE_END, VALUE_START } from "../../wire/head.ts";
import { html, type Html } from "../../text/html.ts";
import type { Reply } from "./reply.ts";

/** Asked for in Accept, which a page without an origin may set. No app has anything of this type. */
const mediaType = "application/vnd.localhostess.news;mark=";
const markForm = /^[0-9a-f]{32}$/;

/**
 * A page that was loaded by this script waits a second before it does so again, should it never get beyond itself. A
 * page that nobody looks at does not ask. An answer that does not come, because we have waited long enough or the
 * daemon is another one, is asked for again.
 */
export const watchScript = `
const its = document.getElementById("news");
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const seen = () => document.hidden
  ? new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }))
  : undefined;
(async () => {
  const again = performance.getEntriesByType("navigation")[0]?.type === "reload";
  for (let asks = true; asks; ) {
    while (document.hidden) await seen();
    try {
      await fetch("/", {
        mode: "no-cors", cache: "no-store", credentials: "omit", headers: { accept: its.dataset.asks },
      });
      asks = false;
    } catch {
      await pause(1000);
    }
  }
  if (again) await pause(Math.max(0, 1000 - performance.now()));
  location.reload();
})();
`;

/** The mark in a question of the script; undefined: any other request. */
export function watchedMark(head: FieldLines, bytes: Uint8Array): string | undefined {
  const index = head.find(Field.accept);
  if (index === -1) return undefined;
  const start = head.fields[index * FIELD_STRIDE + VALUE_START]!;
  // The length first: no string is made for other requests.
  const length = head.fields[index * FIELD_STRIDE + VALUE_END]! - start;
  if (length !== mediaType.length + 32 || bytes[start] !== mediaType.charCodeAt(0))
    return undefined;
  const value = head.valueOf(bytes, index);
  const mark = value.slice(mediaType.length);
  return value.startsWith(mediaType) && markForm.test(mark) ? mark : undefined;
}

/** There is news, and the page itself is the place for it. */
export const newsReply: Reply = {
  status: 200,
  fields: [
    ["Content-Type", "text/plain"],
    // The page that asks has no origin, so to a browser it is another site.
    ["Cross-Origin-Resource-Policy", "cross-origin"],
  ],
  body: "",
};

/**
 * The sentence about what the page waits for, and a link for a browser without scripts. `mark`: of what the page says;
 * undefined where it may not load itself again, because a form was sent.
 */
export function watchLine(sentence: string, mark: string | undefined): Html {
  const link = html`<a href="">Load it again</a>`;
  if (mark === undefined) return html`<p>${link}</p>`;
  return html`<p class="soft">
    <span role="status" id="news" data-asks="${mediaType}${mark}">${sentence}</span> ${link}
  </p>`;
}
