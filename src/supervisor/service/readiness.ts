/** A life -> whether it is ready: by its port, its check, a line of its output, its own word, or its age. */
import type { Cancel } from "../../system/clock.ts";
import { hasPort, type HealthCheck } from "../../manifest/project.ts";
import type { Life, LifeOwner } from "./life.ts";
import { terminalSize, type Stream } from "./child.ts";
import { ReadyPattern } from "./ready-pattern.ts";
import { waitsFor } from "./waits-for.ts";
import { portElsewhere } from "./whereabouts.ts";

/** Milliseconds between two looks at whether its port listens: at first, and later. */
const firstLook = 50;
const lastLook = 250;

/** Milliseconds from when its port listens in which a service may still say READY=1. */
const notifyPatience = 10_000;

/** Milliseconds after which a service that need not listen is ready without another sign. */
const workerReady = 1000;

/** Milliseconds until somebody is told what it waits for, and between two looks at whether that has changed. */
const tellAfter = 2000;
const tellPeriod = 1000;

/** Milliseconds between two checks of a service that is not ready, at most. */
const eagerCheck = 500;

export class Readiness {
  readonly #life: Life;
  readonly #owner: LifeOwner;
  #cancelDeadline: Cancel | undefined;
  /** When its port was seen to listen, without a break since. */
  #listensSince: number | undefined;
  /** Failed checks in a row. */
  #failures = 0;
  /** The reason of the last failed check. */
  #illness: string | undefined;
  #pattern: ReadyPattern | undefined;
  /** The wait that was told last. */
  #told: string | undefined;

  constructor(life: Life, owner: LifeOwner) {
    this.#life = life;
    this.#owner = owner;
  }

