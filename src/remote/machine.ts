/** One other machine -> its services here, for as long as its connection is up; all its timers and processes. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Claim } from "../routes/claim.ts";
import { remoteText, type RemoteReport, type RemoteService } from "../routes/remote-report.ts";
import { printable } from "../text/printable.ts";
import type { Cancel, Clock } from "../system/clock.ts";
import { type Answer, answerReader, type AnswerReader, type FoundBy } from "./answer-reader.ts";
import { type Failure, failureOf, silence, withoutSsh } from "./failure.ts";
import { Forwards } from "./forwards.ts";
import type { Found } from "./found.ts";
import { firstWords, lookWords } from "./script.ts";
import { openSession, type Session } from "./session.ts";
import { shortName } from "./socket-folder.ts";
import { isTooOld } from "./ssh-arguments.ts";
import { type Event, pauseOf, type State, stepOn } from "./states.ts";

export type MachineOptions = {
  name: string;
  host: string;
  source: RemoteReport["source"];
  clock: Clock;
  /** From 0 to 1. */
  random(): number;
  /** Where its sockets are. @throws Error with a sentence if there is no place for them. */
  folder(): string;
  env(): Readonly<Record<string, string | undefined>>;
  /** Has the pid of ssh for as long as that is awaited. */
  pids: Set<number>;
  /** Its services, or its state, have changed. */
  onChange(): void;
  /** A sentence for a person. */
  note(text: string): void;
};

/**
 * Ticks, which are seconds. They are counted, because an answer that has arrived is read between two of them, also
 * where we had no turn for long: no clock tells that.
 */
const patience = {
  /** For a connection, with whatever a person has to confirm at an agent or a key. */
  connecting: 30,
  /** For a sign of life. A network's round trip takes less than one second. */
  sign: 4,
  /** For a whole answer, which `ls --json` has ten seconds for. */
  answer: 20,
};

/** All in milliseconds. */
const limits = {
  /** Between two looks while localhostess is in use. */
  period: 3_000,
  /** Between the end of a look and one that requests ask for: ten times what a look takes, within these. */
  least: 100,
  most: 1_000,
  /** Between two attempts that requests ask for. */
  attempts: 2_000,
  /** A connection that has held for so long was a good one: the next pause is short again. */
  good: 30_000,
};

/** A look costs the other side time: it has twenty times as long to rest. */
const restFactor = 20;

/** Names that are remembered: of more, the oldest are forgotten. */
const mostHad = 500;

/** Notes that are kept. */
const mostNotes = 5;

/** `began`: when it was asked for, and from its sign of life on, when that came. `ticks`: since then. */
type Look = { number: number; began: number; ticks: number; begun: boolean };

export class Machine {
  readonly name: string;
  readonly host: string;
  readonly source: RemoteReport["source"];
  readonly #options: MachineOptions;
  #state: State = "idle";
  #since: number;
  #failure: Failure | undefined;
  #failures = 0;
  /** By the clock that only passes: when the state began, and when the pause ends. */
  #began = 0;
  #due = 0;
  #session: Session | undefined;
  #forwards: Forwards | undefined;
  #control: string | undefined;
  /** ssh does not know our newer options. */
  #isOld = false;
  #reader: AnswerReader | undefined;
  #found: readonly Found[] = [];
  /** Names that it had once, the latest last. */
  readonly #had = new Set<string>();
  #by: FoundBy | undefined;
  #look: Look | undefined;
  #looks = 0;
  #dials = 0;
  /** The end of the last look, and how long it took. */
  #looked = 0;
  #took = 0;
  #tookLast: number | undefined;
  #wantsWhole = false;
  /** A program there that is called localhostess is none that we understand, and is not asked again. */
  #isAlone = false;
  /** Ticks since the state began. */
  #ticks = 0;
  #cancelSoon: Cancel | undefined;
  #notes: string[] = [];
  #waiters: (() => void)[] = [];

  constructor(options: MachineOptions) {
    this.#options = options;
    this.name = options.name;
    this.host = options.host;
    this.source = options.source;
    this.#since = options.clock.wall();
  }

