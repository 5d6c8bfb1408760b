/** A declared service, and a request to start it -> the life of its process, or why there is none. */
import type { ServiceSpec } from "../../manifest/project.ts";
import type { PortHolder } from "../../discovery/port-holder.ts";
import type { Clock } from "../../system/clock.ts";
import type { Ending } from "../family/ending.ts";
import type { Families, Run } from "../family/family.ts";
import { markOf } from "../family/mark.ts";
import type { AdoptedOptions } from "./adopted-child.ts";
import type { Child, ChildOptions, Spawned, Stream } from "./child.ts";
import { afterwards } from "./end-life.ts";
import { environmentOf } from "./environment.ts";
import { type HookEnd, Hooks, type RunningHook } from "./hooks.ts";
import { Life, type NotifySocket } from "./life.ts";
import { type Notice, noticesIn } from "./notify.ts";
import { portTaken, type TakenOptions } from "./port-words.ts";
import type { Refusal } from "./refusal.ts";

/** The project's input for a start; kept for automatic restarts. */
export type StartRequest = {
  /** The environment of the shell that asked. */
  shell: Readonly<Record<string, string | undefined>>;
  /** Undefined for a worker. */
  port: number | undefined;
  url: string | undefined;
  trust: Readonly<Record<string, string>>;
  /** For a person: `src/a.ts changed`. */
  reason?: string;
  /** Something has just built it, so that its process need not. */
  isBuilt?: true;
};

export type BeginEffects = {
  clock: Clock;
  families: Families;
  spawn(options: ChildOptions): Spawned;
  /** A socket whose datagrams are heard until it is closed. @throws with a sentence, where there can be none. */
  notifySocket(hear: (bytes: Uint8Array) => void): Promise<NotifySocket>;
  /** A process that another daemon has started, heard from now on. */
  adoptChild(options: AdoptedOptions): Child;
  /** A socket of the daemon before, at its path. @throws with a sentence. */
  adoptSocket(
    from: { path: string; descriptor: number },
    hear: (bytes: Uint8Array) => void,
  ): Promise<NotifySocket>;
  isFree(port: number): boolean;
  /** The processes that listen on a port that is not free. Never rejects. */
  holdersOf(port: number): Promise<readonly PortHolder[]>;
  /** The service of ours that one of these processes belongs to. */
  ownerOf(pids: readonly number[]): Promise<string | undefined>;
  /** The command that gives everybody the right to listen there, where we have none. */
  rightTo(port: number): string | undefined;
  /** Whether the command looks as if it would say READY=1 by itself. */
  mayNotify(command: string, workdir: string): Promise<boolean>;
  /** 128 random bits in hex. */
  runId(): string;
};

export type BeginOptions = {
  /** `shop:web`. */
  id: string;
  request: StartRequest;
  effects: BeginEffects;
  /** True once the start was overtaken. */
  isOver(): boolean;
  /** `bytes` are the callee's only until it returns. */
  onOutput(stream: Stream, bytes: Uint8Array): void;
  /** A line of our own in the service's log. */
  say(text: string): void;
  onNotice(notice: Notice, life: Life): void;
  /** `before_start` runs. To be ended where the start is overtaken. */
  onPreparing(preparing: Preparing): void;
  /** Called as soon as there is a process: nobody can overtake the start between the two. */
  onLife(life: Life): void;
  /** The process that was spawned has ended. */
  onExit(how: Ending, life: Life): void;
};

/** All that `before_start` has begun, before there is a process of the service itself. */
export type Preparing = {
  hooks: Hooks;
  run: Run;
  /** Ends all of it, `after_stop` included. Many may wait. */
  end(): Promise<void>;
};

export type Begun =
  | { kind: "life" }
  | ({ kind: "refused" } & Refusal)
  /** Another program has the port: a start is of use only once that one has gone. */
  | { kind: "held"; why: string; port: number }
  | { kind: "over" };

type PrepareOptions = Pick<BeginOptions, "effects" | "onPreparing"> & {
  hooks: Hooks;
  runId: string;
};

/** Runs `before_start`. Undefined where there is none. */
async function prepare(
  spec: ServiceSpec,
  { effects, onPreparing, hooks, runId }: PrepareOptions,
): Promise<{ end: HookEnd; preparing?: Preparing } | undefined> {
  const hook = hooks.run("before_start");
  if (hook === undefined) return undefined;
  const { pid } = hook;
  if (pid === undefined) return { end: await hook.done };
  const { clock, families } = effects;
  const run: Run = { pid, startedAt: clock.wall(), runId, birth: families.birthOf(pid) };
  const how = { signal: "SIGTERM", timeout: spec.stopTimeout } as const;
  const heed = async (after: RunningHook | undefined): Promise<boolean> => {
    const end = await after?.done;
    if (end?.kind === "failed") hooks.say(end.why);
    return end?.kind !== "failed";
  };
  const endAll = async (): Promise<void> => {
    await families.end(run, how).done;
    await afterwards(hooks, { clock, families, run, how, ending: undefined, heed });
    hooks.release();
  };
  let ended: Promise<void> | undefined;
  const preparing: Preparing = { hooks, run, end: () => (ended ??= endAll()) };
  onPreparing(preparing);
  return { end: await hook.done, preparing };
}

