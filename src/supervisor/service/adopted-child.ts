/** A process that another daemon started, and its descriptors -> the same as a process that we have started. */
import type { Cancel } from "../../system/clock.ts";
import type { Birth } from "../family/census.ts";
import type { Ending } from "../family/ending.ts";
import type { Adopted } from "../family/adopted.ts";
import { afterwards, type Child, type ChildEffects, type Stream } from "./child.ts";
import { type Descriptors, type HeldStreams, heldStreams } from "./held-streams.ts";

export type AdoptedOptions = {
  process: Birth;
  /** Ours from now on. */
  descriptors: Descriptors;
  /** Set where it has ended, and others write to what it had. `onExit` is not called then. */
  ending?: Ending | undefined;
  /** As in `ChildOptions`. */
  onOutput(stream: Stream, bytes: Uint8Array): void;
  onExit(ending: Ending): void;
};

export type AdoptedEffects = Pick<ChildEffects, "clock" | "flow"> & {
  adopted: Adopted;
  /** Whether this very process still runs. */
  same(process: Birth): boolean;
  /** process.kill, or a test's. */
  signal?: (pid: number, signal: NodeJS.Signals) => void;
};

/** Hears it from now on. */
export function adoptChild(options: AdoptedOptions, effects: AdoptedEffects): Child {
  const { process: its, descriptors, onOutput, onExit } = options;
  const { clock, flow, adopted } = effects;
  const signal = effects.signal ?? ((pid, name) => void process.kill(pid, name));
  const path = descriptors.terminal === undefined ? undefined : flow.terminalOf(its.pid);
  let open = descriptors.terminal ?? descriptors.stdout ?? descriptors.stderr;
  let { ending } = options;
  let told = ending !== undefined;
  let released = false;
  let state: "heard" | "halted" | "left" = "heard";
  let leftTo: ((ending: Ending) => void) | undefined;
  let waiting: Cancel | undefined;
  let streams: HeldStreams;

  const tell = (): void => {
    waiting?.();
    if (told || ending === undefined || state !== "heard") return;
    told = true;
    onExit(ending);
  };
  /** In a turn of its own: nobody is told of an end before they have the child. */
  const lookSoon = (): void => {
    if (ending === undefined) clock.after(0, () => adopted.look(its.pid));
  };
  const hear = (): void => {
    streams = heldStreams(descriptors, {
      flow,
      path,
      onOutput(stream, bytes) {
        if (!released) onOutput(stream, bytes);
      },
      onEnd() {
        open = undefined;
        tell();
        lookSoon();
      },
    });
  };
  hear();
  const tellSoon = (): void => {
    if (open === undefined) tell();
    else waiting = clock.after(afterwards, tell);
  };
  const ended = (how: Ending): void => {
    ending = how;
    if (state === "heard") tellSoon();
    else if (state === "left") leftTo?.(how);
  };
  const forget = told ? () => {} : adopted.watch(its, ended);
  if (open === undefined) lookSoon();
  // Where the daemon before had its writers wait, they go on.
  if (path !== undefined) flow.release(path);
  return {
    pid: its.pid,
    input: {
      write(bytes) {
        if (!released && ending === undefined && state === "heard") streams.input.write(bytes);
      },
      get untaken() {
        return streams.input.untaken;
      },
      resize: (size) => streams.input.resize(size),
    },
    pause: () => streams.pause(),
    resume: () => streams.resume(),
    kill() {
      if (ending !== undefined || !effects.same(its)) return;
      try {
        signal(-its.pid, "SIGKILL");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    },
    release() {
      if (released) return;
      released = true;
      streams.release();
      tell();
    },
    async halt() {
      if (released || state !== "heard") return undefined;
      state = "halted";
      waiting?.();
      await streams.halt();
      return { descriptors, isOver: open === undefined };
    },
    goOn() {
      if (state !== "halted") return;
      state = "heard";
      hear();
      if (ending !== undefined) tellSoon();
    },
    leave(tellOther) {
      if (state !== "halted") return;
      state = "left";
      leftTo = tellOther;
      released = true;
      streams.release();
      // Whoever has it now sees its end as well as we.
      forget();
      if (ending !== undefined && !told) tellOther(ending);
    },
  };
}
