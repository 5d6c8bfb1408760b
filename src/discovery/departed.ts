/** Clients that sent FIN -> which of them have closed altogether, by the kernel's table of sockets. Linux. */
import { readFileSync } from "node:fs";
import { clientSockets, hexPort } from "./client-sockets.ts";

/** A client's end of a connection to us on this machine. */
export type ClientEnd = {
  /** Tells the table: IPv6 where it holds a colon. */
  address: string;
  port: number;
  ownPort: number;
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
    return clients.map(({ address, port, ownPort }) => {
      const file = address.includes(":") ? "tcp6" : "tcp";
      const key = `${file} ${ownPort}`;
      let table = tables.get(key);
      if (table === undefined) {
        table = ownersOf(`${root}/net/${file}`, ownPort);
        tables.set(key, table);
      }
      return table.get(hexPort(port)) !== true;
    });
  };
}

/** Local ports connected to `ownPort` -> whether a process has the socket. */
function ownersOf(path: string, ownPort: number): Map<string, boolean> {
  const clients = clientSockets(readFileSync(path, "latin1"), ownPort);
  return new Map(clients.map(({ port, inode }) => [port, inode > 0]));
}
