/**
 * A conversation with the daemon that replaces us -> our listening sockets and services given to it, or taken back.
 * `handover.ts` shows the lines of both.
 */
import type { HandedPart, Line } from "../../supervisor/handed.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import { mostBytes } from "../../system/descriptors.ts";
import type { SocketPlace } from "./handed-sockets.ts";

export const states = [
  /** Nobody wants to replace us. */
  "serving",
  /** Another daemon has proved that it may, and has nothing of ours yet that changes us. */
  "offered",
  /** The other daemon has heard of our services: we change nothing of them until it is done or gone. */
  "frozen",
  /** The other daemon has everything, and is on trial: we end what we have begun, and keep what it takes to go on. */
  "lent",
  /** The other daemon has everything, for good. */
  "left",
] as const;
export type State = (typeof states)[number];

export const events = [
  /** A daemon asks for the handover. */
  "asked",
  "take sockets",
  "take services",
  /** The other daemon has everything, and is to be put on trial. */
  "tried",
  /** The same without a trial. */
  "done",
  /** The conversation is over: the other daemon has closed it, is gone, or says nothing more. */
  "ended",
  /** The trial is over: its time has passed and it answers, it says so itself, or we are told to end. */
  "stays",
  /** On trial, it has answered nothing for so long that it hangs. */
  "hangs",
] as const;
export type Event = (typeof events)[number];

export const actions = [
  "begin",
  /** Another daemon is before this one. */
  "say busy",
  "give sockets",
  "give services",
  "lend",
  "leave",
  /** Go on as if nothing had been. */
  "take back",
  /** Go on with what the other daemon has left. */
  "come back",
  /** A process that hangs would still have all that we are to go on with. */
  "end it",
  /** The daemon that has our services is gone. */
  "let go",
  /** Not in this order: the conversation is ended. */
  "refuse",
  "nothing",
] as const;
export type Action = (typeof actions)[number];

type Step = readonly [Action, State];

export const table: Readonly<Record<State, Readonly<Record<Event, Step>>>> = {
  serving: {
    asked: ["begin", "offered"],
    "take sockets": ["refuse", "serving"],
    "take services": ["refuse", "serving"],
    tried: ["refuse", "serving"],
    done: ["refuse", "serving"],
    ended: ["refuse", "serving"],
    stays: ["nothing", "serving"],
    hangs: ["nothing", "serving"],
  },
  offered: {
    asked: ["say busy", "offered"],
    "take sockets": ["give sockets", "offered"],
    "take services": ["give services", "frozen"],
    tried: ["lend", "lent"],
    done: ["leave", "left"],
    ended: ["take back", "serving"],
    stays: ["nothing", "offered"],
    hangs: ["nothing", "offered"],
  },
  frozen: {
    asked: ["say busy", "frozen"],
    "take sockets": ["give sockets", "frozen"],
    "take services": ["give services", "frozen"],
    tried: ["lend", "lent"],
    done: ["leave", "left"],
    ended: ["take back", "serving"],
    stays: ["nothing", "frozen"],
    hangs: ["nothing", "frozen"],
  },
  lent: {
    asked: ["say busy", "lent"],
    // Its words from here on are for the services, or about the trial.
    "take sockets": ["nothing", "lent"],
    "take services": ["nothing", "lent"],
    tried: ["nothing", "lent"],
    done: ["nothing", "lent"],
    ended: ["come back", "serving"],
    stays: ["leave", "left"],
    hangs: ["end it", "lent"],
  },
  left: {
    asked: ["say busy", "left"],
    "take sockets": ["refuse", "left"],
    "take services": ["refuse", "left"],
    tried: ["refuse", "left"],
    done: ["refuse", "left"],
    ended: ["let go", "left"],
    stays: ["nothing", "left"],
    hangs: ["nothing", "left"],
  },
};

/** Milliseconds for which a daemon that has taken over is on trial. */
export const usualTrial = 10_000;
/** Milliseconds without a question after which the other daemon counts as gone. The machine may be busy. */
export const patience = 10_000;
/** Milliseconds for the whole conversation, in which our services are frozen: a daemon may ask for ever. */
export const longest = 60_000;

/** Milliseconds between two looks at a daemon on trial. */
const trialPeriod = 500;
/** Milliseconds within which its last answer counts as one at the end of the trial. */
const fresh = 3_000;
/**
 * Milliseconds without an answer after which a daemon on trial hangs. On a machine with a load of twenty it answers
 * within two seconds: whoever is merely slow is left alone.
 */
export const longestSilence = 20_000;

/** A daemon on trial that has failed. */
export type Failed = {
  pid: number;
  version: string;
  /** Milliseconds since it had taken over. */
  after: number;
  /** Its own words, for a sentence; undefined: it had none. */
  why: string | undefined;
};

