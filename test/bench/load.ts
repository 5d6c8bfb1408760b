/**
 * A port into requests per second, by wrk, h2load or ab; and the connections that were opened meanwhile, by the
 * kernel.
 */
import { readFileSync } from "node:fs";
import type { Crew } from "./crew.ts";

export const connections = 64;

export type Load = {
  port: number;
  host: string;
  seconds: number;
  /** Whether every request has a connection of its own. */
  close: boolean;
  /** Further fields of every request. */
  fields?: readonly string[];
};

export type Hits = { rate: number; requests: number; failed: number; opened: number };

/** One thread of wrk: it has one CPU. */
export async function hammer(crew: Crew, load: Load): Promise<Hits> {
  const hits = await counted(crew, readWrk, [
    ...["wrk", "-t1", `-c${connections}`, `-d${load.seconds}s`, "--timeout", "5s"],
    ...["-H", `Host: ${load.host}`],
    ...(load.close ? ["-H", "Connection: close"] : []),
    ...(load.fields ?? []).flatMap((field) => ["-H", field]),
    `http://127.0.0.1:${load.port}/`,
  ]);
  if (load.close) assertOwnConnections(hits);
  return hits;
}

/** HTTP/1.1 over TLS, by h2load: wrk cannot send a server name that covers the Host. */
export function hammerSecure(
  crew: Crew,
  { port, host, seconds }: Omit<Load, "close">,
): Promise<Hits> {
  return counted(crew, readH2load, [
    ...["h2load", "--h1", "-t1", `-c${connections}`, "-D", String(seconds)],
    ...[`--connect-to=127.0.0.1:${port}`, `https://${host}:${port}/`],
  ]);
}

/** Connections and streams of each, by h2load on one thread. */
export const h2Connections = 8;
export const h2Streams = 16;

export function hammerH2(crew: Crew, { port, host, seconds }: Omit<Load, "close">): Promise<Hits> {
  return counted(crew, readH2load, [
    ...["h2load", "-t1", `-c${h2Connections}`, `-m${h2Streams}`, "-D", String(seconds)],
    ...[`--connect-to=127.0.0.1:${port}`, `https://${host}:${port}/`],
  ]);
}

/** Clients of ab that make a handshake and a request on it, again and again, and resume nothing. */
export const handshakeClients = 32;

export async function hammerHandshakes(
  crew: Crew,
  { port, host, seconds }: Omit<Load, "close">,
): Promise<Hits> {
  const hits = await counted(crew, readAb, [
    ...["ab", "-q", "-c", String(handshakeClients), "-t", String(seconds), "-n", "10000000"],
    ...["-H", `Host: ${host}`, `https://127.0.0.1:${port}/`],
  ]);
  assertOwnConnections(hits);
  return hits;
}

async function counted(
  crew: Crew,
  read: (text: string) => Omit<Hits, "opened">,
  argv: readonly string[],
): Promise<Hits> {
  const before = connectionsOpened();
  const child = Bun.spawn(crew.on("load", argv), {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [text, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  const opened = connectionsOpened() - before;
  if ((await child.exited) !== 0) throw new Error(`${argv[0]} failed:\n${text}${errors}`);
  return { ...read(text), opened };
}

function assertOwnConnections({ opened, requests }: Hits): void {
  if (opened >= requests * 0.99) return;
  throw new Error(`there were ${opened} connections for ${requests} requests`);
}

/** @throws when it is not what h2load prints, or when an answer was not a success. */
export function readH2load(text: string): Omit<Hits, "opened"> {
  const rate = Number(/^finished in .*?, ([\d.]+) req\/s/m.exec(text)?.[1]);
  const counts = /^requests: .* (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored/m.exec(
    text,
  );
  const statuses = /^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/m.exec(text);
  if (Number.isNaN(rate) || counts === null || statuses === null) {
    throw new Error(`h2load printed:\n${text}`);
  }
  const refused = Number(statuses[2]) + Number(statuses[3]) + Number(statuses[4]);
  if (refused > 0) throw new Error(`${refused} answers were errors`);
  const [done, , failed, errored] = counts.slice(1).map(Number);
  return { rate, requests: done!, failed: failed! + errored! };
}

/** @throws when it is not what ab prints, or when an answer was not a success. */
export function readAb(text: string): Omit<Hits, "opened"> {
  const number = (pattern: RegExp) => Number(pattern.exec(text)?.[1]);
  const rate = number(/^Requests per second:\s+([\d.]+)/m);
  const requests = number(/^Complete requests:\s+(\d+)/m);
  const failed = number(/^Failed requests:\s+(\d+)/m);
  if (Number.isNaN(rate + requests + failed)) throw new Error(`ab printed:\n${text}`);
  const refused = /^Non-2xx responses:\s+(\d+)/m.exec(text);
  if (refused !== null) throw new Error(`${refused[1]} of ${requests} answers were errors`);
  return { rate, requests, failed };
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
