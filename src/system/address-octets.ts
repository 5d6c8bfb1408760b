/** The text of an IP address -> its octets. Pure. */
import { isIPv4, isIPv6 } from "node:net";

/** 4 or 16 octets, in the order of the network; undefined if the text is no address, or one with a zone. */
export function addressOctets(address: string): Uint8Array | undefined {
  if (isIPv4(address)) return Uint8Array.from(address.split("."), Number);
  if (!isIPv6(address) || address.includes("%")) return undefined;
  // The last 32 bits may be written as an IPv4 address.
  const dotted = /(?<=:)\d+\.\d+\.\d+\.\d+$/.exec(address)?.[0];
  const tail = dotted === undefined ? [] : Array.from(dotted.split("."), Number);
  const text = dotted === undefined ? address : address.slice(0, -dotted.length);
  const [before = "", after] = text.split("::");
  const head = octetsIn(before);
  const rest = [...octetsIn(after ?? ""), ...tail];
  const octets = new Uint8Array(16);
  octets.set(after === undefined ? [...head, ...rest] : head);
  if (after !== undefined) octets.set(rest, 16 - rest.length);
  return octets;
}

/** Groups of hexadecimal digits; a colon that is left over at the end counts for nothing. */
function octetsIn(groups: string): number[] {
  return groups
    .split(":")
    .filter((group) => group !== "")
    .flatMap((group) => {
      const value = Number.parseInt(group, 16);
      return [value >> 8, value & 0xff];
    });
}
