/** A snapshot of services -> the service with a given name, and the supervisor's state for that name. */
import {
  type ConfiguredNames,
  type NameSettings,
  settingsFrom,
} from "../manifest/name-settings.ts";
import type { KnownCheckouts } from "./checkout.ts";
import { labelFrom } from "../manifest/project-name.ts";
import { nearest } from "../text/nearest.ts";
import { storeName } from "./declared-store.ts";
import { projectOwning, withRights } from "./name-rights.ts";
import { type Choice, type Origins, originsOf, type Version } from "./origins.ts";
import type { Service } from "./service.ts";
import type { Supervised } from "./supervised.ts";

export interface RouteTable {
  /** All services that were seen, including unroutable ones and those that take a project's name. */
  readonly services: readonly Service[];
  /** The names that lead to a service, ascending. */
  readonly names: readonly string[];
  /** Domains besides `localhost` that a name may be written with. */
  readonly tlds: readonly string[];
  /**
   * Every name that something here answers for: services that run, whether or not they can be reached, services of
   * projects in any state, and declared names. Ascending, each once.
   */
  known(): readonly string[];
  /** Whether a name without a dot is answered for clients that did not come through a proxy setting. */
  answersBare(name: string): boolean;
  /** The service with this name, or with the longest suffix of it: `x.api` reaches `api`. */
  find(name: string): Service | undefined;
  /** The supervisor's state for this name, or for the longest suffix of it that belongs to a project's service. */
  supervised(name: string): Supervised | undefined;
  /**
   * How requests to a service are treated: its project's word, then that of config.toml. `origin`: the plain name that
   * it was asked for by, where it is a worktree's.
   */
  settings(of: {
    name: string;
    supervised: Supervised | undefined;
    origin?: string | undefined;
  }): NameSettings;
  /** The checkouts that names may be of; undefined: none are known. */
  readonly checkouts: KnownCheckouts | undefined;
  /** The sockets that a project's service was seen with on a port since it was started; undefined: none are known. */
  readonly socketsOf?: SocketsOf | undefined;
  /** The store of a project that would have exactly this name. */
  store(name: string): Supervised | undefined;
  /** The instances behind this name, or behind the longest suffix of it that instances share. */
  group(name: string): Group | undefined;
  /** Plain names that can show any checkout of their repository; undefined: no repository has more than one. */
  readonly origins: Origins | undefined;
}

/** Services of a project that share a name, in the order of their numbers. */
export type Group = { routeName: string; instances: readonly Supervised[] };

export type SocketsOf = (its: Supervised, port: number) => readonly number[] | undefined;

export type TableOptions = {
  socketsOf?: SocketsOf | undefined;
  tlds?: readonly string[];
  supervised?: readonly Supervised[];
  /** Names without a dot that more than a resolver maps to this machine. */
  answersBare?: BareNames | undefined;
  /** Names without a dot that the person has declared to be ours, whether or not anything has them. */
  declared?: readonly string[] | undefined;
  /**
   * The labels of other machines, and names there that have ended: no shorter name answers for what is missing there.
   */
  remotes?: ReadonlySet<string> | undefined;
  /** Names that are kept for places at which nobody is now: no shorter name answers for them either. */
  kept?: ReadonlySet<string> | undefined;
  /** The words of config.toml on all names, and on single ones. */
  configured?: ConfiguredNames | undefined;
  checkouts?: KnownCheckouts | undefined;
  /** Choices for all browsers, of names with several checkouts. */
  choices?: readonly Choice[] | undefined;
};

export type BareNames = "all" | ReadonlySet<string>;

const noNames: BareNames = new Set();
const noLabels: ReadonlySet<string> = new Set();

