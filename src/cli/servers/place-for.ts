/** A place as it was typed, and what runs -> the place that is meant. Pure. */
import { ancestry } from "../../discovery/ancestry.ts";
import type { Scan } from "../../discovery/observation.ts";
import type { Place } from "../../routes/claim.ts";
import { listed } from "../../text/list.ts";
import type { ReadPlace } from "./read-place.ts";
import { Failure } from "../shared/failure.ts";
import type { Sight } from "../shared/look.ts";
import { UsageError } from "../shared/settings.ts";

export type PlaceForOptions = {
  sight: Pick<Sight, "scan" | "proxy" | "port" | "urlPorts">;
  /** This machine's own. */
  addresses: ReadonlySet<string>;
};

const mostPorts = 65_535;

/**
 * A number is a port where somebody listens on it, or where no process with that pid does. Where both are so, it has to
 * be said: a name must not lead to the wrong one. @throws UsageError, or Failure
 */
export function placeFor(
  read: Exclude<ReadPlace, { kind: "mistake" }>,
  options: PlaceForOptions,
): Place {
  if (read.kind === "pid") return processPlace(read.pid, options);
  if (read.kind === "place") return checked(read.place, options);
  const { number } = read;
  const { scan } = options.sight;
  const isPort = number <= mostPorts;
  const heard = [...scan.observations, ...(scan.unowned ?? [])].some(({ port }) => port === number);
  // A process that has started many servers, as pid 1 has, is none itself.
  const listens = serversOf(number, scan).length === 1;
  if (isPort && heard && listens) {
    throw new Failure(
      "ambiguous",
      `${number} is a port on which something listens, and the pid of another server; say which: port:${number} or pid:${number}`,
    );
  }
  if (listens || !isPort) return processPlace(number, options);
  return checked({ kind: "port", port: number }, options);
}

/** The processes that listen under this one, without the workers of one of them and those that share its port. */
function serversOf(pid: number, scan: Scan): number[] {
  const { observations, processes } = scan;
  const all = new Set(observations.flatMap((its) => its.pids));
  if (all.has(pid)) return [pid];
  const under = [...all].filter((one) => ancestry(one, processes).has(pid));
  const first = under.filter(
    (one) => !under.some((other) => other !== one && ancestry(one, processes).has(other)),
  );
  const seen = new Set<number>();
  return first
    .sort((a, b) => a - b)
    .filter((one) => {
      const ports = portsOf(one, scan);
      const isOther = !ports.some((port) => seen.has(port));
      for (const port of ports) seen.add(port);
      return isOther;
    });
}

function portsOf(pid: number, { observations }: Scan): number[] {
  const ports = observations.filter(({ pids }) => pids.includes(pid)).map(({ port }) => port);
  return [...new Set(ports)].sort((a, b) => a - b);
}

function processPlace(pid: number, { sight }: PlaceForOptions): Place {
  const { scan, proxy } = sight;
  const its = scan.processes.get(pid);
  const servers = serversOf(pid, scan);
  if (its === undefined || servers.length === 0) {
    throw new Failure(
      "not_found",
      `no process with pid ${pid} listens on a port, as far as this user can see; a port can be named before somebody listens there: localhostess name <name> <port>`,
    );
  }
  if (pid === proxy?.pid) throw ownLoop(`pid ${pid}`);
  if (servers.length > 1) {
    const which = servers.map((one) => `${one} (port ${portsOf(one, scan).join(" and ")})`);
    throw new Failure(
      "ambiguous",
      `pid ${pid} does not listen itself, and has started several servers; name one of them: pid ${listed(which, { most: 6, conjunction: "or" })}`,
    );
  }
  return { kind: "process", process: { pid, startedAt: its.startedAt } };
}

function checked(place: Place, { sight, addresses }: PlaceForOptions): Place {
  const { scan, proxy, port, urlPorts } = sight;
  if (proxy === undefined || place.kind === "process" || place.kind === "socket") return place;
  const isHere = place.kind === "port" || addresses.has(place.host);
  const own = scan.observations.filter(({ pids }) => pids.includes(proxy.pid));
  const ports = new Set([port, urlPorts.http, urlPorts.https, ...own.map((its) => its.port)]);
  if (isHere && ports.has(place.port)) throw ownLoop(`port ${place.port}`);
  return place;
}

function ownLoop(what: string): UsageError {
  return new UsageError([
    `${what} is localhostess itself: a name that leads there would lead back to itself`,
  ]);
}
