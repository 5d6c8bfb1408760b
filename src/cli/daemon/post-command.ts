/** A command of the daemon -> its answer over HTTP, or an error for a person. */
import { httpRequest } from "../../control/found/http-request.ts";
import type { ErrorCode } from "../../control/found/protocol.ts";
import { endpointOf } from "../../control/found/registration.ts";
import { systemClock } from "../../system/clock.ts";
import { printable } from "../../text/printable.ts";
import { Failure, type FailureCode } from "../shared/failure.ts";
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
  const { code, message } =
    answer.kind === "answer"
      ? readFailure(answer.body)
      : { code: "no_answer" as const, message: `no answer: ${answer.why}` };
  const status = answer.kind === "answer" ? answer.status : undefined;
  throw Object.assign(new Failure(code, `${failure}: ${printable(message, 500)}`), { status });
}

function readFailure(body: string): { code: FailureCode; message: string } {
  try {
    return (JSON.parse(body) as { error: { code: ErrorCode; message: string } }).error;
  } catch {
    // A daemon of this version does not answer like that.
    return { code: "failed", message: "its answer is not valid; try: localhostess server restart" };
  }
}
