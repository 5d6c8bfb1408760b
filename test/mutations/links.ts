/** Guards of byte streams -> how each could be lost. */
import type { Fault } from "./fault.ts";

const lastWords = ["test/link/last-words.test.ts"];

export const links: readonly Fault[] = [
  {
    name: "last words are cut off by a close at once",
    file: "src/link/last-words.ts",
    find: "    this.#link.halfClose();",
    replace: "    this.#link.close();",
    tests: lastWords,
  },
  {
    name: "last words on a paused link wait for a peer's end that is never told",
    file: "src/link/last-words.ts",
    find: "    this.#link.resume();\n",
    replace: "",
    tests: lastWords,
  },
  {
    name: "a peer that never reads the last words keeps its link",
    file: "src/link/last-words.ts",
    find: "this.#wait(flush, () => this.#link.abort());",
    replace: "this.#wait(1_000 * flush, () => this.#link.abort());",
    tests: lastWords,
  },
  {
    name: "a peer that never closes keeps its link",
    file: "src/link/last-words.ts",
    find: "this.#wait(this.#options.linger, () => this.#close());",
    replace: "this.#wait(1_000 * this.#options.linger, () => this.#close());",
    tests: lastWords,
  },
];
