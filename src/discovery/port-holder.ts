/** A port that somebody has -> the processes that listen there, of others as far as they are visible. */
import { listenersOn } from "../system/listeners.ts";
import { printable } from "../text/printable.ts";
import { type ObservedProcess, oldestFirst, type Scan, type Source } from "./observation.ts";

/** `process`: undefined where the socket is visible, and who holds it is not. `uid`: where the system tells it. */
export type PortHolder = {
  address: string;
  process: ObservedProcess | undefined;
  uid: number | undefined;
};

/** Characters of a command line and of a folder that are shown. */
const longest = 200;

type Known = Pick<ObservedProcess, "pid" | "command" | "cwd" | "name">;

/**
 * A process that has a port, for a person: `pid 17: python3 -m http.server, in /srv/docs`. `owner`: the service of a
 * project that it belongs to, such as `shop:web`; else its NAME is told.
 */
export function holderWords(
  { pid, command, cwd, name }: Known,
  { owner, others = 0 }: { owner?: string | undefined; others?: number } = {},
): string {
  const more = others === 0 ? "" : ` and ${others} more`;
  const whose = owner === undefined ? "" : `${printable(owner, longest)}, `;
  const named = owner === undefined && name ? `, named ${printable(name, 80)}` : "";
  return `${whose}pid ${pid}${more}: ${printable(command, longest)}${named}${folderWords(cwd)}`;
}

/** `, in /srv/docs`; empty where the folder is not known. */
export function folderWords(cwd: string | undefined): string {
  return cwd === undefined ? "" : `, in ${printable(cwd, longest)}`;
}

/** The processes that listen on a port, oldest first; those of other users are not visible. */
export function ownersOf(scan: Scan, port: number): ObservedProcess[] {
  const pids = new Set(
    scan.observations.filter((seen) => seen.port === port).flatMap((seen) => seen.pids),
  );
  return [...pids].flatMap((pid) => scan.processes.get(pid) ?? []).sort(oldestFirst);
}

/**
 * Visible processes first, oldest first, each once; then sockets of others. None where nobody listens, on any address.
 * Never rejects: who it is is a detail of a port that cannot be had.
 */
export async function portHolders(
  port: number,
  { source, listeners = listenersOn }: { source: Source; listeners?: typeof listenersOn },
): Promise<PortHolder[]> {
  const scan = await source.scan().catch(() => {
    // A machine that cannot be looked at has nobody whom we could name.
    return undefined;
  });
  const visible = scan === undefined ? [] : ownersOf(scan, port);
  const places = scan?.observations.filter((seen) => seen.port === port) ?? [];
  const known = visible.map((process) => {
    const place = places.find(({ pids }) => pids.includes(process.pid));
    return { address: place?.address ?? "", process, uid: process.uid };
  });
  const seen = new Set(places.map(({ address }) => address));
  const others = listeners(port)
    .filter(({ address }) => !seen.has(address))
    .map(({ address, uid }) => ({ address, process: undefined, uid }));
  return [...known, ...others];
}
