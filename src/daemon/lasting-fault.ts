/** An attempt that is made every second -> a note when it begins to fail, and none while it goes on failing. */
import { unwritableWhy } from "../text/unwritable.ts";

export class LastingFault {
  readonly #note: (text: string) => void;
  readonly #what: string;
  #last: string | undefined;

  /** `what`: the beginning of the note, as in "the record cannot be written". */
  constructor(what: string, note: (text: string) => void) {
    this.#what = what;
    this.#note = note;
  }

  /** The attempt has worked: the next failure is noted. */
  over(): void {
    this.#last = undefined;
  }

  met(error: Error & { code?: string }): void {
    // The text of one fault may differ each time, as by the name of a temporary file.
    const its = error.code ?? error.message;
    if (its !== this.#last) this.#note(`${this.#what}: ${unwritableWhy(error)}`);
    this.#last = its;
  }
}
