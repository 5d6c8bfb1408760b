/** Found services, supervised services and bare names -> the current route table. */
import type { ConfiguredNames } from "../manifest/name-settings.ts";
import type { Changes } from "../discovery/scanner.ts";
import { holderText } from "../routes/holder-text.ts";
import type { KnownCheckouts } from "../routes/checkout.ts";
import type { Choice } from "../routes/origins.ts";
import type { Service } from "../routes/service.ts";
import type { Supervised } from "../routes/supervised.ts";
import { keptNames, type WaitingName } from "../routes/waiting-name.ts";
import { type BareNames, type RouteTable, routeTable } from "../routes/table.ts";
import type { HostsFile } from "../system/hosts-file.ts";
import type { CheckoutsNow } from "./known-checkouts.ts";
import { SeenSockets } from "./seen-sockets.ts";
import type { NamesFile } from "./configured-names.ts";

export type CurrentRoutesOptions = {
  tlds: readonly string[];
  /** `bare_names` of the configuration; true: all names. */
  bareNames: readonly string[] | boolean;
  /** The source of more bare names. */
  hosts: HostsFile;
  /** The settings of names in config.toml; undefined: none. */
  names?: NamesFile | undefined;
  /** The labels of other machines now; undefined: there are none. */
  remotes?: (() => ReadonlySet<string>) | undefined;
  /** The names that lead nowhere now, as of the last scan; undefined: there are none. */
  waiting?: (() => readonly WaitingName[]) | undefined;
  /** Undefined: worktrees and branches are not known. */
  checkouts?: CheckoutsNow | undefined;
  /** The choices for all browsers; undefined: there are none. */
  choices?: { now(): readonly Choice[] } | undefined;
  /** The table is another one than before. */
  onTable?(): void;
};

export class CurrentRoutes {
  readonly #options: CurrentRoutesOptions;
  #hostsNames: ReadonlySet<string>;
  #configured: ConfiguredNames | undefined;
  #remotes: ReadonlySet<string> | undefined;
  #kept: ReadonlySet<string> = new Set();
  #choices: readonly Choice[] = [];
  #services: readonly Service[] = [];
  #supervised: () => readonly Supervised[] = () => [];
  #scanned = false;
  readonly #seen = new SeenSockets();
  #table: RouteTable;

  constructor(options: CurrentRoutesOptions) {
    this.#options = options;
    this.#hostsNames = options.hosts.names();
    this.#configured = options.names?.now();
    this.#remotes = options.remotes?.();
    this.#choices = options.choices?.now() ?? [];
    this.#table = this.#made();
  }

  /** The same object until something in it changes. */
  get table(): RouteTable {
    return this.#table;
  }

  /** The services of projects, as they are at this moment. */
  get supervised(): readonly Supervised[] {
    return this.#supervised();
  }

  /** The words of config.toml on names. */
  get configured(): ConfiguredNames | undefined {
    return this.#configured;
  }

  /** From now on the table includes these services; they are read each time it is made. */
  include(supervised: () => readonly Supervised[]): void {
    this.#supervised = supervised;
  }

  /** A scan has ended. @returns its changes, judged by the rights of the projects that are up. */
  scanned(services: readonly Service[], changes: Changes): Changes {
    this.#services = services;
    this.#seen.see(services, this.#supervised());
    const hostsNames = this.#options.hosts.names();
    const configured = this.#options.names?.now();
    const remotes = this.#options.remotes?.();
    const choices = this.#options.choices?.now() ?? this.#choices;
    const kept = keptNames(this.#options.waiting?.() ?? []);
    const changed =
      kept.size !== this.#kept.size ||
      !kept.isSubsetOf(this.#kept) ||
      remotes !== this.#remotes ||
      choices !== this.#choices ||
      hostsNames !== this.#hostsNames ||
      configured !== this.#configured ||
      this.#checkouts() !== this.#table.checkouts ||
      changes.appeared.length + changes.changed.length + changes.gone.length > 0 ||
      changes.reopened === true ||
      !this.#scanned;
    this.#remotes = remotes;
    this.#hostsNames = hostsNames;
    this.#configured = configured;
    this.#choices = choices;
    this.#kept = kept;
    this.#scanned = true;
    const before = this.#table;
    if (changed) this.renew();
    return withShown(judgedBy(this.#table, changes), { before, now: this.#table });
  }

  /** Whether config.toml says something else of names than before: then the table is made again. */
  reread(): boolean {
    const configured = this.#options.names?.now();
    if (configured === this.#configured) return false;
    this.#configured = configured;
    this.renew();
    return true;
  }

  /** Makes the table again, because a supervised service has changed. */
  renew(): void {
    this.#table = this.#made();
    this.#options.onTable?.();
  }

  #made(): RouteTable {
    const { tlds, bareNames } = this.#options;
    const answersBare = this.#bareNames();
    const supervised = this.#supervised();
    const declared = typeof bareNames === "boolean" ? [] : bareNames;
    const configured = this.#configured;
    const remotes = this.#remotes;
    const checkouts = this.#checkouts();
    const choices = this.#choices;
    const kept = this.#kept;
    return routeTable(this.#services, {
      ...{ tlds, answersBare, supervised, declared, configured, checkouts, choices, remotes, kept },
      socketsOf: (its, port) => this.#seen.of(its, port),
    });
  }

  /** A new branch, or a worktree that is gone, is known from the next scan on. */
  #checkouts(): KnownCheckouts | undefined {
    const supervised = this.#supervised();
    return this.#options.checkouts?.taken({ services: this.#services, supervised });
  }

  #bareNames(): BareNames {
    const { bareNames } = this.#options;
    if (bareNames === true) return "all";
    return this.#hostsNames.union(new Set(bareNames === false ? [] : bareNames));
  }
}

/** The changed services, as the table has them. */
function judgedBy({ services }: RouteTable, changes: Changes): Changes {
  const rows = Map.groupBy(services, holderText);
  const judged = (these: readonly Service[]) =>
    these.map((its) => rows.get(holderText(its))?.find(({ name }) => name === its.name) ?? its);
  const { appeared, changed, gone } = changes;
  return { appeared: judged(appeared), changed: judged(changed), gone };
}

/** The changes, with those services that a plain name shows now, or no longer. */
function withShown(
  changes: Changes,
  { before, now }: { before: RouteTable; now: RouteTable },
): Changes {
  if (before.origins === undefined && now.origins === undefined) return changes;
  if (before === now) return changes;
  const known = new Set([...changes.appeared, ...changes.changed]);
  const shown = now.services.filter((its) => {
    if (known.has(its)) return false;
    const was = before.services.find(
      ({ name, process }) => name === its.name && process?.pid === its.process?.pid,
    );
    return was !== undefined && was.origin?.shown !== its.origin?.shown;
  });
  return shown.length === 0 ? changes : { ...changes, changed: [...changes.changed, ...shown] };
}
