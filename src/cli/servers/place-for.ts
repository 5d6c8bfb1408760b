/** A place as it was typed, and what runs -> the place that is meant. Pure. */
import { ancestry } from "../../discovery/ancestry.ts";
import type { Scan } from "../../discovery/observation.ts";
import type { Place } from "../../routes/claim.ts";
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
  const listens = listeningPid(number, scan);
  if (isPort && heard && listens) {
    throw new Failure(
      "ambiguous",
      `${number} is a port on which something listens, and the pid of another server; say which: port:${number} or pid:${number}`,
    );
  }
  if (listens || !isPort) return processPlace(number, options);
  return checked({ kind: "port", port: number }, options);
}

/** Whether this process listens, or one that it has started. */
function listeningPid(pid: number, { observations, processes }: Scan): boolean {
  return observations.some(({ pids }) => pids.some((one) => ancestry(one, processes).has(pid)));
}

function processPlace(pid: number, { sight }: PlaceForOptions): Place {
  const { scan, proxy } = sight;
  const its = scan.processes.get(pid);
  if (its === undefined || !listeningPid(pid, scan)) {
    throw new Failure(
      "not_found",
      `no process with pid ${pid} listens on a port, as far as this user can see; a port can be named before somebody listens there: localhostess name <name> <port>`,
    );
  }
  if (pid === proxy?.pid) throw ownLoop(`pid ${pid}`);
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
