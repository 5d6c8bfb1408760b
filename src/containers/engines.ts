/** The places where engines may be -> claims for all containers that run, as they start and end. */
import { homedir } from "node:os";
import { basename, dirname } from "node:path";
import type { Claim } from "../routes/claim.ts";
import type { Cancel, Clock } from "../system/clock.ts";
import { type FolderEvents, folderEvents, type Heard } from "../system/folder-events.ts";
import { containerClaims } from "./container-claims.ts";
import type { ComposeCheckout, NamingContainers } from "./container-name.ts";
import { Engine, type EngineApi, type EngineReport } from "./engine.ts";
import { enginePlaces, type PlacesOptions } from "./engine-places.ts";
import { engineSocket } from "./engine-socket.ts";

export type EnginesOptions = NamingContainers & {
  clock: Clock;
  env: PlacesOptions["env"];
  /** `containers` of config.toml: false, true, or the sockets to ask. */
  wanted: boolean | readonly string[];
  /** The claims are others than before. */
  onChange(): void;
  home?: string;
  uid?: number;
  api?: EngineApi;
  events?: FolderEvents;
};

export interface Engines {
  /** The same list until one of them changes. */
  claims(): readonly Claim[];
  /** One for each socket that is there. */
  reports(): readonly EngineReport[];
  start(): void;
  /** Twice is harmless. */
  stop(): void;
}

/** Milliseconds between looks for engines that no news of a folder has told of. A look is some twenty stats. */
const period = 5000;

export function engines(options: EnginesOptions): Engines {
  const { clock, wanted, onChange } = options;
  const uid = options.uid ?? process.getuid?.() ?? 0;
  const home = options.home ?? homedir();
  const events = options.events ?? folderEvents();
  const all = new Map<string, Engine>();
  const heard = new Map<string, Heard>();
  /** By the container's id. */
  const checkouts = new Map<string, ComposeCheckout | undefined>();
  let claims: readonly Claim[] = [];
  let cancelTicks: Cancel | undefined;
  let isStopped = false;

  /**
   * The address of a running server does not change when another branch is checked out under it, or when its worktree
   * is removed.
   */
  function keptCheckout(folder: string, id: string): ComposeCheckout | undefined {
    if (!checkouts.has(id)) checkouts.set(id, options.checkout?.(folder, id));
    return checkouts.get(id);
  }

  function changed(): void {
    if (isStopped) return;
    const known = [...all.values()].map(({ report }) => ({
      owner: report.owner,
      containers: report.containers,
      warning: report.state === "silent" ? "its engine does not answer" : undefined,
      isDoubtful: report.state === "silent" || report.state === "lost",
    }));
    const now = containerClaims(known, { checkout: keptCheckout });
    const ids = new Set(known.flatMap(({ containers }) => containers.map(({ id }) => id)));
    for (const id of checkouts.keys()) if (!ids.has(id)) checkouts.delete(id);
    if (JSON.stringify(now) === JSON.stringify(claims)) return;
    claims = now;
    onChange();
  }

  function socketAt(path: string): ReturnType<typeof engineSocket> {
    const found = engineSocket(path, { uid });
    if (found.kind !== "socket") return found;
    // The same socket by another path, as Docker Desktop and Colima link theirs.
    for (const other of all.keys()) {
      if (other === path) return found;
      const its = engineSocket(other, { uid });
      if (its.kind === "socket" && its.identity === found.identity) return { kind: "absent" };
    }
    return found;
  }

  function hear(path: string): void {
    const folder = dirname(path);
    const before = heard.get(path);
    if (before !== undefined && before.identity !== "") return;
    before?.cancel();
    heard.set(
      path,
      events.hear(folder, (name) => {
        if (name === undefined || name === basename(path)) all.get(path)?.look();
      }),
    );
  }

  function look(): void {
    const only = typeof wanted === "boolean" ? undefined : wanted;
    const { sockets } = enginePlaces({ env: options.env, home, uid, only });
    for (const path of sockets) {
      if (!all.has(path)) {
        const its = { path, clock, look: () => socketAt(path), onChange: changed };
        all.set(path, new Engine({ ...its, ...(options.api ? { api: options.api } : {}) }));
      }
      hear(path);
    }
    for (const engine of all.values()) engine.look();
  }

  return {
    claims: () => claims,
    reports: () =>
      [...all.values()]
        .map(({ report }) => report)
        .filter(({ state, trouble }) => state !== "away" || trouble !== undefined),
    start() {
      if (wanted === false || cancelTicks !== undefined || isStopped) return;
      cancelTicks = clock.every(period, look);
      look();
    },
    stop() {
      isStopped = true;
      cancelTicks?.();
      for (const its of heard.values()) its.cancel();
      heard.clear();
      for (const engine of all.values()) engine.stop();
    },
  };
}
