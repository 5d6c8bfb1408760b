/** The proxy's port -> the reply at `/proxy.pac`. Pure. */
import { pacFile } from "../../pac/proxy.pac.ts";
import type { Reply } from "./reply.ts";

export function pacPage({ port }: { port: number }): Reply {
  return {
    status: 200,
    fields: [["Content-Type", "application/x-ns-proxy-autoconfig"]],
    body: pacFile({ port }),
  };
}