  /** The time on the clock by which it must be ready; undefined: whenever it is. */
  get #deadline(): number | undefined {
    const by = this.#life.readyBy ?? this.#owner.spec.startTimeout;
    return by === undefined ? undefined : this.#life.begun + by;
  }

  start(): void {
    const { spec } = this.#owner;
    this.#armDeadline();
    this.#tellLater(tellAfter);
    if (spec.health !== undefined) this.#check(spec.health);
    else if (spec.readyPattern !== undefined) {
      if (this.#life.readyAt !== undefined) return;
      this.#pattern = this.#watchOutput(spec.readyPattern);
    } else if (spec.own?.kind === "container") {
      // Its engine takes connections before the program inside does: our own program says when it is ready.
    } else if (spec.type !== "task") {
      if (spec.type !== "exec") {
        this.#life.after(workerReady, () => {
          if (!this.#life.speaks) this.ready();
        });
      }
      const { port } = this.#life.born;
      if (port !== undefined) this.#watchPort(port, firstLook);
    }
  }

  onOutput(stream: Stream, bytes: Uint8Array): void {
    this.#pattern?.push(stream, bytes);
  }

  #watchOutput(pattern: string): ReadyPattern {
    const { effects, spec } = this.#owner;
    return new ReadyPattern(pattern, {
      now: () => effects.clock.now(),
      after: (delay, action) => this.#life.after(delay, action),
      size: spec.pty ? terminalSize : undefined,
      onMatch: () => this.ready(),
    });
  }

  ready(): void {
    const { phase, effects } = this.#owner;
    if (phase !== "running" && phase !== "unready") return;
    // Whatever a task says: it is completed when it has ended.
    if (this.#owner.spec.type === "task") return;
    this.#cancelDeadline?.();
    this.#pattern = undefined;
    this.#life.isReloading = false;
    this.#failures = 0;
    this.#life.readyAt ??= effects.clock.wall();
    this.#owner.happen("ready");
  }

  /** The service listens, though not on the port that it was given. */
  listensElsewhere(): void {
    const { health, readyPattern } = this.#owner.spec;
    if (health === undefined && readyPattern === undefined && !this.#life.speaks) this.ready();
  }

  /** The service said so itself, and says when it is ready again. */
  unready(why: string): void {
    this.#life.isReloading = true;
    this.#owner.happen("unready", why);
  }

  /** Extends the deadline, where there is one, to `by` milliseconds from now. */
  extend(by: number): void {
    const deadline = this.#deadline;
    if (deadline === undefined) return;
    const until = Math.max(deadline, this.#owner.effects.clock.now() + by);
    this.#life.readyBy = until - this.#life.begun;
    if (this.#owner.phase === "running") this.#armDeadline();
  }

  /** Says what it waits for when that has taken a while, and whenever it is something else. */
  #tellLater(delay: number): void {
    const life = this.#life;
    life.after(delay, () => {
      if (this.#owner.phase !== "running") return;
      const text = waitsFor(this.#owner.spec, {
        port: life.born.port,
        listens: this.#listensSince !== undefined,
        speaks: life.speaks,
        patience: notifyPatience / 1000,
        illness: this.#illness,
      });
      if (text !== undefined && text !== this.#told) {
        this.#told = text;
        this.#owner.changed(text);
      }
      this.#tellLater(tellPeriod);
    });
  }

  #armDeadline(): void {
    this.#cancelDeadline?.();
    const deadline = this.#deadline;
    if (deadline === undefined) return;
    const left = deadline - this.#owner.effects.clock.now();
    this.#cancelDeadline = this.#life.after(left, () => {
      if (this.#owner.phase !== "running") return;
      const seconds = Math.round(this.#life.age / 100) / 10;
      const last = this.#illness === undefined ? "" : `: ${this.#illness}`;
      const what = this.#owner.spec.type === "task" ? "did not end" : "did not become ready";
      this.#owner.happen("timed-out", `${what} within ${seconds} s${last}`);
    });
  }

  /** Reads the kernel's socket table: a server that takes one connection only must not be probed. */
  #watchPort(port: number, delay: number): void {
    const { clock, listening } = this.#owner.effects;
    const life = this.#life;
    life.after(delay, async () => {
      const found = await listening.on(port).catch(() => false);
      if (life.isOver || this.#owner.phase !== "running" || life.speaks) return;
      // Its own processes may have changed to another user.
      if (found || life.listens.includes(port)) this.#listensSince ??= clock.now();
      else this.#listensSince = undefined;
      // Its address is shown once it listens, and the next look at its processes may be a second away.
      if (found && this.#owner.spec.type === "process" && !life.listens.includes(port)) {
        life.listens = [...life.listens, port];
      }
      const patience = life.born.maySpeak ? notifyPatience : 0;
      const since = this.#listensSince;
      if (since !== undefined && clock.now() - since >= patience) this.ready();
      else this.#watchPort(port, Math.min(delay * 2, lastLook));
    });
  }

  /** True until our own program has nothing left to do: another server has the port, and answers there. */
  #prepares({ ask }: HealthCheck): boolean {
    return ask.kind === "store" && (!this.#life.speaks || this.#life.status !== undefined);
  }

  #check(health: HealthCheck): void {
    const { spec, effects } = this.#owner;
    const life = this.#life;
    const asked = effects.ask(health.ask, {
      port: !hasPort(spec) ? undefined : (portElsewhere(life) ?? life.born.port),
      name: nameIn(life.born.env),
      env: life.born.env,
      shell: spec.shell,
      workdir: spec.workdir,
      timeout: health.timeout,
    });
    const forget = life.onClose(() => asked.cancel());
    void asked.done.then((result) => {
      forget();
      if (life.isOver) return;
      const { phase } = this.#owner;
      if (result.kind === "well") {
        this.#failures = 0;
        if (!this.#life.isReloading && !this.#prepares(health)) this.ready();
      } else if (phase === "ready") {
        if (life.age >= health.startPeriod) this.#failures++;
        if (this.#failures >= Math.max(1, health.retries))
          this.#owner.happen("unready", result.why);
      } else this.#illness = result.why;
      const eager = Math.min(health.interval, eagerCheck);
      const wait = this.#owner.phase === "ready" ? health.interval : eager;
      life.after(wait, () => this.#check(health));
    });
  }
}

/** The name by which the service is reached, as in the address that it was given. */
function nameIn({ LOCALHOSTESS_URL: url }: Life["born"]["env"]): string {
  return url === undefined ? "localhost" : new URL(url).hostname;
}
