/** A command and its input -> its value, or every mistake in the input. */
import * as v from "valibot";
import { TakenOver } from "../../supervisor/handed.ts";
import { type Backend, type Command, CommandError, Elsewhere, type Schema } from "./command.ts";

/** Checks the input, runs the command. @returns a value, or a `Stream` if the command streams. @throws CommandError */
export async function perform(
  { name, input, changes, session, run }: Command,
  { sent, backend, bySession = false }: { sent: unknown; backend: Backend; bySession?: boolean },
): Promise<unknown> {
  const wrong = mistakesIn(sent, input);
  if (wrong.length > 0) {
    throw new CommandError(
      "bad_request",
      `${name}: ${wrong.join("; ").slice(0, longestComplaint)}`,
    );
  }
  const read = v.parse(input, sent);
  if (bySession && changes) {
    const why = session === undefined ? notBySession : session(read as never, backend);
    if (why !== undefined) throw new CommandError("forbidden", `${name}: ${why}`);
  }
  try {
    return await run(read as never, backend);
  } catch (error) {
    throw error instanceof TakenOver ? new Elsewhere(error) : error;
  }
}

const notBySession = "the page may not do this; the command line does";

/** Characters. A message may repeat parts of the input. */
const longestComplaint = 2000;

function mistakesIn(sent: unknown, input: Schema): string[] {
  // The library accepts a list as an object, as the language does.
  if (Array.isArray(sent)) return ["what was sent: an object is needed, and it is a list"];
  const keys = typeof sent === "object" && sent !== null ? Object.keys(sent) : [];
  const entries = input.entries as Readonly<Record<string, Field>>;
  const lists = keys.filter(
    (key) =>
      Object.hasOwn(entries, key) &&
      innermost(entries[key]!).type === "record" &&
      Array.isArray((sent as Record<string, unknown>)[key]),
  );
  const read = v.safeParse(input, sent);
  const issues = read.success ? [] : read.issues;
  return [
    ...lists.map((key) => `${key}: an object is needed, and it is a list`),
    ...issues.map((issue) => `${v.getDotPath(issue) ?? "what was sent"}: ${issue.message}`),
  ];
}

type Field = { type?: string; wrapped?: Field };

/** The field inside `optional` and `nullable`. */
function innermost(field: Field): Field {
  return field.wrapped === undefined ? field : innermost(field.wrapped);
}

/** A command's value -> its reply by IPC. */
export function replyOf({ name, reply }: Command, value: unknown): unknown {
  return reply === undefined ? { [name]: value } : reply(value as never);
}