export type HandingOptions = {
  clock: Clock;
  /** Milliseconds for which a daemon that has taken over is on trial; 0: there is none. */
  trial: number;
  sockets(): readonly { place: SocketPlace; descriptor: number }[];
  /**
   * The services, asked for once for each daemon that wants to replace us. Undefined: they are ended, and the other
   * daemon starts them again.
   */
  services?: (() => HandedPart) | undefined;
  /** A daemon, of the launch with this id, begins to replace us: its record is no reason to stand down. */
  begin(successor: string): void;
  /** The daemon is gone, or does not want to any more. */
  takeBack(successor: string): void;
  /**
   * The other daemon accepts connections, and we no more. `to`: the conversation with it. False: we could not go on
   * again, so it is not on trial.
   */
  lend(to: Pick<Answering, "descriptor">): boolean;
  /** The other daemon stays. We end. */
  leave(): void;
  /** The other daemon has failed: we go on with what it has left. */
  comeBack(successor: string, failed: Failed): void;
  /** Ends a process that hangs. False: it cannot be ended, so that we had better not go on beside it. */
  endProcess(pid: number): boolean;
};

/** The other end of the conversation, as the door for commands has it. */
export type Answering = {
  /** An answer; false: it could not be sent. */
  answer(value: unknown, descriptors: readonly number[]): boolean;
  end(): void;
  /** The conversation's socket. */
  readonly descriptor: number;
};

export type Conversation = {
  hear(value: unknown): void;
  /** The other daemon has closed the conversation. Twice is harmless. */
  ended(): void;
};

/** One for each launch of a daemon. */
export class HandingOver {
  readonly #options: HandingOptions;
  #state: State = "serving";
  #successor = "";
  #cancel: Cancel = () => {};
  /** When the conversation under way has lasted long enough. */
  #end = 0;
  #line: Line | undefined;
  #services: HandedPart | undefined;
  #trial: Trial | undefined;

  constructor(options: HandingOptions) {
    this.#options = options;
  }

  get state(): State {
    return this.#state;
  }

  /** Undefined: another daemon is before this one. The caller has proved that it may ask. */
  begin(successor: string, to: Answering): Conversation | undefined {
    if (this.#step("asked") === "say busy") return undefined;
    this.#successor = successor;
    this.#services = this.#options.services?.();
    this.#options.begin(successor);
    this.#end = this.#options.clock.now() + longest;
    this.#wait(to);
    let isOver = false;
    return {
      hear: (value) => {
        if (!isOver) this.#hear(value, to);
      },
      ended: () => {
        if (isOver) return;
        isOver = true;
        this.#ended();
      },
    };
  }

  /** We are told to end: a daemon on trial stays, and everything else is as it was. */
  settle(): void {
    this.#stays();
  }

  #step(event: Event): Action {
    const [action, next] = table[this.#state][event];
    this.#state = next;
    return action;
  }

  #wait(to: Answering): void {
    this.#cancel();
    const { clock } = this.#options;
    const left = Math.max(0, this.#end - clock.now());
    this.#cancel = clock.after(Math.min(patience, left), () => to.end());
  }

  #hear(value: unknown, to: Answering): void {
    if (this.#line !== undefined) {
      if (!this.#heardOnTrial(value)) this.#line.hear?.(value);
      return;
    }
    const event = eventIn(value, this.#options);
    const action = event === undefined ? "refuse" : this.#step(event);
    if (action === "leave" || action === "lend") this.#leave(to, value as Done);
    else if (action === "give services") void this.#giveServices(value, to);
    else if (action === "give sockets") this.#answer(this.#socketsNow(), to);
    else to.end();
  }

  #answer(given: Answer | undefined, to: Answering): void {
    if (given === undefined || !to.answer(...given)) to.end();
    else this.#wait(to);
  }

  #socketsNow(): Answer | undefined {
    const all = this.#options.sockets();
    return counted(
      { sockets: all.map(({ place }) => place) },
      all.map((its) => its.descriptor),
    );
  }

  /** Says so where there are none, or no more: the other daemon goes on without. */
  async #giveServices(value: unknown, to: Answering): Promise<void> {
    // The part has its own bound, and the other daemon waits for it.
    this.#cancel();
    const { batch = 0 } = value as { batch?: unknown };
    let given: Answer | undefined;
    try {
      const its = await this.#services?.give(Number(batch));
      if (its === undefined) given = [{ services: null }, []];
      else given = counted({ services: its.value }, its.descriptors);
    } catch (error) {
      given = [{ services: null, why: (error as Error).message }, []];
    }
    if (this.#state === "frozen") this.#answer(given, to);
  }

