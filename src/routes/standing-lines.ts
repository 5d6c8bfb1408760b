/** Lines of output, as they are followed -> those without an end that still stand. Pure. */
import type { OutputLine } from "./project-report.ts";

/** Behind a line that has no end yet, where nothing else shows it. */
export const openMark = " [open]";

type Line = Omit<OutputLine, "time">;

export class StandingLines<Its extends Line = Line> {
  readonly #lines = new Map<string, Its>();

  /** @returns false for a line that is none of the log's yet. */
  hear(line: Its): boolean {
    const key = `${line.stream} ${line.service}`;
    // The newest is the last.
    this.#lines.delete(key);
    if (!line.open) return true;
    if (line.message !== "") this.#lines.set(key, line);
    return false;
  }

  /** The oldest first; of one service, or of all. */
  all(service?: string): Its[] {
    const lines = [...this.#lines.values()];
    return service === undefined ? lines : lines.filter((line) => line.service === service);
  }
}
