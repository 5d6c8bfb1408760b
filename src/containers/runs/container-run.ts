/** A container's plan -> the container, from the choice of an engine until nothing of it is left. */
import { existsSync } from "node:fs";
import type { Clock } from "../../system/clock.ts";
import type { OutputStream } from "../../wire/container-frames.ts";
import type { ChosenEngine, Engine } from "./choose-engine.ts";
import {
  containerBody,
  containerName,
  type Dispensable,
  isHopelessRefusal,
  isPortTaken,
  missingPart,
  serviceFilters,
  volumeBody,
} from "./container-body.ts";
import {
  createContainer,
  inspectContainer,
  removeLabelled,
  startContainer,
  stopContainer,
} from "./container-calls.ts";
import { type ContainerPlan, labelNames } from "./container-plan.ts";
import { type Called, engineCall } from "./engine-calls.ts";
import type { ImageFacts } from "./image-facts.ts";
import { type Built, imageFor } from "./image-for.ts";
import { leaveNetwork, projectNetwork } from "./project-network.ts";
import { feedInput, type Terminal } from "./run-input.ts";
import { followOutput, type Output } from "./run-output.ts";
import { watchReadiness } from "./run-readiness.ts";
import { type RunAction, type RunEvent, type RunState, runStep } from "./run-states.ts";
import { waitForEnd } from "./wait-for-end.ts";

export type RunOutcome =
  /** Ended by itself. */
  | { kind: "exited"; code: number }
  /** Asked to end, and gone. */
  | { kind: "stopped" }
  /** `why` is a sentence. `passing`: another try may be luckier. */
  | { kind: "cannot"; why: string; passing: boolean };

export type RunEffects = {
  clock: Clock;
  chooseEngine(signal: AbortSignal): Promise<ChosenEngine>;
  /** Keeps in mind that containers of ours may be there, before there is one. */
  noteEngine(socket: string): Promise<void>;
  /** Makes the image of `spec.build`. */
  build(engine: Engine, signal: AbortSignal): Promise<Built>;
  /** `pulling redis:7: 34 %`. */
  status(text: string): void;
  ready(): void;
  unready(why: string): void;
  /** The engine is known, and the users that listen on its ports. */
  portOwners(uids: readonly number[]): void;
  /** A line in the service's log. */
  say(text: string): void;
  /** Undefined: nobody can type to it. */
  terminal: Terminal | undefined;
  /** Resolves when the bytes have gone. */
  write(stream: OutputStream, bytes: Uint8Array): Promise<void>;
};

type Refused = Extract<Called, { kind: "refused" }>;

/** Milliseconds for which an engine that has gone is waited for: Docker's takes five to start on a busy machine. */
const enginePatience = 60_000;
const enginePeriod = 500;

/** Milliseconds that what a former run left is given to end. */
const leftTimeout = 10_000;

/** Milliseconds in which an engine that shuts down, after it has ended its containers, closes its socket. */
const shutdownPatience = 500;

export class ContainerRun {
  readonly #plan: ContainerPlan;
  readonly #effects: RunEffects;
  #state: RunState = "seeking";
  readonly #ended = Promise.withResolvers<RunOutcome>();
  /** Aborted when the state changes. */
  #turn = new AbortController();
  #outcome: RunOutcome | undefined;
  #isStopped = false;
  #engine: Engine | undefined;
  #image: ImageFacts | undefined;
  readonly #without = new Set<Dispensable>();
  /** The engine may still be making it. */
  #making: Promise<unknown> | undefined;
  #id: string | undefined;
  #output: Output | undefined;
  #isReady = false;

  constructor(plan: ContainerPlan, effects: RunEffects) {
    this.#plan = plan;
    this.#effects = effects;
  }

  get state(): RunState {
    return this.#state;
  }

  /** Never rejects. Once. */
  run(): Promise<RunOutcome> {
    void this.#seek();
    return this.#ended.promise;
  }

