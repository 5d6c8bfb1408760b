/** The text of `/proc/net/tcp` or `tcp6` -> the socket at the other end of one of our connections. Pure. */

/** Both ends of a connection; addresses of 4 or 16 octets in network byte order. */
export type SocketPair = {
  own: Uint8Array;
  ownPort: number;
  peer: Uint8Array;
  peerPort: number;
};

export type PeerSocket = {
  /** The user who owns the socket; meaningless if no process has it. */
  uid: number;
  /** 0 if no process has the socket any more. */
  inode: number;
};

/** The first 12 octets of an IPv4 address in the table of IPv6 sockets. */
const mapped = "0000000000000000FFFF0000";

/** TCP_LISTEN in include/net/tcp_states.h. */
const listening = "0A";

/** The table may have tens of thousands of rows, so only the matching row is parsed. */
export function peerInTable(table: string, pair: SocketPair): PeerSocket | undefined {
  const { own, ownPort, peer, peerPort } = pair;
  const row =
    rowOf(table, `${end(peer, peerPort)} ${end(own, ownPort)} `) ??
    (own.length === 4
      ? rowOf(table, `${mapped}${end(peer, peerPort)} ${mapped}${end(own, ownPort)} `)
      : undefined);
  if (row === undefined) return undefined;
  // Columns: st tx:rx tr:when retrnsmt uid timeout inode
  const [state, , , , uid, , inode] = row.trim().split(/ +/);
  if (state === listening) return undefined;
  return { uid: Number(uid), inode: Number(inode) || 0 };
}

/** The rest of the row that has both ends. */
function rowOf(table: string, ends: string): string | undefined {
  const at = table.indexOf(`: ${ends}`);
  if (at === -1) return undefined;
  const stop = table.indexOf("\n", at);
  return table.slice(at + 2 + ends.length, stop === -1 ? table.length : stop);
}

/** The kernel prints each 32-bit word as a little-endian number, so its bytes are reversed. */
function end(address: Uint8Array, port: number): string {
  let text = "";
  for (let word = 0; word < address.length; word += 4) {
    for (let at = word + 3; at >= word; at--) text += hex(address[at]!, 2);
  }
  return `${text}:${hex(port, 4)}`;
}

function hex(number: number, digits: number): string {
  return number.toString(16).toUpperCase().padStart(digits, "0");
}
