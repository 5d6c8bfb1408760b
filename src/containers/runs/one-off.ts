/** An image and a command -> a container that runs once, its output, and its exit code; then nothing is left of it. */
import type { ExtraPort, Volume } from "../../manifest/types/own.ts";
import type { Clock } from "../../system/clock.ts";
import { ContainerFrames, type OutputStream } from "../../wire/container-frames.ts";
import { type Attachment, attachTo } from "./attachment.ts";
import type { Engine } from "./choose-engine.ts";
import { type Dispensable, missingPart } from "./container-body.ts";
import {
  createContainer,
  removeContainer,
  startContainer,
  stopContainer,
} from "./container-calls.ts";
import { engineCall } from "./engine-calls.ts";
import { findImage, pullImage } from "./pull-image.ts";
import { waitForEnd } from "./wait-for-end.ts";

export type OneOff = {
  image: string;
  /** Behind the entry point; empty: the image's own. */
  words: readonly string[];
  /** `NAME=value`. */
  env: readonly string[];
  ports: readonly ExtraPort[];
  volumes: readonly Volume[];
  name: string;
  /** By which it is found, if its client dies. */
  labels: Readonly<Record<string, string>>;
  /** Output and input are a terminal. */
  tty: boolean;
  /** The program reads what `write` gives it, until `finish`; without, its input is empty. */
  input: boolean;
  /** In the place of the image's own. */
  entrypoint?: readonly string[];
  user?: string;
  /** Absolute, inside: each is a volume without a name, which goes with the container. */
  folders?: readonly string[];
  /** Milliseconds from SIGTERM to SIGKILL, where it is stopped. Default: ten seconds. */
  stopTimeout?: number;
  /** Further parts of the engine's HostConfig. */
  host?: object;
};

export type OneOffEffects = {
  engine: Engine;
  clock: Clock;
  /** `pulling redis:7: 34 %`. */
  onProgress(text: string): void;
  /** Puts files into the container before it starts. Resolves with a sentence where that failed. */
  fill?(id: string): Promise<string | undefined>;
  /** The program runs: from now on it takes input and signals. */
  onStart(): void;
  /** The bytes are only lent. */
  onOutput(stream: OutputStream, bytes: Uint8Array): void;
  /** Input is taken again. */
  onDrain?(): void;
};

export type OneOffEnd =
  | { kind: "exited"; code: number }
  /** `stop` was called. */
  | { kind: "stopped" }
  /** `why` is a sentence. */
  | { kind: "failed"; why: string; lacks?: Lacking };

/** An image that there is not, or that nobody can be asked for; or a program that the container has not. */
export type Lacking = "image" | "registry" | "program";

/** As `docker stop` has it. */
const usualTimeout = 10_000;
/** Milliseconds without a byte after which no last output is awaited, once the container has ended. */
const quiet = 5_000;
/** Milliseconds between two looks whether more output comes. */
const drainPeriod = 50;
const quick = 10_000;

export class OneOffRun {
  readonly #its: OneOff;
  readonly #effects: OneOffEffects;
  readonly #abort = new AbortController();
  readonly #outputEnd = Promise.withResolvers<void>();
  #attachment: Attachment | undefined;
  #id: string | undefined;
  #isStarted = false;
  #isPaused = false;
  /** When the last output came, or was wanted again. */
  #heardAt = 0;
  #size: { cols: number; rows: number } | undefined;

  constructor(its: OneOff, effects: OneOffEffects) {
    this.#its = its;
    this.#effects = effects;
  }

  /** Never rejects. The container is removed when it resolves, unless its engine does not answer. */
  async run(): Promise<OneOffEnd> {
    const end = await this.#ran();
    this.#attachment?.end();
    const removed = await this.#removed();
    if (removed !== undefined && end.kind !== "failed") {
      return { kind: "failed", why: `its container cannot be removed: ${removed}` };
    }
    return end;
  }

