/** A spawned process -> all that is known of it, dropped with its timers when nothing of its family is left. */
import type { ServiceSpec } from "../../manifest/project.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import type { Ending } from "../family/ending.ts";
import type { EndOptions, Families, Run } from "../family/family.ts";
import type { Ask } from "./checks.ts";
import type { Child, Stream } from "./child.ts";
import { afterwards, askToEnd } from "./end-life.ts";
import type { Hooks, RunningHook } from "./hooks.ts";
import type { Listening } from "./listening.ts";
import type { Notice } from "./notify.ts";
import type { Event, Phase } from "./states.ts";

export type LifeEffects = {
  clock: Clock;
  families: Families;
  ask: Ask;
  listening: Listening;
  /** Bytes that processes keep resident together, shared pages counted once; undefined: the system does not tell. */
  proportional(pids: readonly number[]): Promise<number | undefined>;
};

/** The lifecycle that a life belongs to. */
export type LifeOwner = {
  readonly spec: ServiceSpec;
  readonly effects: LifeEffects;
  readonly phase: Phase;
  happen(event: Event, because?: string): void;
  /** Reports a changed snapshot; `why` replaces the reason of its state. */
  changed(why?: string): void;
  onMembers(): void;
  /** A line of our own in the service's log. */
  say(text: string): void;
};

/** The watcher of a life. */
export type Watcher = {
  onOutput(stream: Stream, bytes: Uint8Array): void;
  hear(notice: Notice): void;
  /** The process that was spawned has ended. */
  spawnedEnded(how: Ending): void;
};

/** The facts that a life begins with. */
export type Born = {
  child: Child;
  run: Run;
  /** When it was spawned, by the clock that is never set. */
  begun: number;
  env: Readonly<Record<string, string>>;
  /** Undefined for a worker. */
  port: number | undefined;
  socket: NotifySocket;
  /** The command looks as if it would say READY=1 by itself. */
  maySpeak: boolean;
  hooks: Hooks;
};

export type NotifySocket = {
  path: string;
  close(): void;
  /** Hears nothing more until `goOn`. Returns its descriptor, in which notices wait. */
  halt(): number;
  goOn(): void;
  /** Another daemon has it, and closes it. */
  leave(): void;
};

export type LifeEnd = EndOptions & {
  /** Somebody wants it to end: `before_stop` and `stop_command` come before the signal. */
  asked: boolean;
};

/** Milliseconds in which Bun reports an end that the kernel shows. */
const exitPatience = 1000;

export class Life {
  readonly born: Born;
  readonly #clock: Clock;
  readonly #families: Families;
  /** Resolves when the process that was spawned has ended. */
  readonly exited = Promise.withResolvers<void>();

  /** False once its main process has ended; others of its family may be left. */
  isAlive = true;
  /** Our own program builds: the service itself has not begun. */
  isBuilding = false;
  /** When the service itself began, by the clock that is never set. */
  begun: number;
  /** True once it is not watched any more: what waited for it then does nothing. */
  isOver = false;
  /** The process that it named as its main one, where that is another than the spawned one. */
  mainPid: number | undefined;
  readyAt: number | undefined;
  /** Why our own program in it is about to end, in its words. */
  cannot: { why: string; passing: boolean } | undefined;
  /** The users who hold its port for it, where our own program has said so. */
  portOwners: readonly number[] | undefined;
  /** The service's own words, by STATUS=. */
  status: string | undefined;
  /** The ports on which its family listens, and the users as whom it does. */
  listens: readonly number[] = [];
  listensAs: readonly number[] = [];
  warnings: readonly string[] = [];
  /** How its main process ended. */
  how: Ending | undefined;
  /** Failures of its hooks. */
  readonly remarks: string[] = [];
  isGreeted = false;
  /** Milliseconds between two signs of life that it promised; 0: none. */
  watchdog = 0;
  /** Milliseconds of its age by which it has to be ready, where it has asked for another time than its file says. */
  readyBy: number | undefined;
  /** Set after RELOADING=1 or STOPPING=1: only READY=1 makes it ready again. */
  isReloading = false;
  /** Set once the service reports its own state: its port then says nothing. */
  speaks = false;
  watcher: Watcher | undefined;
  /** Set once its end has begun: SIGKILL not before so many milliseconds from now. */
  extend: ((by: number) => void) | undefined;
  /** How the process that was spawned ended. */
  exit: Ending | undefined;
  /** Set where we have ended it: how its program ended, which may be another than the process that was spawned. */
  programExit: Ending | undefined;
  #ended: Promise<string | undefined> | undefined;
  readonly #cancels = new Set<Cancel>();

