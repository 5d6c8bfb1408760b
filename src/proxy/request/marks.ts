/** A decision, as one of our pages shows it -> a mark that only we can make, and that changes when the page would. */
import type { Decision } from "../../routes/decide.ts";
import type { RouteTable } from "../../routes/table.ts";

export interface Marks {
  /** 32 hexadecimal digits; undefined: no page of ours waits for something else to be decided. */
  of(decision: Decision, table: RouteTable): string | undefined;
}

/**
 * `key`: a secret. Without it somebody could ask for one state after another, and would learn from the answer that
 * does not come which one it is.
 */
export function marks(key: Uint8Array): Marks {
  return {
    of(decision, table) {
      const facts = factsOf(decision, table);
      if (facts === undefined) return undefined;
      const hash = new Bun.CryptoHasher("sha256", key);
      return hash.update(JSON.stringify(facts)).digest("hex").slice(0, 32);
    },
  };
}

function factsOf(decision: Decision, table: RouteTable): unknown[] | undefined {
  switch (decision.kind) {
    case "absent": {
      // The end of a process is news, even if it is tried again at once. The second one in a row is not: a page that
      // says so would be loaded again and again, and say the same.
      const { id, state, restarts } = decision.supervised;
      const hasEnded = state === "backoff" || state === "exited" || restarts > 0;
      return ["absent", id, decision.turn === "down", hasEnded];
    }
    case "proxy": {
      const { name, process, endpoint } = decision.service;
      return ["proxy", name, process?.pid, process?.startedAt, endpoint.address, endpoint.port];
    }
    case "unknown":
      // Nothing is said about a name that somebody else may have.
      return decision.quiet ? undefined : ["unknown", decision.name];
    case "unchosen":
      return ["unchosen", decision.name, decision.chosen.label];
    case "own":
      return ["own", ...table.services.map(({ name, pids, ports }) => [name, pids, ports])];
    default:
      return undefined;
  }
}
