/** One engine's socket -> the containers that run there, as they start and end. Survives whatever the engine does. */
import type { Cancel, Clock } from "../system/clock.ts";
import type { Container } from "./container.ts";
import { type Answer, followEvents, getFrom, listPath } from "./engine-api.ts";
import type { EngineSocket } from "./engine-socket.ts";
import { type EngineEvent, type EngineState, engineStep } from "./engine-states.ts";
import { EventLines } from "./event-lines.ts";
import { HostContainers } from "./host-containers.ts";
import { readContainers } from "./read-containers.ts";

/** The ways to the engine; a test has others. */
export type EngineApi = {
  get(socket: string, options: Parameters<typeof getFrom>[1]): Promise<Answer>;
  follow: typeof followEvents;
};

export type EngineOptions = {
  path: string;
  clock: Clock;
  /** The socket at the path at this moment. */
  look(): EngineSocket;
  /** The containers, or whether they can be trusted, have changed. */
  onChange(): void;
  api?: EngineApi;
};

export type EngineReport = {
  path: string;
  state: EngineState;
  /** The user that it runs as. */
  owner: number;
  containers: readonly Container[];
  /** `Docker/28.2.2 (linux)`, `Libpod/4.3.1 (linux)`. */
  server: string | undefined;
  /** A clause on the last thing that went wrong; undefined while all is well. */
  trouble: string | undefined;
};

/** Milliseconds. Engines answer in a few; one that starts a machine takes longer, and is asked again. */
const deadline = 2000;
/** The listeners of published ports are processes of their own, so names outlive a short hang of their engine. */
const patience = 10_000;
/** News that come at once are one list, and a flood of news is ten a second. */
const listPause = 100;
/** Docker tells that a container has ended, or is paused, and writes it into what it lists a moment later. */
const afterNews = 400;
/** A network that is connected or disconnected is no event of a container; a hang is none at all. */
const slowLook = 15_000;
const pauses = { first: 100, longest: 10_000 };
/** Names stay for so long while an engine that has gone is not asked. */
const longestLost = 1000;
/** Octets of events in a second. A thousand containers that start at once are one megabyte. */
const mostOctets = 4 * 1024 * 1024;
/** An engine that was followed for so long has really run. */
const settled = 5000;

const ownApi: EngineApi = { get: getFrom, follow: followEvents };

type Timer = "list" | "news" | "slow" | "ask" | "patience";

function isDoubtful(state: EngineState): boolean {
  return state === "silent" || state === "lost";
}

