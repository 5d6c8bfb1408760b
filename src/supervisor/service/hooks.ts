/** The commands beside a service's own -> run in its environment and its family, each within its time. */
import { type HookName, type ServiceSpec, usualStartTimeout } from "../../manifest/project.ts";
import { endText } from "../../routes/state-sentence.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import { LogLines } from "../logs/log-lines.ts";
import type { OwnDescriptors } from "../../system/own-descriptors.ts";
import type { Child, ChildOptions, Spawned, Stream } from "./child.ts";
import { type HeldStreams, heldStreams } from "./held-streams.ts";

type Rule = {
  /** The key of the file that says how long it may take. */
  within: "startTimeout" | "stopTimeout";
  /** The consequence where it fails: the service does not start; it is ended by its signal; or a warning is all. */
  failure: "no start" | "signal" | "warning";
};

const hookRules: Readonly<Record<HookName, Rule>> = {
  before_start: { within: "startTimeout", failure: "no start" },
  after_ready: { within: "startTimeout", failure: "warning" },
  before_stop: { within: "stopTimeout", failure: "warning" },
  stop_command: { within: "stopTimeout", failure: "signal" },
  after_stop: { within: "stopTimeout", failure: "warning" },
};

export type HookEnd =
  | { kind: "well" }
  /** `why` begins with the hook's name. `passing`: it may go better next time. */
  | { kind: "failed"; why: string; passing: boolean };

export type RunningHook = {
  /** Undefined where it could not be started. */
  pid: number | undefined;
  /** Never rejects. */
  done: Promise<HookEnd>;
  /** Ends it with SIGKILL, with its process group; others that it has started stay with the service's family. */
  kill(): void;
};

export type HooksOptions = {
  /** The service's environment, without a terminal, and without its NOTIFY_SOCKET: hooks do not speak for it. */
  env: Readonly<Record<string, string>>;
  /** The run's mark, by which processes that clear their environment are known. */
  mark: string | undefined;
  clock: Clock;
  spawn(options: ChildOptions): Spawned;
  /** A line of our own in the service's log. */
  say(text: string): void;
};

/** Characters of a hook's last line that are shown. */
const shownLine = 200;

export class Hooks {
  readonly #spec: ServiceSpec;
  readonly #options: HooksOptions;
  /** Also those that have ended: what they left behind may still print. */
  readonly #children = new Map<Child, HookName>();
  /** Those that run. */
  readonly #running = new Set<Child>();
  /** Processes that hooks left running under the daemon before may still print. */
  readonly #inherited: { streams: HeldStreams; names: Readonly<Record<string, number>> }[] = [];
  #paused = false;

  constructor(spec: ServiceSpec, options: HooksOptions) {
    this.#spec = spec;
    this.#options = options;
  }