/** @throws with a sentence. */
export async function beginLife(spec: ServiceSpec, options: BeginOptions): Promise<Begun> {
  const { effects, isOver } = options;
  const { port, shell, url, trust } = options.request;
  const taken = port === undefined ? undefined : await takenBy(port, options);
  if (taken !== undefined) return { kind: "held", why: portTaken(port!, taken), port: port! };
  const runId = effects.runId();
  const given = { shell, port, url, trust };
  const hooks = new Hooks(spec, {
    env: environmentOf(
      { ...spec, pty: false },
      { ...given, run: { id: runId, notifySocket: undefined } },
    ),
    mark: markOf(runId),
    clock: effects.clock,
    spawn: effects.spawn,
    say: options.say,
  });
  const prepared = isOver() ? undefined : await prepare(spec, { ...options, hooks, runId });
  if (prepared?.end.kind === "failed" || isOver()) {
    await prepared?.preparing?.end();
    if (prepared?.end.kind !== "failed" || isOver()) return { kind: "over" };
    const { why, passing } = prepared.end;
    options.say(why);
    return { kind: "refused", why, passing };
  }
  const isBuilt = spec.own?.kind === "built";
  const maySpeak =
    (spec.program === undefined || isBuilt) &&
    (await effects.mayNotify(spec.command, spec.workdir));
  // Neither output, nor a notice, nor an end comes before the process is there.
  let life: Life | undefined;
  const socket = await effects.notifySocket((bytes) => {
    if (life === undefined) return;
    for (const notice of noticesIn(bytes)) options.onNotice(notice, life);
  });
  if (isOver()) {
    socket.close();
    await prepared?.preparing?.end();
    return { kind: "over" };
  }
  const env = environmentOf(spec, {
    ...{ ...given, isBuilt: options.request.isBuilt },
    run: { id: runId, notifySocket: socket.path },
  });
  const { workdir, pty } = spec;
  const spawned = effects.spawn({
    ...startedBy(spec),
    workdir,
    env,
    mark: markOf(runId),
    pty,
    onOutput(stream, bytes) {
      options.onOutput(stream, bytes);
      life?.watcher?.onOutput(stream, bytes);
    },
    onExit(how) {
      if (life !== undefined) options.onExit(how, life);
    },
  });
  if (spawned.kind === "refused") {
    socket.close();
    await prepared?.preparing?.end();
    return spawned;
  }
  const { child } = spawned;
  const { pid } = child;
  const startedAt = effects.clock.wall();
  const begun = effects.clock.now();
  const birth = effects.families.birthOf(pid);
  life = new Life(
    { child, run: { pid, startedAt, runId, birth }, begun, env, port, socket, maySpeak, hooks },
    effects,
  );
  life.isBuilding = isBuilt;
  options.onLife(life);
  return { kind: "life" };
}

/** The words in front of a command, and the command. */
function startedBy({ program, shell, command }: ServiceSpec): {
  shell: readonly string[];
  command: string;
} {
  if (program === undefined) return { shell, command };
  return { shell: program.slice(0, -1), command: program.at(-1)! };
}

export type TakenByOptions = Pick<BeginOptions, "id" | "effects"> & {
  /** Nobody waits for the answer any more. */
  isOver?(): boolean;
};

/**
 * The processes that have a port which does not become free. A port that the system keeps for root is never free for
 * us; a command may have more rights than we (`sudo`, a program with a capability, a container's daemon), so it is
 * anybody's until somebody listens there.
 */
export async function takenBy(
  port: number,
  { id, effects, isOver = () => false }: TakenByOptions,
): Promise<TakenOptions | undefined> {
  const reserved = effects.rightTo(port) !== undefined;
  if (!reserved && (await becomesFree(port, { ...effects, isOver }))) return undefined;
  if (isOver()) return undefined;
  const holders = await effects.holdersOf(port);
  if (reserved && holders.length === 0) return undefined;
  const owner = await effects.ownerOf(holders.flatMap(({ process: its }) => its?.pid ?? []));
  return { id, holders, owner, self: process.pid };
}

/** Milliseconds that a port may take to become free when its last holder has ended, and between two looks. */
const portPatience = 2000;
const portPeriod = 50;

type FreeOptions = { clock: Clock; isFree(port: number): boolean; isOver(): boolean };

/** Resolves with false where the port stays taken, or the start was overtaken. */
async function becomesFree(port: number, { clock, isFree, isOver }: FreeOptions): Promise<boolean> {
  const end = clock.now() + portPatience;
  while (!isFree(port)) {
    if (clock.now() >= end || isOver()) return false;
    await new Promise<void>((resume) => void clock.after(portPeriod, resume));
  }
  return true;
}
