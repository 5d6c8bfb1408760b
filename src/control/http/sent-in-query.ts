/** A query -> what the body of a command would hold. Pure. */
import type { Command } from "../commands/command.ts";
import type { Asked } from "./asked.ts";

/** Wrong shapes are left for the command to complain of. */
export function sentInQuery(asked: Asked, { input, streams }: Command): Record<string, unknown> {
  // Without a prototype, as a key may be named like a part of it.
  const sent: Record<string, unknown> = Object.create(null);
  for (const [key, text] of new URLSearchParams(asked.query)) {
    // It has let them in, and is no part of the command.
    if (streams === "sse" && key === "token") continue;
    // Twice is a mistake, and an array is no field's type.
    sent[key] = Object.hasOwn(sent, key)
      ? [sent[key], text]
      : readField(Object.hasOwn(input.entries, key) ? input.entries[key] : undefined, text);
  }
  const lastId = asked.header("last-event-id");
  if (streams === "sse" && lastId !== undefined) sent.last_event_id = lastId;
  return sent;
}

type Field = { type?: string; wrapped?: Field };

/** The only types in queries are text and whole numbers. */
function readField(field: Field | undefined, text: string): unknown {
  let inner = field;
  while (inner?.wrapped !== undefined) inner = inner.wrapped;
  return inner?.type === "number" && /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}
