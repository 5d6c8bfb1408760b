/** A descriptor that somebody else made -> the place where it listens by TCP, or what it is instead. Uses libc. */
import { libc } from "./libc.ts";

export type ListeningPlace =
  | { kind: "listens"; address: string; port: number }
  /** `what`: completes "descriptor 3 is ...". */
  | { kind: "other"; what: string };

/** Socket options of socket(7), and families: Linux, and macOS from its headers. */
const numbers = {
  linux: { SOL_SOCKET: 1, SO_TYPE: 3, SO_ACCEPTCONN: 30, AF_INET6: 10 },
  darwin: { SOL_SOCKET: 0xffff, SO_TYPE: 0x1008, SO_ACCEPTCONN: 2, AF_INET6: 30 },
} as const;
const AF_INET = 2;
const SOCK_STREAM = 1;

/** struct sockaddr_storage. */
const longestAddress = 128;

const signatures = {
  getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
} as const;

let calls: ReturnType<typeof libc<typeof signatures>>;

export function listeningPlace(
  descriptor: number,
  platform: NodeJS.Platform = process.platform,
): ListeningPlace {
  const its = platform === "darwin" ? numbers.darwin : numbers.linux;
  calls ??= libc(signatures);
  const option = (name: number): number | undefined => {
    const [value, length] = [new Int32Array(1), new Uint32Array([4])];
    const failed = calls?.getsockopt(descriptor, its.SOL_SOCKET, name, value, length) !== 0;
    return failed ? undefined : value[0];
  };
  const type = option(its.SO_TYPE);
  if (type === undefined) return { kind: "other", what: "no socket" };
  const address = new Uint8Array(longestAddress);
  if (calls?.getsockname(descriptor, address, new Uint32Array([longestAddress])) !== 0) {
    return { kind: "other", what: "a socket without an address" };
  }
  const view = new DataView(address.buffer);
  const family = platform === "darwin" ? address[1]! : view.getUint16(0, true);
  const isInet = family === AF_INET || family === its.AF_INET6;
  if (!isInet || type !== SOCK_STREAM) return { kind: "other", what: "no TCP socket" };
  if (option(its.SO_ACCEPTCONN) !== 1) {
    return { kind: "other", what: "a TCP socket that does not listen" };
  }
  const text =
    family === AF_INET ? address.subarray(4, 8).join(".") : ipv6(address.subarray(8, 24));
  return { kind: "listens", address: text, port: view.getUint16(2) };
}

/** The two that matter here as RFC 5952 has them; others in full. */
function ipv6(octets: Uint8Array): string {
  const last = octets.at(-1)!;
  if (last <= 1 && octets.subarray(0, 15).every((octet) => octet === 0)) {
    return last === 1 ? "::1" : "::";
  }
  const view = new DataView(octets.buffer, octets.byteOffset);
  return Array.from({ length: 8 }, (_, at) => view.getUint16(2 * at).toString(16)).join(":");
}
