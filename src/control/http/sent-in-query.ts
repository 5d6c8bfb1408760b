/** A query -> the input of a command. Pure. */
import type { Command } from "../commands/command.ts";
import type { Asked } from "./asked.ts";

/** Wrong types are left for the command to report. */
export function sentInQuery(asked: Asked, { input, streams }: Command): Record<string, unknown> {
  // No prototype: a key may have the name of one of its properties.
  const sent: Record<string, unknown> = Object.create(null);
  for (const [key, text] of new URLSearchParams(asked.query)) {
    // The token has admitted the client, and is not part of the command.
    if (streams === "sse" && key === "token") continue;
    // A repeated key is a mistake; no field accepts an array.
    sent[key] = Object.hasOwn(sent, key)
      ? [sent[key], text]
      : readField(Object.hasOwn(input.entries, key) ? input.entries[key] : undefined, text);
  }
  const lastId = asked.header("last-event-id");
  if (streams === "sse" && lastId !== undefined) sent.last_event_id = lastId;
  return sent;
}

type Field = { type?: string; wrapped?: Field };

/** Fields in queries are text or whole numbers. */
function readField(field: Field | undefined, text: string): unknown {
  let inner = field;
  while (inner?.wrapped !== undefined) inner = inner.wrapped;
  return inner?.type === "number" && /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}