  constructor(born: Born, { clock, families }: Pick<LifeEffects, "clock" | "families">) {
    this.born = born;
    this.begun = born.begun;
    this.#clock = clock;
    this.#families = families;
  }

  /** Whether its end has begun. */
  get isEnding(): boolean {
    return this.#ended !== undefined;
  }

  get startedAt(): number {
    return this.born.run.startedAt;
  }

  get pid(): number {
    return this.mainPid ?? this.born.run.pid;
  }

  /** Milliseconds that the service itself has lived. */
  get age(): number {
    return this.#clock.now() - this.begun;
  }

  /** The build is done: everything that is counted from its start is counted from now. */
  built(): void {
    this.isBuilding = false;
    this.begun = this.#clock.now();
    this.status = undefined;
  }

  /** Like `clock.after`, for as long as the life is watched. */
  after(delay: number, action: () => void): Cancel {
    const cancel = this.#clock.after(delay, () => {
      this.#cancels.delete(cancel);
      action();
    });
    this.#cancels.add(cancel);
    return () => {
      cancel();
      this.#cancels.delete(cancel);
    };
  }

  /** Cancels it when the life is not watched any more, unless the returned function is called before. */
  onClose(cancel: Cancel): () => void {
    this.#cancels.add(cancel);
    return () => void this.#cancels.delete(cancel);
  }

  /** Ends what watches it. Twice is harmless. */
  close(): void {
    this.isOver = true;
    this.watcher = undefined;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }

  /** Runs `after_ready`, once in a life, and calls back where that failed. */
  greet(onFailure: () => void): void {
    if (this.isGreeted) return;
    this.isGreeted = true;
    const hook = this.born.hooks.run("after_ready", { MAINPID: String(this.pid) });
    if (hook === undefined) return;
    const forget = this.onClose(hook.kill);
    void hook.done.then((end) => {
      forget();
      if (this.isOver || end.kind === "well") return;
      this.#remark(end.why);
      onFailure();
    });
  }

  /** Waits for a hook whose failure is a remark. False where it failed. */
  async heed(hook: RunningHook | undefined): Promise<boolean> {
    const end = await hook?.done;
    if (end === undefined || end.kind === "well") return true;
    this.#remark(end.why);
    return false;
  }

  #remark(why: string): void {
    this.remarks.push(why);
    this.born.hooks.say(why);
  }

  /** Ends its family and releases its output. Many may wait. Resolves with a warning where processes are left. */
  end(how: LifeEnd): Promise<string | undefined> {
    this.#ended ??= this.#end(how);
    return this.#ended;
  }

  async #end({ asked, ...how }: LifeEnd): Promise<string | undefined> {
    const { run, hooks } = this.born;
    const effects = { clock: this.#clock, families: this.#families };
    const { timeout } = how;
    const asks = asked && this.isAlive && hooks.any("before_stop", "stop_command");
    const left = asks ? await askToEnd(this, { ...effects, timeout }) : timeout;
    const wasAlive = this.isAlive && this.mainPid === undefined;
    const ending = this.#families.end(run, { ...how, timeout: left });
    this.extend = ending.extend;
    const result = await ending.done;
    // The kernel is quicker to show an end than Bun to report it, and its exit code is wanted.
    const late = Promise.withResolvers<void>();
    const cancel = this.#clock.after(exitPatience, late.resolve);
    await Promise.race([this.exited.promise, late.promise]);
    cancel();
    if (wasAlive && this.exit !== undefined) this.programExit = ending.exitOf(this.exit);
    this.close();
    const heed = (hook: RunningHook | undefined) => this.heed(hook);
    await afterwards(hooks, { ...effects, run, how, ending: this.programExit ?? this.how, heed });
    hooks.release();
    this.born.child.release();
    this.born.socket.close();
    if (result.kind === "ended") return undefined;
    return `could not be ended altogether: ${result.pids.join(", ")} still run`;
  }
}
