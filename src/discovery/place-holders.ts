/** A claimed place and a scan -> who listens there, and where to dial, or why nobody can be dialled yet. Pure. */
import type { Claim, Place } from "../routes/claim.ts";
import type { Endpoint, FoundService } from "../routes/service.ts";
import { answering } from "../system/listeners.ts";
import { ancestry } from "./ancestry.ts";
import { isContainerListener } from "./container-listeners.ts";
import { endpointOf } from "./endpoint.ts";
import type { NamedProcess } from "./process-names.ts";
import { type Observation, type ObservedProcess, oldestFirst, type Scan } from "./observation.ts";
import { pickPort } from "../routes/pick-port.ts";

export type PlaceHolders =
  | {
      kind: "found";
      endpoint: Endpoint;
      /** The sockets there; none for a host, a unix socket, or where the system cannot tell. */
      observations: readonly Observation[];
      /** The visible process that has the endpoint. */
      process: ObservedProcess | undefined;
      /** The user whom the socket belongs to, where no process is visible. */
      uid?: number | undefined;
    }
  /** Nobody is there. `why`: a clause. */
  | { kind: "waits"; why: string }
  /** The server there has another name. */
  | { kind: "shadowed"; why: string };

export type PlaceFacts = {
  scan: Scan;
  /** Processes that carry a name of their own. */
  named: ReadonlyMap<number, NamedProcess>;
  /** The services of those. */
  services: readonly FoundService[];
  /** Whether a stronger claim has this socket; `by`: its name. */
  takenBy(its: Pick<Observation, "address" | "port">): string | undefined;
  ownPid: number;
  /** The scan's sockets, also of processes that are not visible. */
  sockets: readonly Socket[];
};

/** `uid`: the owner, where no process is visible. */
export type Socket = Observation & { uid?: number };

export function socketsIn({ observations, unowned = [] }: Scan): Socket[] {
  return [...observations, ...unowned.map((its) => ({ ...its, pids: [] }))];
}

export function placeHolders(
  { place, owners, isDoubtful = false }: Pick<Claim, "place" | "owners" | "isDoubtful">,
  facts: PlaceFacts,
): PlaceHolders {
  switch (place.kind) {
    case "socket":
      return distant({ address: place.path, port: 0, dial: [place.path] });
    case "host":
      return distant({
        address: place.host,
        port: place.port,
        dial: [place.host],
        isElsewhere: true,
      });
    case "port":
      return atPort(place, { ...facts, isVouchedFor: owners !== undefined, isDoubtful });
    case "process":
      return ofProcess(place, facts);
  }
}

function distant(endpoint: Endpoint): PlaceHolders {
  return { kind: "found", endpoint, observations: [], process: undefined };
}

function waits(why: string): PlaceHolders {
  return { kind: "waits", why };
}

function atPort(
  { port, address }: Extract<Place, { kind: "port" }>,
  facts: PlaceFacts & { isVouchedFor: boolean; isDoubtful: boolean },
): PlaceHolders {
  const { scan, sockets: all } = facts;
  const onPort = all.filter((its) => its.port === port);
  const anywhere = facts.isVouchedFor ? wildcardFirst(onPort) : onPort;
  const there = address === undefined ? anywhere : answering(all, { address, port });
  if (there.length === 0) {
    // A container may have begun since the scan, and not every system shows the sockets of others: a dial will tell.
    if ((facts.isVouchedFor && !facts.isDoubtful) || scan.unowned === undefined) {
      return distant({
        address: address ?? "127.0.0.1",
        port,
        dial: address === undefined ? ["127.0.0.1", "::1"] : [address],
      });
    }
    return waits(`nothing listens on port ${port}${address === undefined ? "" : ` of ${address}`}`);
  }
  const refusals = there.map(
    (its) => refusalOf(its, facts) ?? (facts.isDoubtful ? strangerAt(its, scan) : undefined),
  );
  const free = there.filter((_, at) => refusals[at] === undefined);
  if (free.length === 0) return { kind: "shadowed", why: refusals[0]! };
  const endpoint = endpointOf(port, free, scan);
  const holders = free.filter((its) => its.address === endpoint.address);
  const pids = holders.flatMap((its) => its.pids);
  const uids = free.flatMap(({ uid }) => uid ?? []);
  return {
    kind: "found",
    endpoint: uids.length === 0 ? endpoint : { ...endpoint, owners: [...new Set(uids)] },
    observations: free.filter((its) => its.pids.length > 0),
    process: oldest(pids, scan),
    uid: pids.length === 0 ? uids[0] : undefined,
  };
}

