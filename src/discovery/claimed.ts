/** Claims, joined with the sockets of a scan -> services, and the claims that have to wait. Pure. */
import type { Claim, ClaimSource } from "../routes/claim.ts";
import { endpointWords, placeArgument, placeWords } from "../routes/place-words.ts";
import type { FoundService, Service } from "../routes/service.ts";
import type { WaitingName } from "../routes/waiting-name.ts";
import { printable, printablePath } from "../text/printable.ts";
import { neighbours } from "./endpoint.ts";
import type { Observation, Scan } from "./observation.ts";
import { type PlaceHolders, placeHolders, socketsIn, variableOf } from "./place-holders.ts";
import type { NamedProcess } from "./process-names.ts";

export type ClaimedOptions = {
  scan: Scan;
  /** Processes that carry a name of their own; a usable one of these wins over every claim. */
  named: ReadonlyMap<number, NamedProcess>;
  /** The services of those. */
  services: readonly FoundService[];
  uid: number;
  ownPid: number;
};

export type Claimed = {
  /** In the order of the claims; those that do not get their name have `routable: false`. */
  services: readonly Service[];
  /** Claims whose place nobody has, or whose server has another name. `why`: a clause for a person. */
  waiting: readonly WaitingName[];
  /** Processes whose sockets are named by a claim: they are no servers of their own. */
  pids: ReadonlySet<number>;
  /** Every name that is claimed, whether or not it leads anywhere: no inferred name takes it. */
  names: ReadonlyMap<string, Claim>;
};

const strength: readonly ClaimSource[] = ["given", "container", "remote"];

/**
 * A server has one name: a usable NAME first, then the strongest claim. Of two claims with one name, the stronger gets
 * it, even while its server is not there: requests that were meant for the one must not reach the other.
 */
export function claimedServices(all: readonly Claim[], options: ClaimedOptions): Claimed {
  const { scan, named, services, ownPid } = options;
  const claims = strength.flatMap((source) => all.filter((claim) => claim.source === source));
  const holders = new Map(
    services.filter(({ routable }) => routable).map((service) => [service.name, service]),
  );
  /** By name: the claim that has it. */
  const winners = new Map<string, Claim>();
  /** By socket: the name that it has from a claim. */
  const taken = new Map<string, string>();
  const takenBy: TakenBy = (its) => taken.get(socketKey(its));
  const found: { claim: Claim; its: Found; lost: string | undefined }[] = [];
  const waiting: WaitingName[] = [];
  const sockets = socketsIn(scan);
  for (const claim of claims) {
    const lost = lossOf(claim, {
      holder: holders.get(claim.name),
      winner: winners.get(claim.name),
    });
    const its = placeHolders(claim, { scan, sockets, named, services, takenBy, ownPid });
    // A process comes back under another pid: one that has ended keeps no name from others.
    const isReserved = its.kind !== "waits" || claim.place.kind !== "process";
    if (isReserved && !winners.has(claim.name)) winners.set(claim.name, claim);
    if (its.kind !== "found") {
      const kind = lost === undefined ? its.kind : "shadowed";
      const { name, source, because } = claim;
      waiting.push({ name, source, because, kind, why: lost ?? its.why });
      continue;
    }
    for (const one of socketsOf(its)) taken.set(socketKey(one), claim.name);
    found.push({ claim, its, lost });
  }
  const pids = new Set(
    found
      .flatMap(({ its }) => its.observations.flatMap((one) => one.pids))
      .filter((pid) => named.get(pid) === undefined || named.get(pid)?.why !== undefined),
  );
  return {
    services: found.map((one) => serviceOf(one, { ...options, takenBy })),
    waiting,
    pids,
    names: winners,
  };
}

type TakenBy = (its: Pick<Observation, "address" | "port">) => string | undefined;

type Found = Extract<PlaceHolders, { kind: "found" }>;

/** The sockets at the endpoint, also where no process is visible. */
function socketsOf({ observations, endpoint }: Found): Pick<Observation, "address" | "port">[] {
  const { address, port, dial } = endpoint;
  return [
    ...observations.filter((its) => its.port === port),
    ...[address, ...dial].map((one) => ({ address: one, port })),
  ];
}

function socketKey({ address, port }: Pick<Observation, "address" | "port">): string {
  return `${port} ${address}`;
}

/** Why a claim does not get its name: a sentence. */
function lossOf(
  claim: Claim,
  { holder, winner }: { holder: FoundService | undefined; winner: Claim | undefined },
): string | undefined {
  const mend = mendOf(claim);
  if (holder !== undefined) {
    const { pid } = holder.process;
    return `pid ${pid} has ${variableOf(holder)}=${claim.name}, which wins; ${mend}`;
  }
  if (winner === undefined) return undefined;
  return `${placeWords(winner.place)} has the name ${claim.name} (${winner.because}); ${mend}`;
}

function mendOf({ source, place }: Claim): string {
  if (source === "given")
    return `to name this one: localhostess name <name> ${placeArgument(place)}`;
  if (source === "container")
    return "to name this one, give its container the label localhostess.name";
  return "to name this one, start it there with another NAME";
}

function serviceOf(
  { claim, its, lost }: { claim: Claim; its: Found; lost: string | undefined },
  { scan, named, uid, takenBy }: ClaimedOptions & { takenBy: TakenBy },
): Service {
  const { endpoint, observations, process } = its;
  const pids = new Set(observations.flatMap((one) => one.pids));
  // The listener of a container, or of a forward to another machine, is no process that a person means.
  const isMeant = claim.source === "given" && process !== undefined;
  const hasOwnName = [...pids].some((pid) => named.has(pid) && named.get(pid)?.why === undefined);
  const others =
    isMeant && !hasOwnName
      ? scan.observations.filter(
          (one) =>
            one.pids.some((pid) => pids.has(pid)) &&
            (takenBy(one) === undefined || takenBy(one) === claim.name),
        )
      : [];
  const ports = new Set([endpoint.port, ...others.map(({ port }) => port)]);
  const user = process?.uid ?? its.uid ?? uid;
  const cwd = claim.cwd ?? (isMeant ? process.cwd : undefined);
  return {
    name: claim.name,
    routable: lost === undefined,
    endpoint: claim.owners === undefined ? endpoint : { ...endpoint, owners: claim.owners },
    ...(isMeant ? { process: { pid: process.pid, startedAt: process.startedAt } } : {}),
    ...(isMeant ? { root: process.pid } : {}),
    ...(claim.startedAt === undefined ? {} : { startedAt: claim.startedAt }),
    ...(user === uid || claim.source !== "given" ? {} : { user }),
    pids: [...pids].sort((a, b) => a - b),
    ports: [...ports].filter((port) => port > 0).sort((a, b) => a - b),
    command: printable(claim.command ?? (isMeant ? process.command : endpointWords(endpoint))),
    cwd: cwd === undefined ? undefined : printablePath(cwd),
    source: claim.source,
    ...(claim.checkout === undefined ? {} : { checkout: claim.checkout }),
    because: claim.because,
    warnings: [
      ...(lost === undefined ? [] : [lost]),
      ...(claim.warnings ?? []),
      ...(pids.size === 0 ? [] : neighbours({ observations, pids }, scan)),
    ],
  };
}
