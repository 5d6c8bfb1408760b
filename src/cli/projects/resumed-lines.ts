/** Lines of logs, and the same again from the daemon that has taken over -> each of them once. */
import { ask } from "../../control/found/client.ts";
import type { JsonForm } from "../../routes/json-form.ts";
import type { OutputLine } from "../../routes/project-report.ts";

type Line = JsonForm<OutputLine>;

/** Milliseconds by which lines of one service may come later than younger ones of another. */
const overlap = 5000;
/** Milliseconds for an answer of the next daemon. */
const patience = 3000;
/** Milliseconds for which a daemon was heard at least: one that ends each stream at once would be asked for ever. */
const shortest = 200;

export class ResumedLines {
  readonly #began: number;
  readonly #now: () => number;
  /** By service and stream: the time of its last line, and how many lines had it. */
  readonly #last = new Map<string, { time: number; count: number }>();
  /** While lines may come again: how many of that time have. */
  readonly #again = new Map<string, number>();
  #newest = 0;
  #asked: number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.#began = this.#asked = now();
  }

  /** Whether it comes for the first time. */
  isNew({ service, stream, time, open }: Line): boolean {
    if (open) return true;
    const key = `${stream} ${service}`;
    const at = Date.parse(time);
    const last = this.#last.get(key);
    if (last === undefined && this.#asked !== this.#began && at < this.#began) return false;
    if (last !== undefined && at < last.time) return false;
    if (last?.time === at) {
      const again = this.#again.get(key);
      if (again !== undefined && again < last.count) {
        this.#again.set(key, again + 1);
        return false;
      }
      last.count += 1;
      return true;
    }
    this.#again.delete(key);
    this.#last.set(key, { time: at, count: 1 });
    this.#newest = Math.max(this.#newest, at);
    return true;
  }

  /**
   * The stream has ended. Resolves with the time from which to ask on, ISO 8601, where another daemon is at the socket;
   * undefined: none is.
   */
  async next(socket: string): Promise<string | undefined> {
    if (this.#now() - this.#asked < shortest) return undefined;
    const asked = await ask(socket, "Status", { deadline: patience });
    if (asked.kind !== "reply") return undefined;
    this.#asked = this.#now();
    for (const key of this.#last.keys()) this.#again.set(key, 0);
    return new Date(Math.max(this.#began, this.#newest) - overlap).toISOString();
  }
}
