/**
 * All cases of the response corpus: what upstreams answer, what the client must see of it, and what came of the same
 * bytes with others when `bun test/corpus/beside-peers.ts` last ran.
 */
import { bodilessCases } from "./response-bodiless.ts";
import type { ResponseCase } from "./response-case.ts";
import { framingCases } from "./response-framing.ts";
import { headCases } from "./response-heads.ts";
import { responsePeers } from "./response-peers.ts";

/** Direct (curl), nginx, HAProxy, ours: a status, and what was wrong with the answer. */
export type Peers = readonly [direct: string, nginx: string, haproxy: string, ours: string];

export const responseCases: readonly (ResponseCase & { peers: Peers | undefined })[] = [
  ...headCases,
  ...framingCases,
  ...bodilessCases,
].map((item) => ({ ...item, peers: responsePeers[item.name] }));