  /** Ends it. Twice is harmless. */
  stop(): void {
    if (runStep(this.#state, "stop") === undefined) return;
    this.#isStopped = true;
    this.#happen("stop");
  }

  #happen(event: RunEvent): void {
    const step = runStep(this.#state, event);
    if (step === undefined) return;
    this.#state = step.next;
    this.#turn.abort();
    this.#turn = new AbortController();
    this.#act(step.action).catch((error: Error) => {
      this.#fail(`our own fault: ${error.message}`, { passing: true });
      this.#happen("failed");
    });
  }

  /** Does what the table says, and tells what came of it, unless something else has happened meanwhile. */
  async #act(action: RunAction): Promise<void> {
    const { signal } = this.#turn;
    const event = await this.#done(action, signal);
    if (!signal.aborted && event !== undefined) this.#happen(event);
  }

  #done(action: RunAction, signal: AbortSignal): Promise<RunEvent | undefined> {
    switch (action) {
      case "clear":
        return this.#clear(signal);
      case "pull":
        return this.#pull(signal);
      case "create":
        return this.#create(signal);
      case "start":
        return this.#start(signal);
      case "follow":
        return this.#follow(signal);
      case "await-engine":
        return this.#awaitEngine(signal);
      case "stop":
        return this.#stop(signal);
      case "remove":
        return this.#remove();
      case "end":
        return this.#end();
    }
  }

  get #at() {
    return { socket: this.#engine!.socket, clock: this.#effects.clock };
  }

  #fail(why: string, { passing }: { passing: boolean }): void {
    this.#outcome ??= { kind: "cannot", why, passing };
  }

  /** The event that an engine's "no" is, or its silence. */
  #refusal(answer: Exclude<Called, { kind: "answer" }>, what: string): RunEvent {
    const passing = answer.kind !== "refused" || !isHopelessRefusal(answer);
    if (answer.kind !== "refused") {
      this.#fail(`${what}: the engine at ${this.#engine!.socket}: ${answer.why}`, { passing });
      return "gone";
    }
    this.#fail(`${what}: ${this.#refusalText(answer)}`, { passing });
    return "failed";
  }

  #refusalText({ why }: Refused): string {
    const { port } = this.#plan;
    if (!isPortTaken(why)) return why;
    return `a port that it publishes is taken (its own is ${port ?? "none"}): ${why}`;
  }

  async #seek(): Promise<void> {
    const { signal } = this.#turn;
    const chosen = await this.#effects.chooseEngine(signal);
    if (signal.aborted) return;
    if (chosen.kind === "none") {
      this.#fail(chosen.why, { passing: chosen.isThere });
      this.#happen("failed");
      return;
    }
    this.#engine = chosen.engine;
    this.#effects.portOwners([chosen.engine.owner]);
    this.#happen("done");
  }

  async #clear(signal: AbortSignal): Promise<RunEvent> {
    this.#effects.status("looking for what a former run left");
    const timeout = Math.min(leftTimeout, this.#plan.stopTimeout);
    const labels = serviceFilters(this.#plan.labels);
    const removed = await removeLabelled(
      { ...this.#at, signal },
      // A build of it may be another process's; those whose client is gone go with the next one.
      { labels, timeout, isWanted: (its) => its.labels[labelNames.builds] === undefined },
    );
    if (removed.names.length > 0 && this.#without.size === 0) {
      this.#effects.say(`removed what a former run left: ${removed.names.join(", ")}`);
    }
    if (removed.trouble === undefined) return "done";
    this.#fail(`what a former run left cannot be removed: ${removed.trouble}`, { passing: true });
    return removed.isUnreached ? "gone" : "failed";
  }

  async #pull(signal: AbortSignal): Promise<RunEvent> {
    const finding = imageFor(this.#plan, {
      ...{ engine: this.#engine!, signal, ...this.#effects },
    });
    this.#making = finding;
    const found = await finding;
    switch (found.kind) {
      case "image":
        this.#image = found.image;
        return "done";
      case "cancelled":
        return "failed";
      case "cannot":
        this.#fail(found.why, found);
        return found.isUnreached ? "gone" : "failed";
    }
  }

  #create(signal: AbortSignal): Promise<RunEvent> {
    this.#effects.status("making its container");
    const making = this.#make(signal);
    this.#making = making;
    return making;
  }

  /** Goes on to its end, whatever happens meanwhile: an engine that was asked for a container makes it. */
  async #make(signal: AbortSignal): Promise<RunEvent> {
    const plan = this.#plan;
    const at = this.#at;
    await this.#effects.noteEngine(at.socket);
    for (const { source, kind } of plan.spec.volumes) {
      if (signal.aborted) return "failed";
      if (kind === "bind") {
        // Some engines make it, as root.
        if (existsSync(source)) continue;
        this.#fail(`its volume ${source} is not there: make the folder`, { passing: false });
        return "failed";
      }
      const body = volumeBody(plan, source);
      const made = await engineCall(at.socket, {
        ...{ method: "POST", path: "/volumes/create", body, clock: at.clock, deadline: 30_000 },
      });
      if (made.kind !== "answer") return this.#refusal(made, `its volume ${source} cannot be made`);
    }
    let network: string | undefined;
    if (!this.#without.has("network") && !signal.aborted) {
      const made = await projectNetwork(at, plan);
      if (made.kind === "network") network = made.id;
      else if (made.kind === "refused") this.#doWithout("network", made.why);
      else return this.#refusal(made, "its project's network cannot be made");
    }
    if (signal.aborted) return "failed";
    const created = await createContainer(at, {
      name: containerName(plan),
      body: containerBody(plan, {
        ...{ image: this.#image!.id, without: this.#without, network },
        engine: this.#engine!.kind,
      }),
    });
    if (created.kind === "created") {
      this.#id = created.id;
      return "done";
    }
    if (created.kind === "refused" && this.#canDoWithout(created)) return "again";
    return this.#refusal(created, "its container cannot be made");
  }

  #canDoWithout(refused: Refused): boolean {
    const part = missingPart(refused.why, { without: this.#without });
    if (part !== undefined) this.#doWithout(part, refused.why);
    return part !== undefined;
  }

  #doWithout(part: Dispensable, why: string): void {
    this.#without.add(part);
    this.#effects.say(`goes on without ${withoutText[part]}: ${why}`);
  }

  async #start(signal: AbortSignal): Promise<RunEvent> {
    const id = this.#id!;
    const { clock, write } = this.#effects;
    const { tty } = this.#plan;
    // Before it starts: its first words must not be lost.
    this.#output = followOutput({ socket: this.#engine!.socket, id, clock, tty, write });
    await this.#output.opened;
    if (signal.aborted) return "failed";
    this.#effects.status("starting its container");
    const started = await startContainer({ ...this.#at, signal }, id);
    if (started.kind === "done") return "done";
    // An engine that does not answer may have started it.
    if (started.kind === "refused" || started.kind === "absent") this.#output.cancel();
    if (started.kind === "absent") {
      this.#fail("its container was removed by somebody else", { passing: true });
      return "vanished";
    }
    if (started.kind === "refused" && this.#canDoWithout(started)) return "again";
    return this.#refusal(started, "its container cannot be started");
  }

  async #follow(signal: AbortSignal): Promise<RunEvent> {
    this.#effects.status("");
    const { socket } = this.#engine!;
    const { clock } = this.#effects;
    const id = this.#id!;
    void watchReadiness({
      ...{ plan: this.#plan, socket, id, clock, signal, image: this.#image?.check },
      status: this.#effects.status,
      ready: () => {
        this.#isReady = true;
        this.#effects.status("");
        this.#effects.ready();
      },
      unready: (why) => {
        this.#isReady = false;
        this.#effects.unready(why);
      },
    });
    const { terminal } = this.#effects;
    if (this.#plan.tty && terminal !== undefined) {
      void feedInput({ socket, id, clock, signal, terminal });
    }
    this.#output?.followAgain(signal);
    const silent = this.#output?.ended ?? Promise.resolve();
    const end = await waitForEnd({ socket, id, clock, signal, silent });
    if (end.kind === "exited") this.#outcome ??= { kind: "exited", code: end.code };
    if (end.kind === "absent") {
      this.#fail("its container was removed by somebody else", { passing: true });
      return "vanished";
    }
    return end.kind === "exited" ? "died" : "gone";
  }

  async #awaitEngine(signal: AbortSignal): Promise<RunEvent> {
    const { clock, status, unready } = this.#effects;
    this.#output?.lost();
    status("its engine does not answer; it is waited for");
    if (this.#isReady) unready("its engine does not answer");
    const until = clock.now() + enginePatience;
    while (clock.now() < until) {
      const deadline = Math.max(1, until - clock.now());
      const found = await inspectContainer({ ...this.#at, signal, deadline }, this.#id!);
      if (signal.aborted) return "late";
      if (found.kind === "absent") {
        this.#fail("its container has gone with its engine", { passing: true });
        return "vanished";
      }
      if (found.kind === "state" && found.running) {
        this.#outcome = undefined;
        // Whether it is ready is asked anew; without a check of ours, it is as ready as it was.
        if (this.#isReady && this.#plan.readiness === "asked") this.#effects.ready();
        return "back";
      }
      if (found.kind === "state") {
        this.#fail("its engine was started anew, which has ended its container", { passing: true });
        return "died";
      }
      await new Promise<void>((resume) => void clock.after(enginePeriod, resume));
    }
    const why = `its engine at ${this.#engine!.socket} has not answered for ${enginePatience / 1000} s`;
    this.#fail(why, { passing: true });
    return "late";
  }

  async #stop(signal: AbortSignal): Promise<RunEvent> {
    this.#effects.status("stopping its container");
    const { stopTimeout: timeout } = this.#plan;
    const stopped = await stopContainer({ ...this.#at, signal }, { id: this.#id!, timeout });
    if (stopped.kind === "absent") return "vanished";
    if (stopped.kind === "done") return "done";
    return stopped.kind === "refused" ? "failed" : "gone";
  }

  async #remove(): Promise<RunEvent> {
    await this.#making;
    // The last words of a program that has ended are still on their way.
    await this.#output?.drained();
    this.#output?.cancel();
    const { labels } = this.#plan;
    const removed = await removeLabelled(this.#at, {
      labels: { ...serviceFilters(labels), [labelNames.run]: labels.run },
      timeout: this.#isStopped ? 0 : leftTimeout,
    });
    await leaveNetwork(this.#at, labels);
    if (removed.trouble !== undefined) {
      this.#effects.say(`its container cannot be removed: ${removed.trouble}`);
    }
    if (await this.#isEngineGoing(removed.isUnreached)) {
      this.#outcome = {
        ...{ kind: "cannot", passing: true },
        why: "its engine has gone, which has ended its container",
      };
    }
    return removed.trouble === undefined ? "done" : "failed";
  }

  /** Engines end their containers well when they end: that is no end of the service's own. */
  async #isEngineGoing(isUnreached: boolean): Promise<boolean> {
    if (this.#isStopped || this.#outcome?.kind !== "exited") return false;
    if (isUnreached) return true;
    const { clock, socket } = this.#at;
    await new Promise<void>((resume) => void clock.after(shutdownPatience, resume));
    const ping = { method: "GET", path: "/_ping", clock, deadline: 5000 } as const;
    return (await engineCall(socket, ping)).kind === "failed";
  }

  async #end(): Promise<undefined> {
    this.#output?.cancel();
    const none: RunOutcome = {
      kind: "cannot",
      why: "it has ended without a reason",
      passing: true,
    };
    this.#ended.resolve(this.#isStopped ? { kind: "stopped" } : (this.#outcome ?? none));
  }
}

const withoutText: Readonly<Record<Dispensable, string>> = {
  bridge: "a bridge of its engine",
  init: "an init process inside, so that programs which do not handle SIGTERM are killed when they are stopped",
  gateway: "the name host.docker.internal",
  network:
    "a network of its project, so that containers do not reach each other by the names of services",
};