export function routeTable(
  seen: readonly Service[],
  {
    tlds = [],
    supervised = [],
    answersBare = noNames,
    declared = [],
    remotes = noLabels,
    kept: waiting = noLabels,
    configured,
    checkouts,
    choices = [],
    socketsOf,
  }: TableOptions = {},
): RouteTable {
  const judged = withRights(seen, { tlds, supervised });
  // A project that is up has all names under its domain.
  const kept = new Set(
    [...waiting].filter((name) => projectOwning(name, { tlds, supervised }) === undefined),
  );
  const origins =
    checkouts === undefined
      ? undefined
      : originsOf({
          versions: versionsIn(judged, { supervised, checkouts }),
          kept,
          choices,
          checkouts,
        });
  const services = origins === undefined ? judged : judged.map((its) => withOrigin(its, origins));
  const byName = new Map<string, Service>();
  for (const service of services) {
    if (service.routable) byName.set(service.name, service);
  }
  const supervisedByName = new Map<string, Supervised>();
  const groups = new Map<string, { routeName: string; instances: Supervised[] }>();
  const stores = new Map<string, Supervised>();
  for (const one of supervised) {
    const store = storeName(one);
    if (store !== undefined) stores.set(store, one);
    if (one.routeName !== undefined) supervisedByName.set(one.routeName, one);
    const shared = one.instance?.routeName;
    if (shared === undefined) continue;
    const group = groups.get(shared) ?? { routeName: shared, instances: [] };
    groups.set(shared, group);
    group.instances.push(one);
  }
  const reserved = { remotes, kept };
  return {
    services,
    names: [...byName.keys()].sort(),
    tlds,
    checkouts,
    socketsOf,
    known() {
      const known = new Set(declared);
      for (const { name } of services) known.add(name);
      for (const named of [supervisedByName, groups]) {
        for (const name of named.keys()) known.add(name);
      }
      for (const { name } of origins?.all ?? []) known.add(name);
      return [...known].sort();
    },
    answersBare: (name) => answersBare === "all" || answersBare.has(name),
    find: (name) => longestEnding(byName, name, reserved),
    supervised: (name) => longestEnding(supervisedByName, name, reserved),
    settings({ name, supervised: its, origin }) {
      const shared = its?.instance?.routeName;
      return settingsFrom([
        its?.settings,
        configured?.byName.get(name),
        shared === undefined ? undefined : configured?.byName.get(shared),
        origin === undefined ? undefined : configured?.byName.get(origin),
        configured?.all,
      ]);
    },
    group: (name) => longestEnding(groups, name, reserved),
    store: (name) => stores.get(name),
    origins,
  };
}

/** Every name of a checkout, be its server there or not; a server's own is stronger than what a project declares. */
function versionsIn(
  services: Iterable<Service>,
  { supervised, checkouts }: { supervised: readonly Supervised[]; checkouts: KnownCheckouts },
): Version[] {
  const versions: Version[] = [];
  for (const { routeName, instance, directory, checkout: own } of supervised) {
    const checkout = own ?? checkouts.of(directory);
    for (const name of [routeName, instance?.routeName]) {
      if (name !== undefined) versions.push({ name, checkout });
    }
  }
  for (const { name, routable, checkout } of services) {
    if (routable) versions.push({ name, checkout });
  }
  return versions;
}

function withOrigin(service: Service, origins: Origins): Service {
  const origin = service.routable ? origins.of(service.name) : undefined;
  return origin === undefined ? service : { ...service, origin };
}

/** Whether something of ours has the name, or a suffix of it: a service in any state, or a worktree that it shows. */
export function leads(name: string, { find, supervised, group, origins }: RouteTable): boolean {
  return (find(name) ?? supervised(name) ?? group(name) ?? origins?.find(name)) !== undefined;
}

/** The name that a mistyped one was probably meant to be: of a server, or of a project's service in any state. */
export function nearestName(word: string, table: RouteTable): string | undefined {
  const isProjects = (name: string): boolean =>
    table.supervised(name)?.routeName === name || table.group(name)?.routeName === name;
  return (
    nameOfFolder(word, table) ??
    nearest(word, new Set([...table.names, ...table.known().filter(isProjects)]))
  );
}

/** The name of the server that runs in a folder called so, where its project's file says another. */
function nameOfFolder(word: string, { services }: RouteTable): string | undefined {
  const isMeant = ({ source, routable, cwd = "" }: Service): boolean =>
    source === "folder" && routable && labelFrom(cwd.slice(cwd.lastIndexOf("/") + 1)) === word;
  return services.find(isMeant)?.name;
}

/** A server of this machine that is named like another machine does not answer for what is missing there. */
function longestEnding<T>(
  byName: ReadonlyMap<string, T>,
  name: string,
  { remotes, kept }: { remotes: ReadonlySet<string>; kept: ReadonlySet<string> },
): T | undefined {
  if (byName.size === 0) return undefined;
  for (let rest = name; ;) {
    const found = byName.get(rest);
    if (found !== undefined) return found;
    if (kept.has(rest)) return undefined;
    if (remotes.has(rest)) return undefined;
    const dot = rest.indexOf(".");
    if (dot === -1) return undefined;
    rest = rest.slice(dot + 1);
    if (!rest.includes(".") && remotes.has(rest)) return undefined;
  }
}
