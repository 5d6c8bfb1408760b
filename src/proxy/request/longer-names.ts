/**
 * Names that only the service of a shorter one answers, as `api` answers for `x.api` -> whether a request for one waits
 * until the machine was looked at: a server may just have been started under the longer name.
 */
import type { Decision } from "../../routes/decide.ts";
import { classifyHost } from "../../routes/host.ts";

/** Seconds between two requests after which the second one waits: nobody starts a server in less. */
const patience = 2;
/** Seconds between two looks for names that were asked for before. */
const period = 1;
/** Names that are remembered: more subdomains than an application is used by at once. */
const remembered = 2048;

export class LongerNames {
  /** Each name with the time of its last request, in seconds; the least recent first. */
  readonly #asked = new Map<string, number>();
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** A request for the name. `wait`: until a look has ended. `look`: go on, and look meanwhile. */
  next(name: string, now: number): "wait" | "look" | "go" {
    const before = this.#asked.get(name);
    this.#asked.delete(name);
    this.#asked.set(name, now);
    if (this.#asked.size > remembered) {
      const [oldest] = this.#asked.keys();
      this.#asked.delete(oldest!);
    }
    // Its server may be younger than the last look. Those of a page with many subdomains share one.
    const isFirst = before === undefined;
    if (!isFirst && now - this.#lookedAt < period) return "go";
    this.#lookedAt = now;
    return isFirst || now - before >= patience ? "wait" : "look";
  }
}

/** The name in `host`, if the decision about it is to ask the service of a shorter one. */
export function longerName(
  decision: Decision,
  { host, tlds }: { host: string; tlds: readonly string[] },
): string | undefined {
  const { kind } = decision;
  if (kind !== "proxy" && kind !== "tunnel" && kind !== "absent") return undefined;
  const { supervised, chosen } = decision;
  const asked = classifyHost(host, tlds);
  if (asked.kind !== "name") return undefined;
  // For a plain name that shows a worktree, the worktree's name was decided about.
  const name = chosen?.name ?? asked.name;
  const isIts =
    (kind !== "absent" && decision.service.name === name) ||
    supervised?.routeName === name ||
    supervised?.instance?.routeName === name;
  return isIts ? undefined : name;
}
