/** A client's port -> the user whose socket that is, by the kernel's table. Linux. */
import { readFileSync } from "node:fs";
import { clientSockets, hexPort } from "./client-sockets.ts";

export type ClientOwnerOptions = {
  /** `/proc`, or what stands in for it. */
  root: string;
  /** The port on 127.0.0.1 on which the client came to us. */
  ownPort: number;
};

/** Undefined where the system does not tell, or has no such socket any more. */
export function clientOwner(remotePort: number, options: ClientOwnerOptions): number | undefined {
  const { root, ownPort } = options;
  const port = hexPort(remotePort);
  for (const file of ["tcp", "tcp6"] as const) {
    let table: string;
    try {
      table = readFileSync(`${root}/net/${file}`, "latin1");
    } catch {
      // Not Linux, or a kernel without IPv6.
      continue;
    }
    const sockets = clientSockets(table, ownPort);
    const found = sockets.find((its) => its.port === port && (file === "tcp" || its.mapped));
    if (found !== undefined) return found.uid;
  }
  return undefined;
}
