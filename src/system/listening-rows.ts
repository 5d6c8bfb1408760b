/** The path of a `/proc/net/tcp` or `tcp6` -> its listening sockets, a piece of the table at a time. Linux. */
import { closeSync, openSync, readSync } from "node:fs";
import { type ListeningRow, parseProcNetLine } from "./proc-net.ts";

/**
 * Rows in a row that do not listen, after which the table is closed. Listening sockets stand first in it (net/ipv4/tcp_ipv4.c,
 * tcp_seq_start); a proxy with 10,000 connections must not have 20,000 rows printed and read for nothing. Where another kernel
 * mixes them (gVisor), small tables are still read whole.
 */
const enoughOthers = 1000;

/** Octets that are asked for at once; the kernel gives a page. */
const piece = 64 * 1024;

/** Who takes a while between two pieces lets others work meanwhile. @throws the system's error where there is no such table. */
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
