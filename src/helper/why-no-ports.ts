/** The answer of the helper -> why it gives no port, and the command that helps, in words. Pure. */
import type { HelperAnswer } from "./ask-for-ports.ts";

export type Unhelped = {
  /** Completes "ports 80 and 443 are not used: ...". */
  why: string;
  fix: string;
};

/** Mends whatever is wrong with an installed helper, too. */
export const setupCommand = "localhostess setup";

export function whyNoPorts(
  answer: Exclude<HelperAnswer, { kind: "sockets" }>,
  version: string,
): Unhelped {
  switch (answer.kind) {
    case "none":
      return { why: "only root may listen there", fix: setupCommand };
    case "unsafe":
      return { why: `the helper is not trusted: ${answer.why}`, fix: setupCommand };
    case "refused":
      // The command that helps is beside it.
      return { why: answer.why.replace(/\. To (?:change|mend) that: .*$/, ""), fix: setupCommand };
    case "version": {
      const its = answer.its === "" ? "of another version" : `version ${answer.its}`;
      return { why: `${answer.path} is ${its}, and this is ${version}`, fix: setupCommand };
    }
    case "failed":
      return { why: answer.why, fix: "localhostess doctor" };
  }
}
