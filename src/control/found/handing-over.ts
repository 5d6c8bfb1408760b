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
  /** The other daemon has everything. We end what we have begun. */
  "left",
] as const;
export type State = (typeof states)[number];

export const events = [
  /** A daemon asks for the handover. */
  "asked",
  "take sockets",
  "take services",
  "done",
  /** The conversation is over: the other daemon has closed it, is gone, or says nothing more. */
  "ended",
] as const;
export type Event = (typeof events)[number];

export const actions = [
  "begin",
  /** Another daemon is before this one. */
  "say busy",
  "give sockets",
  "give services",
  "leave",
  /** Go on as if nothing had been. */
  "take back",
  /** The daemon that has our services is gone. */
  "let go",
  /** Not in this order: the conversation is ended. */
  "refuse",
] as const;
export type Action = (typeof actions)[number];

type Step = readonly [Action, State];

export const table: Readonly<Record<State, Readonly<Record<Event, Step>>>> = {
  serving: {
    asked: ["begin", "offered"],
    "take sockets": ["refuse", "serving"],
    "take services": ["refuse", "serving"],
    done: ["refuse", "serving"],
    ended: ["refuse", "serving"],
  },
  offered: {
    asked: ["say busy", "offered"],
    "take sockets": ["give sockets", "offered"],
    "take services": ["give services", "frozen"],
    done: ["leave", "left"],
    ended: ["take back", "serving"],
  },
  frozen: {
    asked: ["say busy", "frozen"],
    "take sockets": ["give sockets", "frozen"],
    "take services": ["give services", "frozen"],
    done: ["leave", "left"],
    ended: ["take back", "serving"],
  },
  left: {
    asked: ["say busy", "left"],
    "take sockets": ["refuse", "left"],
    "take services": ["refuse", "left"],
    done: ["refuse", "left"],
    ended: ["let go", "left"],
  },
};

/** Milliseconds without a question after which the other daemon counts as gone. The machine may be busy. */
export const patience = 10_000;
/** Milliseconds for the whole conversation, in which our services are frozen: a daemon may ask for ever. */
export const longest = 60_000;

export type HandingOptions = {
  clock: Clock;
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
  /** The other daemon accepts connections. We accept no more, and end. `to`: the conversation with it. */
  leave(to: Pick<Answering, "descriptor">): void;
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
      this.#line.hear?.(value);
      return;
    }
    const event = eventIn(value);
    const action = event === undefined ? "refuse" : this.#step(event);
    if (action === "leave") this.#leave(to, (value as { services?: unknown }).services === true);
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

  /** `withServices`: the other daemon has all of them. Else they are ended, and it starts them again. */
  #leave(to: Answering, withServices: boolean): void {
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
    if (withServices) this.#services?.given(line);
    else this.#services?.takeBack();
    this.#options.leave(to);
    to.answer({ yours: true }, []);
    const told = waiting;
    waiting = undefined;
    for (const value of told) to.answer(value, []);
  }

  #ended(): void {
    this.#cancel();
    const action = this.#step("ended");
    if (action === "let go") this.#line?.ended?.();
    if (action !== "take back") return;
    this.#services?.takeBack();
    this.#options.takeBack(this.#successor);
  }
}

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

function eventIn(value: unknown): Event | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { take, done } = value as { take?: unknown; done?: unknown };
  if (done === true) return "done";
  if (take === "sockets") return "take sockets";
  return take === "services" ? "take services" : undefined;
}