/** A port that an engine publishes everywhere is not that of a server which has another address to itself. */
function wildcardFirst<Its extends Observation>(onPort: readonly Its[]): readonly Its[] {
  const wildcard = onPort.filter(({ address }) => address === "0.0.0.0" || address === "::");
  return wildcard.length === 0 ? onPort : wildcard;
}

/** Root's listeners are not visible to others, and their user is asked for with each connection. */
function strangerAt({ pids }: Observation, { processes }: Scan): string | undefined {
  const its = pids.flatMap((pid) => processes.get(pid) ?? []);
  if (its.length === 0 || its.some(isContainerListener)) return undefined;
  return `its engine does not answer, and pid ${pids[0]} has the port, which listens for no container`;
}

/** Why the server at this socket cannot have the claimed name: a clause; undefined if it can. */
function refusalOf(
  its: Observation,
  { named, services, takenBy, ownPid }: PlaceFacts,
): string | undefined {
  if (its.pids.includes(ownPid)) return `localhostess itself listens on port ${its.port}`;
  for (const pid of its.pids) {
    const carrier = named.get(pid);
    // A name that cannot be used is none.
    if (carrier === undefined || carrier.why !== undefined) continue;
    const service = services.find(({ name, pids }) => name === carrier.name && pids.includes(pid));
    // A second port of a server with a name, such as its dashboard's, may have another.
    if (service !== undefined && service.endpoint.port !== its.port) continue;
    return `the server there, pid ${pid}, has ${variableOf(carrier)}=${carrier.name}, which wins`;
  }
  const other = takenBy(its);
  return other === undefined ? undefined : `the server there is named ${other} already`;
}

function ofProcess(
  { process }: Extract<Place, { kind: "process" }>,
  facts: PlaceFacts,
): PlaceHolders {
  const { scan } = facts;
  const { pid, startedAt } = process;
  const its = scan.processes.get(pid);
  if (its !== undefined && its.startedAt !== startedAt) return waits(`pid ${pid} has ended`);
  const own = scan.observations.filter(({ pids }) => pids.includes(pid));
  // `npm start` does not listen; a process that has come of it does.
  const held =
    own.length > 0
      ? own
      : scan.observations.filter(({ pids }) =>
          pids.some((one) => ancestry(one, scan.processes).has(pid)),
        );
  if (held.length === 0) return waits(`pid ${pid} does not listen on a port, or has ended`);
  const refusals = held.map((one) => refusalOf(one, facts));
  const free = held.filter((_, at) => refusals[at] === undefined);
  if (free.length === 0) return { kind: "shadowed", why: refusals[0]! };
  const ports = [...new Set(free.map(({ port }) => port))] as [number, ...number[]];
  const wanted = its?.wantedPort;
  const port = pickPort(ports, new Set(wanted === undefined ? [] : [wanted]));
  const endpoint = endpointOf(port, free, scan);
  const holders = free.filter((one) => one.port === port && one.address === endpoint.address);
  return {
    kind: "found",
    endpoint,
    observations: free,
    process: oldest(
      holders.flatMap(({ pids }) => pids),
      scan,
    ),
  };
}

function oldest(pids: readonly number[], { processes }: Scan): ObservedProcess | undefined {
  return pids.flatMap((pid) => processes.get(pid) ?? []).sort(oldestFirst)[0];
}

/** The variable that a name is from. */
export function variableOf({ source }: Pick<NamedProcess, "source">): "LOCALHOSTESS_NAME" | "NAME" {
  return source === "LOCALHOSTESS_NAME" ? source : "NAME";
}