  /** Whether one of them is declared. */
  any(...names: readonly HookName[]): boolean {
    return names.some((name) => this.#spec.hooks[name] !== undefined);
  }

  /** Undefined where none is declared. `variables` come on top of the environment. */
  run(name: HookName, variables: Readonly<Record<string, string>> = {}): RunningHook | undefined {
    const command = this.#spec.hooks[name];
    return command === undefined ? undefined : this.#start(name, { command, variables });
  }

  say(text: string): void {
    this.#options.say(text);
  }

  /** Their processes wait when they write. */
  pause(): void {
    this.#paused = true;
    for (const child of this.#children.keys()) child.pause();
    for (const { streams } of this.#inherited) streams.pause();
  }

  resume(): void {
    this.#paused = false;
    for (const child of this.#children.keys()) child.resume();
    for (const { streams } of this.#inherited) streams.resume();
  }

  /** Whether none runs. */
  get isIdle(): boolean {
    return this.#running.size === 0;
  }

  /** Hears what hooks have left running no more. Resolves with its output, as `after_ready/stdout`. */
  async halt(own: OwnDescriptors): Promise<Record<string, number>> {
    const found: Record<string, number> = {};
    const note = (name: string, streams: Readonly<Record<string, number>>): void => {
      for (const [stream, descriptor] of Object.entries(streams)) {
        found[`${name}/${stream}`] = descriptor;
      }
    };
    for (const [child, name] of this.#children) {
      const halted = await child.halt(own);
      if (halted !== undefined && !halted.isOver) note(name, halted.descriptors);
    }
    for (const { streams, names } of this.#inherited) {
      await streams.halt();
      Object.assign(found, names);
    }
    return found;
  }

  goOn(): void {
    for (const child of this.#children.keys()) child.goOn();
    for (const its of this.#inherited.splice(0)) this.adopt(its.names);
  }

  /** Another daemon has them. */
  leave(): void {
    for (const child of this.#children.keys()) child.leave(() => {});
    this.#children.clear();
    for (const { streams } of this.#inherited.splice(0)) streams.release();
  }

  /** Hears what hooks have left running under the daemon before. */
  adopt(names: Readonly<Record<string, number>>): void {
    for (const [name, descriptor] of Object.entries(names)) {
      const [hook] = name.split("/");
      const output = linesOf((line) => this.say(`${hook}: ${line}`));
      const streams = heldStreams(
        { stdout: descriptor },
        {
          flow: undefined,
          path: undefined,
          onOutput: (_stream, bytes) => output.push("stdout", bytes),
          onEnd: () => output.flush(),
        },
      );
      this.#inherited.push({ streams, names: { [name]: descriptor } });
    }
  }

  /** Closes their output, once nothing of the family is left. Twice is harmless. */
  release(): void {
    for (const child of this.#children.keys()) child.release();
    this.#children.clear();
    for (const { streams } of this.#inherited.splice(0)) streams.release();
  }

  #start(
    name: HookName,
    { command, variables }: { command: string; variables: Readonly<Record<string, string>> },
  ): RunningHook {
    const { env, mark, clock, spawn, say } = this.#options;
    const { shell, workdir } = this.#spec;
    const { promise: done, resolve } = Promise.withResolvers<HookEnd>();
    let cancel: Cancel | undefined;
    const settle = (end: HookEnd): void => {
      cancel?.();
      resolve(end);
    };
    const output = linesOf((line) => say(`${name}: ${line}`));
    let started: Child | undefined;
    const running = this.#running;
    const spawned = spawn({
      command,
      shell,
      workdir,
      env: { ...env, ...variables },
      mark,
      pty: false,
      input: "none",
      onOutput: output.push,
      onExit(how) {
        if (started !== undefined) running.delete(started);
        output.flush();
        if (how.code === 0) settle({ kind: "well" });
        const last = output.last === "" ? "" : `: ${output.last}`;
        settle({ kind: "failed", why: `${name} ${endText(how)}${last}`, passing: true });
      },
    });
    if (spawned.kind === "refused") {
      const { why, passing } = spawned;
      settle({ kind: "failed", why: `${name}: ${why}`, passing });
      return { pid: undefined, done, kill() {} };
    }
    const { child } = spawned;
    started = child;
    this.#children.set(child, name);
    this.#running.add(child);
    if (this.#paused) child.pause();
    const limit = this.#spec[hookRules[name].within] ?? usualStartTimeout;
    cancel = clock.after(limit, () => {
      const last = output.last === "" ? "" : `; it said: ${output.last}`;
      const why = `${name} did not end within ${limit / 1000} s${last}`;
      settle({ kind: "failed", why, passing: true });
      child.kill();
    });
    return { pid: child.pid, done, kill: () => child.kill() };
  }
}

/** The lines of both streams, and the last of them, printable. */
function linesOf(take: (line: string) => void) {
  const streams = { stdout: new LogLines(), stderr: new LogLines() };
  const its = {
    last: "",
    push(stream: Stream, bytes: Uint8Array): void {
      streams[stream].push(bytes, taken);
    },
    flush(): void {
      streams.stdout.flush(taken);
      streams.stderr.flush(taken);
    },
  };
  const taken = (bytes: Uint8Array): void => {
    const line = new TextDecoder().decode(bytes);
    const printable = line.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ").trim();
    if (printable !== "") its.last = printable.slice(0, shownLine);
    take(line);
  };
  return its;
}
