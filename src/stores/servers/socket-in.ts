/** The place of a store -> the path of its unix socket. Pure. */
import { join } from "node:path";
import type { StorePlace } from "../../manifest/order.ts";

/** Bytes of a path in a sockaddr_un: macOS has four less than Linux. */
const longest = 103;

/** Undefined: the path would be too long, and the port has to be enough. */
export function socketIn({ sockets }: StorePlace, name: string): string | undefined {
  const path = join(sockets, name);
  return Buffer.byteLength(path) > longest ? undefined : path;
}
