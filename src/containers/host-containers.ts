/** Containers on this machine's own network -> the same with their processes here, for which the engine is asked. */
import type { ProcessIdentity } from "../routes/service.ts";
import { isThere } from "../system/process-now.ts";
import type { Container } from "./container.ts";
import { containerProcess, readHostContainer } from "./container-process.ts";
import type { Answer } from "./engine-api.ts";

export type HostContainersOptions = {
  get(path: string): Promise<Answer>;
  /** A process has been found. */
  onFound(): void;
};

/** Containers that are asked for after one list. */
const most = 32;

export class HostContainers {
  readonly #options: HostContainersOptions;
  /** By the container's id; undefined: it has none that we may name. */
  #known = new Map<string, ProcessIdentity | undefined>();

  constructor(options: HostContainersOptions) {
    this.#options = options;
  }

  withProcesses(containers: readonly Container[]): readonly Container[] {
    if (this.#known.size === 0) return containers;
    return containers.map((its) => ({ ...its, process: this.#known.get(its.id) }));
  }

  /** Asks once for each, and again once its process has ended. Another call takes the place of one that waits. */
  async find(containers: readonly Container[]): Promise<void> {
    const known = new Map<string, ProcessIdentity | undefined>();
    for (const { id } of containers) {
      const its = this.#known.get(id);
      const isKept = its === undefined ? this.#known.has(id) : isThere(its.pid);
      if (isKept) known.set(id, its);
    }
    this.#known = known;
    const unknown = containers.filter((its) => isOnHost(its) && !known.has(its.id));
    for (const { id } of unknown.slice(0, most)) {
      const answer = await this.#options.get(`/containers/${id}/json`);
      const found = answer.kind === "answer" ? readHostContainer(answer.text) : undefined;
      const process = found === undefined ? undefined : await containerProcess(found);
      if (this.#known !== known) return;
      if (answer.kind === "answer") known.set(id, process);
      if (process !== undefined) this.#options.onFound();
    }
  }
}

/** The id is a part of a path. */
function isOnHost({ hostNetwork, ports, id }: Container): boolean {
  return hostNetwork && ports.length === 0 && /^[0-9a-f]{12,64}$/.test(id);
}
