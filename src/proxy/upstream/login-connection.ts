/** An upstream connection that has a client's login, and that client's requests -> one request at a time on it. */
import type { CancelDial } from "../../link/dial.ts";
import type { LinkHandler } from "../../link/link.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import type { Peeked } from "../../system/socket-calls.ts";
import { Login, type LoginStep } from "../../wire/login.ts";
import { actionOn, asking, type LoginEvent, type LoginState, patienceIn } from "./login-turns.ts";
import type { DialRequest, DialTurn, Upstream, UpstreamOwner, UpstreamPool } from "./pool.ts";

export type Dialler = Pick<UpstreamPool, "dial">;

export type LoginFacts = {
  clock: Clock;
  /** Whether bytes have arrived that no event has reported yet. */
  peek: (descriptor: number) => Peeked;
  pool: Dialler;
  /** The client's requests come side by side, as the streams of a session do. */
  parallel: boolean;
  /** A connection with a login is gone: the client's own has to end, so that the client knows. */
  lost(): void;
};

/** A request in line. */
type Waiter = { request: DialRequest; turn: DialTurn; step: LoginStep };

export class LoginConnection implements LinkHandler, UpstreamOwner {
  #state: LoginState = "none";
  #upstream: Upstream | undefined;
  #line: Waiter[] = [];
  #cancelDial: CancelDial | undefined;
  #cancelPatience: Cancel | undefined;
  /** The present answer asks for the next step of a login. */
  #midway = false;
  #closed = false;
  readonly #facts: LoginFacts;
  readonly #forget: () => void;

  /** `forget`: there is no connection any more, and nobody wants one. */
  constructor(facts: LoginFacts, forget: () => void) {
    this.#facts = facts;
    this.#forget = forget;
  }

  get isIdle(): boolean {
    return this.#state === "idle";
  }

  // Called for requests of the client.

  /** The connection, if the request need not wait for it. */
  take(step: LoginStep): Upstream | undefined {
    if (actionOn(this.#state, asking(step)) !== "give") return undefined;
    const upstream = this.#upstream!;
    // The server has ended it just now. Inside TLS, the bytes may be a session ticket.
    if (!upstream.way.secured && this.#facts.peek(upstream.link.descriptor) === "spoke") {
      upstream.abort();
      return undefined;
    }
    this.#become("busy");
    return upstream;
  }

  /** Lets a request wait for its turn. */
  ask(waiter: Waiter): CancelDial {
    const action = actionOn(this.#state, asking(waiter.step));
    this.#line.push(waiter);
    if (action === "dial") this.#dial();
    else if (action === "give") this.#soon();
    else this.#beginPatience();
    return () => {
      const at = this.#line.indexOf(waiter);
      if (at === -1) return;
      this.#line.splice(at, 1);
      if (this.#line.length === 0) this.#on("unwanted");
    };
  }

  /** A request's connection becomes the client's own. Where there is one already, this one ends after its answer. */
  adopt(upstream: Upstream): void {
    upstream.owner = this;
    if (this.#state !== "none") return;
    this.#upstream = upstream;
    this.#become("busy");
  }

  /** The answer on this connection asks for the next step of a login. */
  expectStep(upstream: Upstream): void {
    if (upstream === this.#upstream) this.#midway = this.#facts.parallel;
  }

  /** The client is gone. */
  close(): void {
    this.#closed = true;
    this.#line = [];
    this.#cancelPatience?.();
    this.#cancelDial?.();
    // A request that has it ends it.
    if (this.#state === "idle" || this.#state === "challenged") this.#upstream!.link.close();
  }

  // The exchange calls:

  release(upstream: Upstream): void {
    upstream.served++;
    if (this.#closed || upstream !== this.#upstream) {
      upstream.link.close();
      return;
    }
    upstream.kept = true;
    upstream.link.handler = this;
    upstream.link.resume();
    this.#on(this.#midway ? "challenge" : "answered");
  }

  left(upstream: Upstream): void {
    if (this.#closed || upstream !== this.#upstream) return;
    this.#on("left");
    if (upstream.isCountedOn) this.#facts.lost();
  }

  // Events of the link while no request has it.

  data(): void {
    const upstream = this.#upstream;
    if (upstream === undefined) return;
    upstream.queue.strays = true;
    upstream.abort();
  }

  drained(): void {
    // All bytes were written before, so nothing waits.
  }

  ended(): void {
    this.#upstream?.close();
  }

  closed(): void {
    if (this.#upstream !== undefined) this.left(this.#upstream);
  }

  failed(): void {
    this.closed();
  }

  // `login-turns.ts` lists the action for each event in each state.

  #on(event: LoginEvent): void {
    switch (actionOn(this.#state, event)) {
      case "rest":
        this.#become("idle");
        this.#soon();
        return;
      case "hold":
        this.#become("challenged");
        this.#soon();
        return;
      case "retire":
      case "replace":
        this.#upstream = undefined;
        if (this.#line.length > 0) this.#dial();
        else this.#end();
        return;
      case "fail":
      case "cancel":
        this.#cancelDial?.();
        this.#end();
        return;
      default:
      // Nobody is in line, and the connection stays as it is.
    }
  }

  #become(state: LoginState): void {
    this.#state = state;
    this.#midway = false;
    this.#cancelPatience?.();
    this.#cancelPatience = undefined;
    this.#beginPatience();
  }

  #beginPatience(): void {
    const milliseconds = patienceIn(this.#state);
    if (milliseconds === undefined || this.#line.length === 0) return;
    this.#cancelPatience ??= this.#facts.clock.after(milliseconds, () => this.#on("late"));
  }

  #end(): void {
    this.#become("none");
    this.#forget();
  }

  /** The next turn, once the caller is done. */
  #soon(): void {
    if (this.#line.length > 0) queueMicrotask(this.#next);
  }

  readonly #next = (): void => {
    if (this.#state !== "idle" && this.#state !== "challenged") return;
    const at =
      this.#state === "idle" ? 0 : this.#line.findIndex(({ step }) => step === Login.later);
    const [waiter] = at === -1 ? [] : this.#line.splice(at, 1);
    if (waiter === undefined) return;
    this.#become("busy");
    waiter.turn.connected(this.#upstream!);
  };

  #dial(): void {
    this.#become("dialling");
    this.#cancelDial = this.#facts.pool.dial(this.#line[0]!.request, {
      connected: (upstream) => {
        this.#cancelDial = undefined;
        upstream.owner = this;
        upstream.link.handler = this;
        this.#upstream = upstream;
        this.#on("connected");
      },
      failed: (failure) => {
        this.#cancelDial = undefined;
        const line = this.#line.splice(0);
        this.#on("failed");
        for (const { turn } of line) turn.failed(failure);
      },
    });
  }
}
