/** Scan after scan -> the sockets that the services of projects were seen with, for as long as these run. */
import type { Endpoint, Service } from "../routes/service.ts";
import type { Supervised } from "../routes/supervised.ts";

type Seen = { run: string; endpoint: Endpoint };

/** A service that gives its port up is not seen any more, and whoever takes the port then is somebody else. */
export class SeenSockets {
  #byName: ReadonlyMap<string, Seen> = new Map();

  see(services: readonly Service[], supervised: readonly Supervised[]): void {
    const own = new Map(services.filter(isOwn).map((its) => [its.name, its]));
    const now = new Map<string, Seen>();
    for (const one of supervised) {
      const { routeName } = one;
      if (routeName === undefined || one.pid === undefined) continue;
      const run = runOf(one);
      const endpoint = own.get(routeName)?.endpoint;
      const before = this.#byName.get(routeName);
      if (endpoint?.sockets !== undefined) now.set(routeName, { run, endpoint });
      else if (before?.run === run) now.set(routeName, before);
    }
    this.#byName = now;
  }

  /** Undefined: it was not seen on this port since it was started. */
  of(one: Supervised, port: number): readonly number[] | undefined {
    const seen = this.#byName.get(one.routeName ?? "");
    return seen?.run === runOf(one) && seen.endpoint.port === port
      ? seen.endpoint.sockets
      : undefined;
  }
}

function isOwn({ routable, source }: Service): boolean {
  return routable && (source === "LOCALHOSTESS_NAME" || source === "ancestor");
}

function runOf({ pid, startedAt }: Supervised): string {
  return `${pid} ${startedAt}`;
}
