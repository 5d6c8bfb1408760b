/** What was found, what is supervised and which bare names lead here -> the route table of now. */
import type { Changes } from "../discovery/scanner.ts";
import type { Service } from "../routes/service.ts";
import type { Supervised } from "../routes/supervised.ts";
import { type BareNames, type RouteTable, routeTable } from "../routes/table.ts";
import type { HostsFile } from "../system/hosts-file.ts";

export type CurrentRoutesOptions = {
  tlds: readonly string[];
  /** Those of the configuration; true: all of them. */
  bareNames: readonly string[] | boolean;
  /** Where there are more. */
  hosts: HostsFile;
};

export class CurrentRoutes {
  readonly #options: CurrentRoutesOptions;
  #hostsNames: ReadonlySet<string>;
  #services: readonly Service[] = [];
  #supervised: () => readonly Supervised[] = () => [];
  #scanned = false;
  #table: RouteTable;

  constructor(options: CurrentRoutesOptions) {
    this.#options = options;
    this.#hostsNames = options.hosts.names();
    this.#table = this.#made();
  }

  /** The same object until something in it changes. */
  get table(): RouteTable {
    return this.#table;
  }

  /** From now on the table has these, as they are whenever it is made anew. */
  include(supervised: () => readonly Supervised[]): void {
    this.#supervised = supervised;
  }

  /** A scan has ended. @returns its changes, with what projects that are up have a right to. */
  scanned(services: readonly Service[], changes: Changes): Changes {
    this.#services = services;
    const hostsNames = this.#options.hosts.names();
    const changed =
      hostsNames !== this.#hostsNames ||
      changes.appeared.length + changes.changed.length + changes.gone.length > 0 ||
      !this.#scanned;
    this.#hostsNames = hostsNames;
    this.#scanned = true;
    if (changed) this.renew();
    return judgedBy(this.#table, changes);
  }

  /** Makes the table anew: what is supervised has changed. */
  renew(): void {
    this.#table = this.#made();
  }

  #made(): RouteTable {
    const { tlds } = this.#options;
    const answersBare = this.#bareNames();
    return routeTable(this.#services, { tlds, answersBare, supervised: this.#supervised() });
  }

  #bareNames(): BareNames {
    const { bareNames } = this.#options;
    if (bareNames === true) return "all";
    return this.#hostsNames.union(new Set(bareNames === false ? [] : bareNames));
  }
}

/** What was seen, as the table has it. */
function judgedBy({ services }: RouteTable, changes: Changes): Changes {
  const rows = Map.groupBy(services, ({ process }) => process.pid);
  const judged = (these: readonly Service[]) =>
    these.map((its) => rows.get(its.process.pid)?.find(({ name }) => name === its.name) ?? its);
  const { appeared, changed, gone } = changes;
  return { appeared: judged(appeared), changed: judged(changed), gone };
}
