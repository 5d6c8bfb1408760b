/** The kernel's table of TCP sockets -> the clients' ends of connections to a port of ours. Pure. */

/** An IPv4 address in a table of IPv6 sockets, as `/proc/net/tcp6` prints its first 12 octets. */
const mapped = "0000000000000000FFFF0000";

/** What a row says of a client that is connected to us on this machine. */
export type ClientSocket = {
  /** Four hexadecimal digits, as the table has them. */
  port: string;
  /** An IPv6 socket that speaks IPv4. */
  mapped: boolean;
  /** 0: no process has it any more. */
  inode: number;
  /** The user it belongs to. */
  uid: number;
};

/** The table may have tens of thousands of rows, so only those of clients of `ownPort` are taken apart. */
export function clientSockets(table: string, ownPort: number): ClientSocket[] {
  const found: ClientSocket[] = [];
  const wanted = `:${hexPort(ownPort)} `;
  for (let at = table.indexOf(wanted); at !== -1; at = table.indexOf(wanted, at + 1)) {
    const start = table.lastIndexOf("\n", at) + 1;
    const end = table.indexOf("\n", at);
    // sl local remote st tx:rx tr:when retrnsmt uid timeout inode
    const fields = table
      .slice(start, end === -1 ? table.length : end)
      .trim()
      .split(/\s+/);
    const [, local, remote, , , , , uid, , inode] = fields;
    if (local === undefined || remote?.endsWith(wanted.trimEnd()) !== true) continue;
    found.push({
      port: local.slice(-4),
      mapped: local.startsWith(mapped),
      inode: Number(inode) || 0,
      uid: Number(uid),
    });
  }
  return found;
}

export function hexPort(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, "0");
}
