/** A port into requests per second, by wrk; and the connections that were opened meanwhile, by the kernel. */
import { readFileSync } from "node:fs";
import type { Crew } from "./crew.ts";

export const connections = 64;

export type Load = {
  port: number;
  host: string;
  seconds: number;
  /** Whether every request has a connection of its own. */
  close: boolean;
};

export type Hits = { rate: number; requests: number; failed: number; opened: number };

/** One thread of wrk: it has one CPU. */
export async function hammer(crew: Crew, load: Load): Promise<Hits> {
  const argv = [
    ...["wrk", "-t1", `-c${connections}`, `-d${load.seconds}s`, "--timeout", "5s"],
    ...["-H", `Host: ${load.host}`],
    ...(load.close ? ["-H", "Connection: close"] : []),
    `http://127.0.0.1:${load.port}/`,
  ];
  const before = connectionsOpened();
  const child = Bun.spawn(crew.on("load", argv), { stdin: "ignore", stdout: "pipe" });
  const text = await child.stdout.text();
  const opened = connectionsOpened() - before;
  if ((await child.exited) !== 0) throw new Error(`wrk failed:\n${text}`);
  const hits = { ...readWrk(text), opened };
  if (load.close && hits.opened < hits.requests * 0.99) {
    throw new Error(`wrk opened ${opened} connections for ${hits.requests} requests`);
  }
  return hits;
}

/** @throws when it is not what wrk prints, or when an answer was not a success. */
export function readWrk(text: string): Omit<Hits, "opened"> {
  const number = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? Number.NaN);
  const rate = number(/^Requests\/sec:\s+([\d.]+)/m);
  const requests = number(/^\s*(\d+) requests in/m);
  if (Number.isNaN(rate) || Number.isNaN(requests)) throw new Error(`wrk printed:\n${text}`);
  const refused = /Non-2xx or 3xx responses: (\d+)/.exec(text);
  if (refused !== null) throw new Error(`${refused[1]} of ${requests} answers were errors`);
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text);
  const failed = (errors ?? []).slice(1).reduce((sum, count) => sum + Number(count), 0);
  return { rate, requests, failed };
}

/** Since the machine started: `ActiveOpens` of RFC 4022. */
function connectionsOpened(): number {
  const rows = readFileSync("/proc/net/snmp", "utf8").split("\n");
  const [names, values] = rows.filter((row) => row.startsWith("Tcp:")).map((row) => row.split(" "));
  return Number(values![names!.indexOf("ActiveOpens")]);
}
