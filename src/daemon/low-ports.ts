/** Ports that we may not listen on ourselves -> sockets that listen there, of a service manager or the helper. */
import { closeSync } from "node:fs";
import type { Vacancy } from "../control/found/claim-port.ts";
import {
  type AskOptions,
  askForPorts,
  type HelperAnswer,
  helperPorts,
} from "../helper/ask-for-ports.ts";
import { installedPrograms } from "../helper/installed.ts";
import { helperName } from "../helper/places.ts";
import { whyNoPorts } from "../helper/why-no-ports.ts";
import { isLoopback } from "../link/listen.ts";
import type { Ready } from "../link/listen-on-both.ts";
import type { RefusedPort } from "../proxy/listener/own-ports.ts";
import { listeningPlace } from "../system/listening-place.ts";
import { answering, listenersOn } from "../system/listeners.ts";
import type { PassedSocket } from "../system/passed-sockets.ts";
import { portRightCommand } from "../text/port-right.ts";
import { vacancy } from "./ports.ts";

/**
 * Where the sockets of a port are from: made by the daemon itself, or by the one before, by a service manager
 * (sd_listen_fds(3)), or by the helper.
 */
export type PortSource = "itself" | "before" | "service manager" | "helper";

export type LowPortsOptions = {
  passed: readonly PassedSocket[];
  /** How the helper is asked; undefined: there is none on this system. */
  helper: AskOptions | undefined;
  note(text: string): void;
};

const loopbacks = ["127.0.0.1", "::1"] as const;

type Socket = { address: string; port: number; descriptor: number; from: PortSource };

export class LowPorts {
  readonly #options: LowPortsOptions;
  /** Nobody has listened on them yet. */
  readonly #left = new Map<string, Socket>();
  readonly #sources = new Map<number, PortSource>();
  #answer: HelperAnswer | undefined;
  /** Why a port could not be had, from the helper. */
  readonly #missing = new Map<number, string>();

  constructor(options: LowPortsOptions) {
    this.#options = options;
    for (const one of options.passed) this.#adopt(one);
  }

  /** Asks for those of these ports that nobody but root may listen on. `isHanded`: the daemon before has given it. */
  async prepare(ports: readonly number[], isHanded: (port: number) => boolean): Promise<void> {
    const { helper } = this.#options;
    if (helper === undefined || (this.#answer !== undefined && this.#answer.kind !== "sockets")) {
      return;
    }
    // Most machines have none: then nothing is tried.
    if (installedPrograms(helperName, helper).length === 0) return;
    const needed = ports.filter(
      (port) => helperPorts.includes(port) && !isHanded(port) && this.#isNeeded(port),
    );
    if (needed.length === 0) return;
    this.#answer = await askForPorts([...new Set(needed)], helper);
    if (this.#answer.kind !== "sockets") return;
    for (const its of this.#answer.sockets) this.#keep({ ...its, from: "helper" });
    for (const port of needed) this.#dropHalf(port, this.#answer.missing);
  }

  /** A socket on at least one address is here. */
  has(port: number): boolean {
    return loopbacks.some((address) => this.#left.has(`${address} ${port}`));
  }

  /** A port that is reserved is not free for us, and yet may be had. */
  vacancy(port: number): Vacancy {
    if (this.has(port)) return "free";
    const its = vacancy(port);
    if (its !== "never" || this.#options.helper === undefined) return its;
    if (!helperPorts.includes(port)) return its;
    return isTaken(port) ? "taken" : "free";
  }

  /** Joins those that the daemon before has handed over, which come first. */
  after(before: Ready | undefined): Ready {
    return (address, port) => {
      const handed = before?.(address, port);
      const key = `${address} ${port}`;
      const its = this.#left.get(key);
      this.#left.delete(key);
      if (handed !== undefined) {
        if (its !== undefined) closeSync(its.descriptor);
        this.#sources.set(port, "before");
        return handed;
      }
      if (its !== undefined) this.#sources.set(port, its.from);
      return its?.descriptor;
    };
  }

  sourceOf(port: number): PortSource {
    return this.#sources.get(port) ?? "itself";
  }

  /** With what is known of the ports that the system has refused. */
  explained(refused: readonly RefusedPort[]): RefusedPort[] {
    return refused.map((its) => {
      if (its.code !== "EACCES") return its;
      const { port } = its;
      if (isTaken(port)) return { ...its, code: "EADDRINUSE" };
      const missing = this.#missing.get(port);
      if (missing !== undefined) return { ...its, code: undefined, why: missing };
      const { helper } = this.#options;
      if (helper === undefined || !helperPorts.includes(port)) {
        return { ...its, fix: portRightCommand([port]) };
      }
      const answer = this.#answer ?? { kind: "none" };
      if (answer.kind === "sockets") return its;
      return { ...its, ...whyNoPorts(answer, helper.version) };
    });
  }

  /** Closes those on which nobody has listened. */
  close(): void {
    for (const { descriptor, from, address, port } of this.#left.values()) {
      closeSync(descriptor);
      if (from === "service manager") {
        const place = placeText(address, port);
        this.#options.note(
          `a socket of the service manager is not used: ${place} is not asked for`,
        );
      }
    }
    this.#left.clear();
  }

  #adopt({ descriptor, name }: PassedSocket): void {
    const its = listeningPlace(descriptor);
    const what = `descriptor ${descriptor} (${name}) of the service manager is not used`;
    if (its.kind === "other") {
      closeSync(descriptor);
      this.#options.note(`${what}: ${its.what}`);
      return;
    }
    const { address, port } = its;
    if ((loopbacks as readonly string[]).includes(address)) {
      this.#keep({ address, port, descriptor, from: "service manager" });
      return;
    }
    closeSync(descriptor);
    const why = isLoopback(address) ? "other than 127.0.0.1 and [::1]" : "for other machines too";
    const instead = loopbacks.map((its) => `ListenStream=${placeText(its, port)}`).join(" and ");
    this.#options.note(
      `${what}: it listens on ${placeText(address, port)}, ${why}; write ${instead} in its socket unit`,
    );
  }

  #keep(socket: Socket): void {
    const key = `${socket.address} ${socket.port}`;
    if (this.#left.has(key)) closeSync(socket.descriptor);
    else this.#left.set(key, socket);
  }

  #isNeeded(port: number): boolean {
    if (loopbacks.every((address) => this.#left.has(`${address} ${port}`))) return false;
    return vacancy(port) === "never" && (this.has(port) || !isTaken(port));
  }

  /** A port is only ours where nobody else has its other half. */
  #dropHalf(port: number, why: readonly string[]): void {
    const [v4, v6] = loopbacks.map((address) => this.#left.get(`${address} ${port}`));
    if (v4 !== undefined && (v6 !== undefined || !hasIPv6())) return;
    for (const its of [v4, v6]) {
      if (its === undefined) continue;
      closeSync(its.descriptor);
      this.#left.delete(`${its.address} ${port}`);
    }
    this.#missing.set(port, why.join("; ") || "the helper could not listen on both addresses");
  }
}

function placeText(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Somebody listens there, whom we could not hear of by trying. Linux; false elsewhere. */
function isTaken(port: number): boolean {
  const rows = listenersOn(port);
  return loopbacks.some((address) => answering(rows, { address, port }).length > 0);
}

function hasIPv6(): boolean {
  try {
    Bun.listen({ hostname: "::1", port: 0, socket: { data() {} } }).stop(true);
    return true;
  } catch {
    // No such address: nobody can connect to it.
    return false;
  }
}