  get state(): State {
    return this.#state;
  }

  /** The names of its services here, and the sockets that lead to them. */
  claims(): Claim[] {
    return this.#found.flatMap((its): Claim[] => {
      const path = this.#forwards?.socketTo(its);
      if (path === undefined) return [];
      return [
        {
          name: `${its.name}.${this.name}`,
          source: "remote",
          because: `a server on ${remoteText(this)}, ${placeText(its)}`,
          place: { kind: "socket", path },
          command: its.command,
          cwd: its.cwd,
          startedAt: its.startedAt,
          warnings: its.warnings,
        },
      ];
    });
  }

  report(): RemoteReport {
    const { clock } = this.#options;
    const pauses = this.#state === "backing off" || this.#state === "asleep";
    const isWaiting = pauses || this.#state === "refused";
    return {
      name: this.name,
      host: this.host,
      source: this.source,
      state: this.#state,
      changedAt: this.#since,
      why: this.#failure?.why,
      fix: this.#failure?.fix,
      retryIn: isWaiting ? Math.max(0, Math.round(this.#due - clock.now())) : undefined,
      by: this.#by,
      pid: this.#session?.pid,
      control: this.#control,
      services: this.#found.map((its): RemoteService => ({
        name: `${its.name}.${this.name}`,
        address: its.address,
        port: its.port,
        socket: this.#forwards?.socketTo(its),
      })),
      left: this.left(),
      notes: this.#notes,
    };
  }

  /**
   * Whether what is known of its servers is as new as it is kept while localhostess is in use. Else another server may
   * have the port of one that has ended.
   */
  get isFresh(): boolean {
    const age = this.#options.clock.now() - this.#looked;
    return this.#state !== "up" || age <= 2 * this.#period;
  }

  get #period(): number {
    return Math.max(limits.period, restFactor * this.#took);
  }

  /** The names that it had, and that lead nowhere now. */
  left(): string[] {
    const names = new Set(this.#found.map(({ name }) => name));
    return [...this.#had].filter((name) => !names.has(name)).map((name) => `${name}.${this.name}`);
  }

  #remember(): void {
    for (const { name } of this.#found) {
      this.#had.delete(name);
      this.#had.add(name);
    }
    for (const name of this.#had) {
      if (this.#had.size <= mostHad) break;
      this.#had.delete(name);
    }
  }

  /** A second has passed. `used`: somebody has used localhostess within the last period. */
  tick({ used }: { used: boolean }): void {
    const { clock } = this.#options;
    const now = clock.now();
    switch (this.#state) {
      case "idle":
        if (used) this.on("used");
        return;
      case "connecting":
        this.#ticks++;
        if (this.#ticks >= patience.connecting) this.#isSilent(patience.connecting);
        return;
      case "up":
        this.#watch(now, used);
        return;
      case "backing off":
      case "asleep":
      case "refused":
        if (now >= this.#due) this.on(used ? "due" : "unused");
        return;
      default:
    }
  }

  #watch(now: number, used: boolean): void {
    const look = this.#look;
    if (look !== undefined) {
      look.ticks++;
      const limit = look.begun ? patience.answer : patience.sign;
      if (look.ticks >= limit) this.#isSilent(limit);
      return;
    }
    if (used && now - this.#looked >= this.#period) this.#ask({ whole: false });
  }

  #isSilent(seconds: number): void {
    this.#failure = silence(seconds, { heard: this.#state === "up" });
    this.on("silent");
  }

  /**
   * Resolves when its services are known as of now, or it is known that they cannot be had at the moment. The caller
   * waits no longer than it likes. Never rejects.
   */
  known(): Promise<void> {
    const now = this.#options.clock.now();
    const pauses = this.#state === "backing off" || this.#state === "asleep";
    if (pauses && now - this.#began < limits.attempts) return Promise.resolve();
    if (this.#state === "up" && this.#look === undefined) this.#askSoon(now);
    else this.on("asked");
    if (this.#state !== "connecting" && this.#state !== "up") return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Names that do not exist cannot keep a machine looking. */
  #askSoon(now: number): void {
    const pause = Math.min(limits.most, Math.max(limits.least, 10 * this.#took));
    const left = pause - (now - this.#looked);
    if (left <= 0) this.on("asked");
    else this.#cancelSoon ??= this.#options.clock.after(left, () => this.#askNow());
  }

  #askNow(): void {
    this.#cancelSoon = undefined;
    this.on("asked");
  }

  on(event: Event): void {
    const step = stepOn(this.#state, event);
    if (step === undefined) return;
    const before = this.#state;
    const lasted = this.#options.clock.now() - this.#began;
    if (step.next !== before) {
      this.#state = step.next;
      this.#began = this.#options.clock.now();
      this.#ticks = 0;
      this.#since = this.#options.clock.wall();
    }
    switch (step.action) {
      case "dial":
        this.#dial();
        break;
      case "serve":
        this.#failure = undefined;
        break;
      case "check":
        this.#ask({ whole: true });
        break;
      case "end":
        void this.#session?.end();
        this.#pause({ wasGood: before === "up" && lasted >= limits.good });
        break;
      case "pause":
        this.#pause({ wasGood: before === "up" && lasted >= limits.good });
        break;
      case "leave":
        void this.#session?.end();
        this.#forget();
        break;
      default:
    }
    if (step.next !== before) this.#options.onChange();
  }

  /** Ends its ssh. Resolves when that is gone. */
  async stop(): Promise<void> {
    const session = this.#session;
    this.on("removed");
    await session?.end();
  }

  #dial(): void {
    const { clock, env, pids } = this.#options;
    const nonce = crypto.randomUUID().replaceAll("-", "");
    try {
      const folder = this.#options.folder();
      // A number of its own: ssh that is still ending removes its socket, and another one is not to lose its own.
      const control = join(folder, `${shortName(this.name)}.${++this.#dials}.ssh`);
      const session = openSession({
        host: this.host,
        control,
        isOld: this.#isOld,
        env: env(),
        pids,
        onLine: (text) => this.#heard(text),
        onError: (text) => this.#complained(text),
        onFlood: () => this.#useless("it prints more than any list of servers has"),
        onEnd: ({ code, errors }) => this.#ended(code, errors),
      });
      this.#session = session;
      this.#control = control;
      this.#reader = answerReader({ nonce, remote: this.name });
      this.#forwards = new Forwards({
        ...{ name: this.name, host: this.host, control, folder, env: env() },
        onChange: () => this.#options.onChange(),
        onFailure: (why) => this.#noted(why),
      });
      session.say(firstWords(nonce));
      // Its sign of life is the first that is heard.
      this.#look = { number: ++this.#looks, began: clock.now(), ticks: 0, begun: false };
      this.#isAlone = false;
      session.say(lookWords(this.#looks, { whole: true }));
    } catch (error) {
      this.#failure = withoutSsh(this.name, error as NodeJS.ErrnoException);
      // In a turn of its own: the state is just being changed.
      clock.after(0, () => this.on(this.#failure!.event));
    }
  }

  #ended(code: number | undefined, errors: string): void {
    if (!this.#isOld && isTooOld(errors)) {
      this.#isOld = true;
      this.#dial();
      return;
    }
    const heard = this.#state === "up";
    this.#failure = failureOf({ name: this.name, host: this.host, code, errors, heard });
    this.on(this.#failure.event);
  }

  #useless(why: string): void {
    this.#failure = { event: "denied", why, fix: undefined };
    void this.#session?.end();
    this.on("denied");
  }

  #heard(text: string): void {
    const answer = this.#reader!.line(text);
    if (answer.kind === "more") return;
    if (answer.kind === "useless") {
      this.#useless(answer.why);
      return;
    }
    if (answer.kind === "begun") {
      // One sign of life for each look: whoever gives it again and again does not answer.
      if (this.#look?.begun === false) {
        this.#look.begun = true;
        this.#look.ticks = 0;
        this.#look.began = this.#options.clock.now();
      }
      this.on("heard");
      return;
    }
    if (answer.number !== this.#look?.number) return;
    if (answer.kind !== "unreadable") this.#answered(answer);
    else if (this.#isAlone) this.#answered({ ...answer, kind: "found", found: [], by: "script" });
    else {
      this.#isAlone = true;
      this.#look = undefined;
      this.#ask({ whole: true });
    }
  }

  #answered(answer: Extract<Answer, { kind: "same" | "found" }>): void {
    const now = this.#options.clock.now();
    // The shorter one of the last two: the machine may have had other work.
    const took = now - this.#look!.began;
    this.#took = Math.min(took, this.#tookLast ?? took);
    this.#tookLast = took;
    this.#looked = now;
    this.#look = undefined;
    if (answer.kind === "found") {
      this.#by = answer.by;
      const before = JSON.stringify(this.#found);
      this.#found = answer.found;
      this.#remember();
      if (JSON.stringify(answer.found) !== before) this.#options.onChange();
    }
    const { length } = this.#waiters;
    const again = this.#wantsWhole;
    this.#wantsWhole = false;
    if (again) this.#ask({ whole: true });
    const forwards = this.#forwards!;
    void forwards.want(this.#found).then(() => {
      // Those who came after the look had begun wait for the next one.
      if (forwards === this.#forwards && !again) this.#release(length);
    });
  }

  #ask({ whole }: { whole: boolean }): void {
    if (this.#look !== undefined) {
      this.#wantsWhole ||= whole && this.#state === "up" && this.#look.begun;
      return;
    }
    const now = this.#options.clock.now();
    this.#look = { number: ++this.#looks, began: now, ticks: 0, begun: false };
    this.#session?.say(lookWords(this.#looks, { whole, alone: this.#isAlone }));
  }

  #pause({ wasGood }: { wasGood: boolean }): void {
    const { clock, random, note } = this.#options;
    this.#failures = wasGood ? 1 : this.#failures + 1;
    const pause = pauseOf(this.#state, { failures: this.#failures, random: random() });
    this.#due = clock.now() + pause;
    // One line for an outage, not for each attempt.
    if (this.#failures === 1 && this.#failure !== undefined) {
      note(`${remoteText(this)}: ${this.#failure.why}`);
    }
    this.#forget();
  }

  #forget(): void {
    this.#cancelSoon?.();
    this.#cancelSoon = undefined;
    this.#forwards?.end();
    // ssh that was killed leaves it.
    if (this.#control !== undefined) rmSync(this.#control, { force: true });
    this.#session = this.#forwards = this.#reader = this.#look = this.#by = undefined;
    this.#control = undefined;
    this.#found = [];
    this.#notes = [];
    this.#wantsWhole = false;
    this.#release(this.#waiters.length);
  }

  #release(count: number): void {
    for (const resolve of this.#waiters.splice(0, count)) resolve();
  }

  /** A connection to a server there that did not come about is told by ssh, and by nobody else. */
  #complained(text: string): void {
    if (this.#state !== "up") return;
    if (/administratively prohibited/.test(text)) {
      const why = "its sshd does not let us connect to servers there: see AllowTcpForwarding";
      if (!this.#notes.includes(why)) this.#noted(why);
    } else if (/open failed/.test(text) && !this.#hasJustLooked()) {
      this.#ask({ whole: true });
    }
  }

  #hasJustLooked(): boolean {
    const pause = Math.min(limits.most, Math.max(limits.least, 3 * this.#took));
    return this.#options.clock.now() - this.#looked < pause;
  }

  #noted(why: string): void {
    const text = printable(why, 500);
    this.#options.note(`${remoteText(this)}: ${text}`);
    this.#notes = [...this.#notes, text].slice(-mostNotes);
    this.#options.onChange();
  }
}

function placeText({ address, port }: Found): string {
  if (address.startsWith("/")) return address;
  return address === "127.0.0.1" ? `port ${port}` : `${address} port ${port}`;
}