export class Engine {
  readonly #options: EngineOptions;
  readonly #api: EngineApi;
  readonly #onHost: HostContainers;
  /** Aborted when we stop. */
  readonly #life = new AbortController();
  #state: EngineState = "away";
  #socket: Extract<EngineSocket, { kind: "socket" }> | undefined;
  #containers: readonly Container[] = [];
  #server: string | undefined;
  #trouble: string | undefined;
  #pause = 0;
  #followedSince: number | undefined;
  #events: Cancel | undefined;
  #abort: AbortController | undefined;
  #isAgain = false;
  /** Its events come. */
  #isOpen = false;
  readonly #timers = new Map<Timer, Cancel>();

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#api = options.api ?? ownApi;
    const { path: socket, clock } = options;
    this.#onHost = new HostContainers({
      get: (path) => this.#api.get(socket, { path, clock, deadline, signal: this.#life.signal }),
      onFound: () => options.onChange(),
    });
  }

  get report(): EngineReport {
    const { path } = this.#options;
    return {
      path,
      state: this.#state,
      owner: this.#socket?.owner ?? 0,
      containers: this.#onHost.withProcesses(this.#containers),
      server: this.#server,
      trouble: this.#trouble,
    };
  }

  /** Looks whether its socket has come, gone, or is another one. */
  look(): void {
    const found = this.#options.look();
    const before = this.#socket;
    if (found.kind !== "socket") {
      this.#trouble = found.kind === "refused" ? found.why : undefined;
      this.#socket = undefined;
      this.#do("gone");
      return;
    }
    this.#socket = found;
    if (before?.identity === found.identity) return;
    if (before !== undefined) this.#pause = 0;
    this.#do(this.#state === "away" || this.#state === "resting" ? "there" : "broken");
  }

  /** Twice is harmless. */
  stop(): void {
    this.#life.abort();
    this.#do("stop");
  }

  #do(event: EngineEvent): void {
    const step = engineStep(this.#state, event);
    if (step === undefined) return;
    const before = this.#state;
    this.#state = step.next;
    if (before === "silent" && step.next !== "silent") this.#cancel("patience");
    if (step.next === "away" || step.next === "resting" || step.next === "ended") this.#letGo();
    if (step.forget) this.#forget();
    if (step.next === "silent" && before !== "silent") {
      this.#after("patience", patience, () => this.#do("given-up"));
    }
    if (step.action === "ask") this.#askSoon();
    if (step.action === "list") this.#listSoon();
    if (step.action === "rest") this.#rest();
    if (isDoubtful(before) !== isDoubtful(step.next)) this.#options.onChange();
  }

  /** An engine whose events end at once, again and again, is asked ever more seldom, and has no names meanwhile. */
  #askSoon(): void {
    this.#letGo();
    const since = this.#followedSince;
    this.#followedSince = undefined;
    if (since !== undefined && this.#options.clock.now() - since >= settled) this.#pause = 0;
    const pause = this.#pause;
    if (this.#state === "joining") this.#ask();
    else if (pause > longestLost) this.#do("given-up");
    else {
      this.#longer();
      if (pause === 0) this.#ask();
      else this.#after("ask", pause, () => this.#ask());
    }
  }

  #rest(): void {
    this.#after("ask", this.#longer(), () => {
      this.look();
      this.#do("due");
    });
  }

  #longer(): number {
    this.#pause = Math.min(pauses.longest, Math.max(pauses.first, this.#pause * 2));
    return this.#pause;
  }

  #ask(): void {
    this.#letGo();
    const { clock } = this.#options;
    const lines = new EventLines();
    let second = { since: clock.now(), octets: 0 };
    this.#events = this.#api.follow(this.#options.path, {
      // Events between the first list and this are in the next list.
      onOpen: () => {
        this.#isOpen = true;
        this.#listSoon();
      },
      onBytes: (bytes) => {
        const isNews = lines.take(bytes);
        if (clock.now() - second.since >= 1000) second = { since: clock.now(), octets: 0 };
        second.octets += bytes.length;
        if (second.octets > mostOctets) this.#failed("it floods us with events");
        else if (isNews) this.#news();
      },
      onEnd: (why) => {
        this.#events = undefined;
        this.#failed(why);
      },
    });
    void this.#list();
  }

  #news(): void {
    this.#listSoon();
    this.#after("news", afterNews, () => this.#listSoon());
  }

  /** At once where nothing is under way, and else once more after that. */
  #listSoon(): void {
    if (this.#abort !== undefined || this.#timers.has("list")) this.#isAgain = true;
    else void this.#list();
  }

  async #list(): Promise<void> {
    const { path, clock } = this.#options;
    this.#cancel("slow");
    const abort = new AbortController();
    this.#abort = abort;
    this.#isAgain = false;
    const options = { path: listPath, clock, deadline, signal: abort.signal };
    const answer = await this.#api.get(path, options);
    // Another question has taken its place, or nobody asks any more.
    if (this.#abort !== abort) return;
    this.#abort = undefined;
    if (answer.kind !== "answer") {
      this.#failed(answer.why, answer.kind === "late" ? "late" : "broken");
      return;
    }
    const read = readContainers(answer.text);
    if (read.kind === "bad") this.#failed(read.why);
    else this.#listed(read.containers, answer.server);
  }

  #listed(containers: readonly Container[], server: string | undefined): void {
    this.#server = server;
    this.#trouble = undefined;
    this.#followedSince ??= this.#options.clock.now();
    this.#do("listed");
    // Docker Desktop lets its machine sleep while nothing runs there; a question would wake it.
    if (containers.length > 0 || !this.#isOpen) {
      this.#after("slow", slowLook, () => void this.#list());
    }
    this.#after("list", listPause, () => {
      if (this.#isAgain) void this.#list();
    });
    this.#containers = containers;
    this.#options.onChange();
    void this.#onHost.find(containers);
  }

  #failed(why: string, event: "late" | "broken" = "broken"): void {
    this.#trouble = why;
    this.#do(event);
  }

  #forget(): void {
    if (this.#containers.length === 0) return;
    this.#containers = [];
    this.#options.onChange();
  }

  /** Ends what is under way. */
  #letGo(): void {
    const abort = this.#abort;
    this.#abort = undefined;
    abort?.abort();
    this.#events?.();
    this.#events = undefined;
    this.#isOpen = false;
    for (const name of ["list", "news", "slow", "ask"] as const) this.#cancel(name);
  }

  #after(name: Timer, delay: number, action: () => void): void {
    this.#cancel(name);
    const cancel = this.#options.clock.after(delay, () => {
      this.#timers.delete(name);
      action();
    });
    this.#timers.set(name, cancel);
  }

  #cancel(name: Timer): void {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
  }
}
