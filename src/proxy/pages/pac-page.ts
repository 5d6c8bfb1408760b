/** The proxy's port and the configured domains -> the reply at `/proxy.pac`. Pure. */
import { type PacFacts, pacFile } from "../../../pac/proxy.pac.ts";
import type { Reply } from "./reply.ts";

export function pacPage(facts: PacFacts): Reply {
  return {
    status: 200,
    fields: [["Content-Type", "application/x-ns-proxy-autoconfig"]],
    body: pacFile(facts),
  };
}