  /** `services`: the other daemon has all of them. Else they are ended, and it starts them again. */
  #leave(to: Answering, { services = false, trial }: Done): void {
    this.#cancel();
    let waiting: unknown[] | undefined = [];
    const line: Line = {
      descriptor: to.descriptor,
      tell(value) {
        if (waiting === undefined) return to.answer(value, []);
        waiting.push(value);
        return true;
      },
    };
    this.#line = line;
    // Before the answer: the other daemon goes on only when we have let go.
    if (services) this.#services?.given(line);
    else {
      this.#services?.takeBack();
      this.#services = undefined;
    }
    const canReturn = this.#options.lend(to);
    const isOnTrial = this.#state === "lent" && canReturn;
    to.answer({ yours: true, ...(isOnTrial ? { trial: true } : {}) }, []);
    const told = waiting;
    waiting = undefined;
    for (const value of told) to.answer(value, []);
    if (isOnTrial) this.#try(trial!);
    else if (this.#state === "lent") this.#stays();
    else this.#goes();
  }

  #try({ pid, version }: Named): void {
    const { clock, trial } = this.#options;
    const since = clock.now();
    const its: Trial = { pid, version, since, heard: since, why: undefined };
    this.#trial = its;
    let last = since;
    this.#cancel = clock.every(trialPeriod, () => {
      const now = clock.now();
      // We stood still ourselves, as in a paused container, and have not read what it has answered.
      if (now - last > fresh) its.heard = Math.max(its.heard, now - fresh - 1);
      last = now;
      this.#line?.tell({ ping: now });
      const answers = its.heard > since && now - its.heard <= fresh;
      if (now - since >= trial && answers) this.#stays();
      else if (now - its.heard >= longestSilence && this.#step("hangs") === "end it") {
        its.why = `it answered nothing for ${longestSilence / 1000} s, and was ended`;
        if (!this.#options.endProcess(pid)) this.#stays();
      }
    });
  }

  /** False where the words are not about the trial. */
  #heardOnTrial(value: unknown): boolean {
    const { pong, released, failed } = (value ?? {}) as OnTrial;
    if (this.#trial !== undefined) {
      this.#trial.heard = this.#options.clock.now();
      if (typeof failed === "string") this.#trial.why = failed.slice(0, longestWhy);
    }
    if (released === true) this.#stays();
    return [pong, released, failed].some((its) => its !== undefined);
  }

  #stays(): void {
    if (this.#step("stays") === "leave") this.#goes();
  }

  #goes(): void {
    this.#cancel();
    this.#trial = undefined;
    this.#line?.tell({ settled: true });
    this.#services?.settle();
    this.#options.leave();
  }

  #ended(): void {
    this.#cancel();
    const action = this.#step("ended");
    if (action === "let go") this.#line?.ended?.();
    if (action === "come back") {
      const { pid, version, since, why } = this.#trial!;
      const after = this.#options.clock.now() - since;
      this.#trial = undefined;
      this.#line = undefined;
      this.#options.comeBack(this.#successor, { pid, version, after, why });
      this.#services?.comeBack();
    }
    if (action !== "take back") return;
    this.#services?.takeBack();
    this.#options.takeBack(this.#successor);
  }
}

/** Characters of the words with which a daemon fails. */
const longestWhy = 500;

type Named = { pid: number; version: string };
/** The last word before the other daemon goes on: `trial` is itself, where it knows what a trial is. */
type Done = { services?: boolean; trial?: Named | undefined };
type OnTrial = { pong?: unknown; released?: unknown; failed?: unknown };

/** Times in milliseconds. */
type Trial = Named & { since: number; heard: number; why: string | undefined };

/** With descriptors, its JSON has at most 4,096 bytes. */
type Answer = [value: unknown, descriptors: readonly number[]];

function counted(
  value: Record<string, unknown>,
  descriptors: readonly number[],
): Answer | undefined {
  if (descriptors.length === 0) return [value, descriptors];
  const all = { ...value, descriptors: descriptors.length };
  // A fault of ours: a longer one could arrive in pieces.
  return Buffer.byteLength(JSON.stringify(all)) < mostBytes ? [all, descriptors] : undefined;
}

function eventIn(value: unknown, { trial }: Pick<HandingOptions, "trial">): Event | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const its = value as { take?: unknown; done?: unknown } & Done;
  // Services that are not handed over end here, so that nothing would be left to go on with.
  if (its.done === true) {
    return trial > 0 && its.services === true && isNamed(its.trial) ? "tried" : "done";
  }
  if (its.take === "sockets") return "take sockets";
  return its.take === "services" ? "take services" : undefined;
}

function isNamed(its: unknown): its is Named {
  const { pid, version } = (its ?? {}) as Partial<Named>;
  // Others mean a group of processes, or all of them.
  return Number.isInteger(pid) && pid! > 0 && typeof version === "string";
}
