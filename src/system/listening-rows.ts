/** The path of `/proc/net/tcp` or `tcp6` -> its listening sockets, one chunk of the table at a time. Linux. */
import { closeSync, openSync, readSync } from "node:fs";
import { type ListeningRow, parseProcNetLine } from "./proc-net.ts";

/**
 * Reading stops after this many consecutive rows that are not listening. Listening sockets come first in the table
 * (net/ipv4/tcp_ipv4.c, tcp_seq_start), so a proxy with 10,000 connections need not have 20,000 rows printed and read
 * for nothing. On kernels that mix the rows (gVisor), small tables are still read whole.
 */
const enoughOthers = 1000;

/** Bytes requested per read; the kernel returns a page. */
const piece = 64 * 1024;

/**
 * A caller that pauses between two chunks lets other work run. @throws Error of the system if there is no such table.
 */
export function* listeningRows(path: string): Generator<readonly ListeningRow[]> {
  const descriptor = openSync(path, "r");
  const chunk = Buffer.allocUnsafe(piece);
  try {
    let rest = "";
    let others = 0;
    while (others < enoughOthers) {
      const size = readSync(descriptor, chunk, 0, chunk.length, null);
      if (size === 0) return;
      const lines = (rest + chunk.toString("latin1", 0, size)).split("\n");
      rest = lines.pop()!;
      const found: ListeningRow[] = [];
      for (const line of lines) {
        const row = parseProcNetLine(line);
        if (row === "other") others++;
        else if (row !== "unread") {
          others = 0;
          found.push(row);
        }
      }
      yield found;
    }
  } finally {
    closeSync(descriptor);
  }
}
