/** Configured and kept machines -> their services here, and what becomes of names that end in theirs. */
import type { Claim } from "../routes/claim.ts";
import { remoteOf, type RemoteReport } from "../routes/remote-report.ts";
import { isThere } from "../system/process-now.ts";
import type { Cancel, Clock } from "../system/clock.ts";
import type { KeptRemotes } from "./kept.ts";
import { Machine } from "./machine.ts";
import { leaveFolder, socketFolder, sweepSockets } from "./socket-folder.ts";

export type RemotesOptions = {
  clock: Clock;
  /** From 0 to 1. */
  random(): number;
  stateDirectory: string;
  env: Readonly<Record<string, string | undefined>>;
  /** `[remotes]` of config.toml now: name -> host. The same object until the file says something else. */
  configured(): ReadonlyMap<string, string>;
  kept: KeptRemotes;
  /** Has the pids of ssh for as long as they are awaited. */
  pids: Set<number>;
  /** The names of services have changed. */
  onChange(): void;
  note(text: string): void;
};

export interface Remotes {
  start(): Promise<void>;
  /** Ends every ssh, and removes the sockets. Twice is harmless. */
  stop(): Promise<void>;
  /** Somebody uses localhostess: a request, a list, the page. Costs one store. */
  touch(): void;
  /** The same until cancelled, for a person who is watching. Cancelling twice is harmless. */
  attend(): Cancel;
  claims(): readonly Claim[];
  /**
   * The labels of all machines, and names there that lead nowhere any more: no shorter name answers for those. The same
   * object until one comes or goes.
   */
  names(): ReadonlySet<string>;
  /**
   * Resolves at once for a name that is not of another machine; else when that machine's services are known as of now,
   * or cannot be had, and at the latest after `patience`. Never rejects.
   */
  look(name: string): Promise<void>;
  /** False where a name of another machine may lead to another server by now: `look` tells. */
  isFresh(name: string): boolean;
  /** The machine that the name would be of. */
  of(name: string): RemoteReport | undefined;
  reports(): readonly RemoteReport[];
  /** Keeps a machine, or gives it another host, and connects. @returns a sentence, where that cannot be. */
  add(remote: { name: string; host: string }): string | undefined;
  /** @returns a sentence, where there is none that could be removed. */
  remove(name: string): string | undefined;
  /** Connects now. @returns a sentence, where there is no such machine. */
  retry(name: string | undefined): string | undefined;
  /** The socket of the agent that the person uses now, for connections from here on. */
  useAgent(socket: string): void;
}

/** Milliseconds that a request waits for another machine: ssh has connected by then, or the person wants to know. */
export const patience = 5_000;

const tick = 1_000;
/** Ticks after a use for which localhostess counts as in use: looks at other machines go on. */
const inUse = 30;
/** Milliseconds by which a tick may be late on a busy machine; later ones come from a machine that slept. */
const asleep = 10_000;

