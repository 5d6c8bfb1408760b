/** A command of the daemon -> its answer over HTTP, or an error for a person. */
import { httpRequest } from "../../control/found/http-request.ts";
import { endpointOf } from "../../control/found/registration.ts";
import { systemClock } from "../../system/clock.ts";
import { printable } from "../../text/printable.ts";
import type { Running } from "../shared/daemon-here.ts";

/** Milliseconds; the answer needs no look at the machine. */
const deadline = 5_000;

export type Posted = {
  /** The path of the command's route. */
  path: string;
  input: unknown;
  /** The failure of a person's wish, in front of the reason. */
  failure: string;
};

/**
 * The daemon has proved itself, so it may see the credential.
 * @throws an Error for a person, with the `status` of the answer.
 */
export async function postCommand<T>(
  { registration, credential }: Running,
  { path, input, failure }: Posted,
): Promise<T> {
  const answer = await httpRequest({
    ...endpointOf(registration.url)!,
    method: "POST",
    path,
    fields: { Authorization: `Bearer ${credential}` },
    body: JSON.stringify(input),
    deadline,
    clock: systemClock,
  });
  if (answer.kind === "answer" && answer.status === 200) return JSON.parse(answer.body) as T;
  const why = answer.kind === "answer" ? readFailure(answer.body) : `no answer: ${answer.why}`;
  const status = answer.kind === "answer" ? answer.status : undefined;
  throw Object.assign(new Error(`${failure}: ${printable(why, 500)}`), { status });
}

function readFailure(body: string): string {
  try {
    return (JSON.parse(body) as { error: { message: string } }).error.message;
  } catch {
    // A daemon of this version does not answer like that.
    return "its answer is not valid; try: localhostess server restart";
  }
}
