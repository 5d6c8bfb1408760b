/** A failure of a verb, or of the daemon -> a stable code for programs, beside the sentence for a person. */
import type { ErrorCode } from "../../control/found/protocol.ts";

/** Codes of this program's own; docs/json.md says when each is used. */
export const failureCodes = [
  "usage",
  "failed",
  "no_project",
  "invalid_project",
  "exists",
  "declined",
  "not_running",
  "no_answer",
  "not_started",
  "not_stopped",
  "not_up",
  "ambiguous",
  "state_directory",
  "broken_authority",
  "not_ready",
  "interrupted",
  "port_in_use",
  "no_browser",
] as const;

/** A code of this program, or one that the daemon has answered with. */
export type FailureCode = (typeof failureCodes)[number] | ErrorCode;

export class Failure extends Error {
  readonly code: FailureCode;

  constructor(code: FailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