  /** Ends it; the second time at once. */
  stop(): void {
    if (this.#abort.signal.aborted) this.kill("SIGKILL");
    this.#abort.abort();
  }

  write(bytes: Uint8Array): boolean {
    return this.#attachment?.write(bytes) ?? true;
  }

  finish(): void {
    this.#attachment?.finish();
  }

  pause(): void {
    this.#isPaused = true;
    this.#attachment?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#heardAt = this.#effects.clock.now();
    this.#attachment?.resume();
  }

  resize(size: { cols: number; rows: number }): void {
    this.#size = size;
    if (this.#isStarted) void this.#call(`resize?h=${size.rows}&w=${size.cols}`);
  }

  kill(signal: string): void {
    if (this.#isStarted) void this.#call(`kill?signal=${signal}`);
  }

  get #at() {
    const { engine, clock } = this.#effects;
    return { socket: engine.socket, clock };
  }

  async #ran(): Promise<OneOffEnd> {
    const { signal } = this.#abort;
    const lacking = await this.#imageFailure();
    if (signal.aborted) return { kind: "stopped" };
    if (lacking !== undefined) return lacking;
    const without = new Set<Dispensable>(["gateway", "network"]);
    for (;;) {
      const tried = await this.#tried(without);
      if (tried !== "again") return tried;
      // Nothing of an attempt that failed is left.
      this.#attachment?.end();
      if (this.#id !== undefined) await removeContainer(this.#at, this.#id);
      this.#id = undefined;
    }
  }

  /** `again`: the engine lacks a part that it can do without. */
  async #tried(without: Set<Dispensable>): Promise<OneOffEnd | "again"> {
    const { signal } = this.#abort;
    const canDoWithout = (its: { kind: string; why: string }): boolean => {
      const part = its.kind === "refused" ? missingPart(its.why, { without }) : undefined;
      if (part !== undefined) without.add(part);
      return part !== undefined;
    };
    const body = bodyOf(this.#its, { without, engine: this.#effects.engine });
    const created = await createContainer(this.#at, { name: this.#its.name, body });
    if (created.kind !== "created") {
      return canDoWithout(created)
        ? "again"
        : this.#failed("its container cannot be made", created);
    }
    this.#id = created.id;
    if (signal.aborted) return { kind: "stopped" };
    const unfilled = await this.#effects.fill?.(created.id);
    if (signal.aborted) return { kind: "stopped" };
    if (unfilled !== undefined) return { kind: "failed", why: unfilled };
    const { tty, input } = this.#its;
    const frames = new ContainerFrames();
    const attached = await attachTo(this.#at.socket, {
      ...{ id: this.#id!, input, output: true, signal },
      onOutput: (bytes) => {
        // Its first words may come before the engine's answer to its start.
        this.#begin();
        this.#heardAt = this.#effects.clock.now();
        if (tty) this.#effects.onOutput("stdout", bytes);
        else frames.take(bytes, this.#effects.onOutput);
      },
      onDrain: () => this.#effects.onDrain?.(),
      onEnd: this.#outputEnd.resolve,
    });
    if (attached.kind === "cancelled") return { kind: "stopped" };
    if (attached.kind !== "attached") {
      if (canDoWithout(attached)) return "again";
      // Podman looks for the program as soon as its output is asked for.
      if (attached.kind === "refused" && noProgram.test(attached.why)) {
        return { ...this.#failed("it cannot be started", attached), lacks: "program" };
      }
      return this.#failed("its output cannot be had", attached);
    }
    this.#attachment = attached.attachment;
    const started = await startContainer({ ...this.#at, signal }, this.#id!);
    if (signal.aborted) return { kind: "stopped" };
    if (started.kind !== "done") {
      if (started.kind !== "absent" && canDoWithout(started)) return "again";
      const why = started.kind === "absent" ? "somebody else has removed it" : started.why;
      return { ...this.#failed("it cannot be started", { why }), lacks: "program" };
    }
    this.#begin();
    return await this.#ended();
  }

  #begin(): void {
    if (this.#isStarted || this.#abort.signal.aborted) return;
    this.#isStarted = true;
    if (this.#size !== undefined) this.resize(this.#size);
    this.#effects.onStart();
  }

  async #imageFailure(): Promise<OneOffEnd | undefined> {
    const { image } = this.#its;
    const { onProgress } = this.#effects;
    const { signal } = this.#abort;
    const found = await findImage({ ...this.#at, signal }, image);
    if (found.kind === "image") return undefined;
    if (found.kind !== "absent") return this.#failed(`image ${image} cannot be looked for`, found);
    const pulled = await pullImage({ ...this.#at, image, signal, onProgress });
    if (pulled.kind === "pulled" || pulled.kind === "cancelled") return undefined;
    const isUnknown = pulled.kind === "refused" && unknownImage.test(pulled.why);
    const lacks = isUnknown ? "image" : "registry";
    return { ...this.#failed(`image ${image} cannot be pulled`, pulled), lacks };
  }

  async #ended(): Promise<OneOffEnd> {
    const { signal } = this.#abort;
    const id = this.#id!;
    const over = new AbortController();
    const given = AbortSignal.any([signal, over.signal]);
    const silent = this.#outputEnd.promise;
    const end = await waitForEnd({ ...this.#at, id, signal: given, silent });
    over.abort();
    if (signal.aborted) return { kind: "stopped" };
    if (end.kind === "absent") return { kind: "failed", why: "somebody else has removed it" };
    if (end.kind === "gone") {
      return { kind: "failed", why: `its engine at ${this.#at.socket} has gone` };
    }
    await this.#drained();
    return signal.aborted ? { kind: "stopped" } : { kind: "exited", code: end.code };
  }

  /** Resolves when all of its output has been taken, or no more of it comes. Whoever reads slowly is waited for. */
  async #drained(): Promise<void> {
    const { clock } = this.#effects;
    const { signal } = this.#abort;
    let isOver = false;
    const over = this.#outputEnd.promise.then(() => {
      isOver = true;
    });
    this.#heardAt = clock.now();
    while (!isOver && !signal.aborted && (this.#isPaused || clock.now() - this.#heardAt < quiet)) {
      const pause = Promise.withResolvers<void>();
      const cancel = clock.after(drainPeriod, pause.resolve);
      await Promise.race([over, pause.promise]);
      cancel();
    }
  }

  /** A clause, where it may still be there. */
  async #removed(): Promise<string | undefined> {
    const id = this.#id;
    if (id === undefined) return undefined;
    if (this.#abort.signal.aborted && this.#isStarted) {
      const timeout = this.#its.stopTimeout ?? usualTimeout;
      await stopContainer(this.#at, { id, timeout });
    }
    const removed = await removeContainer(this.#at, id);
    return removed.kind === "done" || removed.kind === "absent" ? undefined : removed.why;
  }

  #failed(what: string, { why }: { why: string }): OneOffEnd & { kind: "failed" } {
    return { kind: "failed", why: `${what}: ${why}` };
  }

  async #call(what: string): Promise<void> {
    const path = `/containers/${this.#id}/${what}`;
    // A container that has just ended has no terminal any more, and gets no signal.
    await engineCall(this.#at.socket, {
      ...{ method: "POST", path, clock: this.#effects.clock, deadline: quick },
    });
  }
}

/** The words of Docker and Podman where a registry has no such image, or keeps it for others. */
const unknownImage =
  /not found|denied|unknown|unauthorized|does not exist|invalid reference|no such image/i;

const noProgram = /not found|no such file|permission denied|not executable/i;

function bodyOf(
  its: OneOff,
  { without, engine }: { without: ReadonlySet<Dispensable>; engine: Engine },
): object {
  const keys = its.ports.map(({ inside, protocol }) => `${inside}/${protocol}`);
  const bindings = its.ports.map(({ outside }) => [
    { HostIp: "127.0.0.1", HostPort: outside === undefined ? "" : String(outside) },
  ]);
  return {
    Image: its.image,
    ...(its.words.length === 0 ? {} : { Cmd: its.words }),
    ...(its.entrypoint === undefined ? {} : { Entrypoint: its.entrypoint }),
    ...(its.user === undefined ? {} : { User: its.user }),
    Volumes: Object.fromEntries((its.folders ?? []).map((path) => [path, {}])),
    ...{ Env: its.env, Labels: its.labels, Tty: its.tty },
    // The program reads the end of its input once we have none left.
    ...{ OpenStdin: its.input, StdinOnce: its.input, AttachStdin: its.input },
    ...{ AttachStdout: true, AttachStderr: true },
    ExposedPorts: Object.fromEntries(keys.map((key) => [key, {}])),
    HostConfig: {
      ...its.host,
      Init: !without.has("init"),
      // Podman without a bridge has a network for each container alone.
      ...(without.has("bridge") && engine.kind === "podman" ? { NetworkMode: "slirp4netns" } : {}),
      PortBindings: Object.fromEntries(keys.map((key, index) => [key, bindings[index]])),
      Mounts: its.volumes.map(({ source, kind, target, readOnly }) => ({
        ...{ Type: kind === "named" ? "volume" : "bind", Source: source, Target: target },
        ReadOnly: readOnly,
      })),
    },
  };
}
