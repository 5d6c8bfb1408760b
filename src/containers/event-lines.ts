/** The bytes of an engine's events -> whether any of them may have changed a name. Holds one line at most. */

/** Actions of containers after which the list of them is another. `die` is `died` in older versions of Podman. */
const news: ReadonlySet<string> = new Set([
  ...["start", "die", "died", "stop", "restart", "restore"],
  ...["destroy", "remove", "rename", "pause", "unpause"],
]);

/** Bytes. An event holds the labels of its container; a longer one counts as news, unread. */
const longestLine = 256 * 1024;
const mostParts = 64;

export class EventLines {
  #parts: Buffer[] = [];
  #length = 0;

  /** Takes a piece, of which it keeps a copy of the last line's beginning. */
  take(bytes: Uint8Array): boolean {
    let isNews = false;
    let start = 0;
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
      isNews ||= this.#isNews(bytes.subarray(start, end));
      start = end + 1;
      this.#parts = [];
      this.#length = 0;
    }
    const rest = bytes.subarray(start);
    this.#length += rest.length;
    if (this.#length > longestLine) this.#parts = [];
    else if (rest.length > 0) this.#parts.push(Buffer.from(rest));
    // A line that comes byte by byte is not kept as a hundred thousand pieces.
    if (this.#parts.length > mostParts) this.#parts = [Buffer.concat(this.#parts)];
    return isNews;
  }

  #isNews(end: Uint8Array): boolean {
    if (this.#length + end.length > longestLine) return true;
    const line = Buffer.concat([...this.#parts, end]).toString();
    if (line.trim() === "") return false;
    return isNewsLine(line);
  }
}

/** A line that cannot be read is news: looking again does no harm. */
export function isNewsLine(line: string): boolean {
  try {
    const { Action, status } = JSON.parse(line) as { Action?: unknown; status?: unknown };
    const action = typeof Action === "string" ? Action : status;
    return typeof action !== "string" || news.has(action);
  } catch {
    // Half a line, or none of ours.
    return true;
  }
}
