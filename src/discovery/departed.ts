/** Clients that sent FIN -> which of them have closed altogether, by the kernel's table of sockets. Linux. */
import { readFileSync } from "node:fs";

/** A client's end of a connection to us on this machine. */
export type ClientEnd = {
  /** Tells the table: IPv6 where it holds a colon. */
  address: string;
  port: number;
  /** It is connected to one of these. */
  ownPorts: readonly number[];
};

/**
 * A socket that only stopped sending still belongs to its process; one that was closed belongs to
 * nobody (inode 0) until its timer ends, and then is gone from the table.
 * @returns undefined where there is no such table.
 */
export function departedClients(
  root: string,
): ((clients: readonly ClientEnd[]) => readonly boolean[]) | undefined {
  try {
    readFileSync(`${root}/net/tcp`);
  } catch {
    // Not Linux: a closed client is noticed when something is written to it.
    return undefined;
  }
  return (clients) => {
    const tables = new Map<string, Map<string, boolean>>();
    return clients.map(({ address, port, ownPorts }) => {
      const file = address.includes(":") ? "tcp6" : "tcp";
      let table = tables.get(file);
      if (table === undefined) {
        table = ownersOf(`${root}/net/${file}`, ownPorts);
        tables.set(file, table);
      }
      return table.get(hexPort(port)) !== true;
    });
  };
}

/** Local ports connected to one of `ownPorts` -> whether a process has the socket. */
function ownersOf(path: string, ownPorts: readonly number[]): Map<string, boolean> {
  const owners = new Map<string, boolean>();
  const text = readFileSync(path, "latin1");
  for (const wanted of ownPorts.map((port) => `:${hexPort(port)} `)) {
    // The table may have tens of thousands of rows, so only ours are taken apart.
    for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + 1)) {
      const start = text.lastIndexOf("\n", at) + 1;
      const end = text.indexOf("\n", at);
      // sl local remote st tx:rx tr:when retrnsmt uid timeout inode
      const [, local, remote, , , , , , , inode] = text.slice(start, end).trim().split(/\s+/);
      if (local === undefined || remote?.endsWith(wanted.trimEnd()) !== true) continue;
      const port = local.slice(-4);
      // A port may be used towards two of ours: then it is gone when both are.
      owners.set(port, owners.get(port) === true || Number(inode) > 0);
    }
  }
  return owners;
}

function hexPort(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, "0");
}
