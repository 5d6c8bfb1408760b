/** One line of `/proc/net/tcp` or `tcp6` -> a listening socket. Pure. */

export type ListeningRow = {
  /** For example `127.0.0.1` or `::1`. An IPv4-mapped address is given as the IPv4 address. */
  address: string;
  port: number;
  inode: number;
  /** The user who owns the socket. */
  uid: number;
};

/** TCP_LISTEN in include/net/tcp_states.h. */
const listening = "0A";

/** Returns a listening socket, "other" for any other socket, or "unread" for a line that is not a row (the heading). */
export function parseProcNetLine(line: string): ListeningRow | "other" | "unread" {
  const colon = line.indexOf(": ");
  if (colon === -1) return "unread";
  const start = colon + 2;
  // The address has 8 or 32 hex digits, and the peer's address has as many, so the column of the state is known.
  const digits = line.indexOf(":", start) - start;
  if (digits !== 8 && digits !== 32) return "unread";
  const state = start + 2 * (digits + 6);
  if (!line.startsWith(listening, state)) return "other";
  const port = Number.parseInt(line.slice(start + digits + 1, start + digits + 5), 16);
  // Columns: st tx:rx tr:when retrnsmt uid timeout inode
  const fields = line.slice(state).split(/ +/);
  const uid = Number(fields[4]);
  const inode = Number(fields[6]);
  if (!(port > 0) || !(inode > 0) || !Number.isInteger(uid)) return "unread";
  const hex = line.slice(start, start + digits);
  return { address: digits === 8 ? ipv4(hex) : ipv6(hex), port, inode, uid };
}

/** The kernel prints each 32-bit word as a little-endian number, so its bytes are reversed. */
function bytesOf(hex: string): number[] {
  const bytes: number[] = [];
  for (let word = 0; word < hex.length; word += 8) {
    for (let at = word + 6; at >= word; at -= 2) {
      bytes.push(Number.parseInt(hex.slice(at, at + 2), 16));
    }
  }
  return bytes;
}

function ipv4(hex: string): string {
  return bytesOf(hex).join(".");
}

/** RFC 5952: lower case; `::` replaces the longest run of at least two zero groups, and the first of equal runs. */
function ipv6(hex: string): string {
  const bytes = bytesOf(hex);
  if (bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff) {
    return bytes.slice(12).join(".");
  }
  const groups = Array.from({ length: 8 }, (_, at) => bytes[2 * at]! * 256 + bytes[2 * at + 1]!);
  let from = -1;
  let length = 1;
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > length) {
      from = start;
      length = end - start;
    }
  }
  const text = (part: number[]) => part.map((group) => group.toString(16)).join(":");
  if (from === -1) return text(groups);
  return `${text(groups.slice(0, from))}::${text(groups.slice(from + length))}`;
}
