/** The text of `/proc/net/tcp` or `tcp6` -> the socket at the other end of a connection of ours. Pure. */

/** Both ends of a connection; addresses of 4 or 16 octets in the network's order. */
export type SocketPair = {
  own: Uint8Array;
  ownPort: number;
  peer: Uint8Array;
  peerPort: number;
};

export type PeerSocket = {
  /** The user it belongs to; says nothing where no process has it. */
  uid: number;
  /** 0: no process has it any more. */
  inode: number;
};

/** The first 12 octets of an IPv4 address in a table of IPv6 sockets. */
const mapped = "0000000000000000FFFF0000";

/** TCP_LISTEN in include/net/tcp_states.h. */
const listening = "0A";

/** The table may have tens of thousands of rows, so only the one that is looked for is taken apart. */
export function peerInTable(table: string, pair: SocketPair): PeerSocket | undefined {
  const { own, ownPort, peer, peerPort } = pair;
  const row =
    rowOf(table, `${end(peer, peerPort)} ${end(own, ownPort)} `) ??
    (own.length === 4
      ? rowOf(table, `${mapped}${end(peer, peerPort)} ${mapped}${end(own, ownPort)} `)
      : undefined);
  if (row === undefined) return undefined;
  // st tx:rx tr:when retrnsmt uid timeout inode
  const [state, , , , uid, , inode] = row.trim().split(/ +/);
  if (state === listening) return undefined;
  return { uid: Number(uid), inode: Number(inode) || 0 };
}

/** What follows both ends in their row. */
function rowOf(table: string, ends: string): string | undefined {
  const at = table.indexOf(`: ${ends}`);
  if (at === -1) return undefined;
  const stop = table.indexOf("\n", at);
  return table.slice(at + 2 + ends.length, stop === -1 ? table.length : stop);
}

/** Each 32-bit word is printed as a number of a little-endian machine: its bytes stand reversed. */
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
