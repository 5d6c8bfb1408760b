/** Servers that no name leads to -> a list of them, each with its process and the command that names it. */
/** @jsxImportSource preact */
import { computed } from "@preact/signals";
import { nameless } from "./live.ts";
import { hasAll, wordsOf } from "./model.ts";
import { query } from "./search.ts";

/** Those that a search finds; without one, all. One with a bad name stands in the table, with its reason. */
export const namelessMatches = computed(() => {
  const words = wordsOf(query.value);
  return nameless.value.filter(
    ({ fault, message }) => fault !== "bad name" && hasAll(message, words),
  );
});

export function Nameless() {
  const rows = namelessMatches.value;
  if (rows.length === 0) return null;
  return (
    <div class="hits">
      <section aria-labelledby="nameless">
        <h2 id="nameless">
          Servers without a name <span class="soft">{rows.length}</span>
        </h2>
        <ul>
          {rows.map(({ pid, port, message }) => (
            <li key={`${pid} ${port}`}>
              <span class="service soft">:{port}</span>
              <span class="told">{message}</span>
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}