export function remotes(options: RemotesOptions): Remotes {
  const { clock, random, kept, configured, pids, note } = options;
  const env = { ...options.env };
  let machines = new Map<string, Machine>();
  let names: ReadonlySet<string> = new Set();
  let read: ReadonlyMap<string, string> | undefined;
  let cancelTicks: Cancel | undefined;
  let touched = false;
  const watchers = new Set<object>();
  let quiet = inUse;
  let wall = clock.wall();
  let folder: string | undefined;
  let announced = false;
  let state: "new" | "running" | "stopped" = "new";

  /** Once for all that changes in one turn of the event loop. */
  function changed(): void {
    const now = new Set([...machines].flatMap(([name, machine]) => [name, ...machine.left()]));
    if (now.symmetricDifference(names).size > 0) names = now;
    if (announced || state !== "running") return;
    announced = true;
    queueMicrotask(() => {
      announced = false;
      if (state === "running") options.onChange();
    });
  }

  const sockets = {
    stateDirectory: options.stateDirectory,
    uid: process.getuid?.() ?? 0,
    runtimeDirectory: env.XDG_RUNTIME_DIR,
    pid: process.pid,
    isAlive: isThere,
  };
  const folderNow = (): string => {
    folder ??= socketFolder(sockets);
    return folder;
  };

  function made(name: string, host: string, source: RemoteReport["source"]): Machine {
    return new Machine({
      ...{ name, host, source, clock, random, pids, note },
      folder: folderNow,
      env: () => env,
      onChange: changed,
    });
  }

  /** The machines as they are configured now. */
  function settle(): void {
    read = configured();
    const wanted = new Map<string, { host: string; source: RemoteReport["source"] }>();
    for (const [name, host] of kept.all()) wanted.set(name, { host, source: "kept" });
    // The file is what a person sees.
    for (const [name, host] of read) wanted.set(name, { host, source: "config" });
    const next = new Map<string, Machine>();
    for (const [name, { host, source }] of wanted) {
      const before = machines.get(name);
      const isSame = before?.host === host && before.source === source;
      next.set(name, isSame ? before : made(name, host, source));
    }
    for (const [name, machine] of machines) {
      if (next.get(name) !== machine) void machine.stop();
    }
    machines = next;
    if (next.size === 0) {
      cancelTicks?.();
      cancelTicks = undefined;
    } else if (state === "running") cancelTicks ??= clock.every(tick, onTick);
    changed();
  }

  function current(): void {
    if (state === "running" && configured() !== read) settle();
  }

  function onTick(): void {
    current();
    quiet = touched || watchers.size > 0 ? 0 : quiet + 1;
    touched = false;
    const now = clock.wall();
    const slept = now - wall > tick + asleep;
    wall = now;
    for (const machine of machines.values()) {
      if (slept) machine.on("woken");
      machine.tick({ used: quiet < inUse });
    }
  }

  return {
    async start() {
      if (state !== "new") return;
      await kept.read();
      // A daemon that was stopped meanwhile.
      if ((state as string) === "stopped") return;
      state = "running";
      try {
        sweepSockets(sockets);
      } catch (error) {
        note(`what an earlier daemon has left stays: ${(error as Error).message}`);
      }
      wall = clock.wall();
      settle();
    },
    async stop() {
      state = "stopped";
      cancelTicks?.();
      cancelTicks = undefined;
      await Promise.all([...machines.values()].map((machine) => machine.stop()));
      await kept.flush();
      if (folder !== undefined) leaveFolder(folder);
      folder = undefined;
    },
    touch() {
      touched = true;
    },
    attend() {
      const watcher = {};
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    claims() {
      current();
      return [...machines.values()].flatMap((machine) => machine.claims());
    },
    names: () => names,
    async look(name) {
      const machine = remoteOf(name, [...machines.values()]);
      if (machine === undefined) return;
      touched = true;
      const late = Promise.withResolvers<void>();
      const cancel = clock.after(patience, late.resolve);
      await Promise.race([machine.known(), late.promise]);
      cancel();
    },
    isFresh: (name) => remoteOf(name, [...machines.values()])?.isFresh ?? true,
    of: (name) => remoteOf(name, [...machines.values()])?.report(),
    reports() {
      current();
      return [...machines.values()].map((machine) => machine.report());
    },
    add({ name, host }) {
      if (configured().has(name))
        return `${name} is one of [remotes] in config.toml; change it there`;
      if (kept.all().size >= mostKept && !kept.all().has(name)) {
        return `${mostKept} machines are kept already; remove one: localhostess remote remove <name>`;
      }
      kept.set(name, host);
      settle();
      machines.get(name)!.on("told");
      return undefined;
    },
    remove(name) {
      if (configured().has(name))
        return `${name} is one of [remotes] in config.toml; remove it there`;
      if (!kept.delete(name)) return `there is no machine ${name}`;
      settle();
      return undefined;
    },
    retry(name) {
      current();
      const machine = name === undefined ? undefined : machines.get(name);
      if (name !== undefined && machine === undefined) return `there is no machine ${name}`;
      for (const its of machine === undefined ? machines.values() : [machine]) its.on("told");
      return undefined;
    },
    useAgent(socket) {
      env.SSH_AUTH_SOCK = socket;
    },
  };
}

/** Far more than a person has. */
const mostKept = 100;
