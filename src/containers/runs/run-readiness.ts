/** A container that runs -> whether its program is ready: by its check, its port, or its age. */
import type { HealthCheck } from "../../manifest/project.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import { checkInside, type Inside } from "./check-inside.ts";
import type { ContainerPlan } from "./container-plan.ts";
import { type ImageCheck, inShell } from "./image-facts.ts";
import { knockPort } from "./knock-port.ts";

export type ReadinessOptions = {
  plan: ContainerPlan;
  socket: string;
  id: string;
  image: ImageCheck | undefined;
  clock: Clock;
  /** Ends all of it. */
  signal: AbortSignal;
  ready(): void;
  unready(why: string): void;
  /** A sentence on what is waited for. */
  status(text: string): void;
};

/** Milliseconds between two checks of one that is not ready, at most; and between two knocks. */
const eager = 500;
const knockPeriod = 100;

/** Milliseconds after which one without port and check is ready. */
const oldEnough = 1000;

/** Milliseconds until it is said what is waited for. */
const tellAfter = 2000;

type Check = { kind: "inside"; words: readonly string[] } | { kind: "port"; port: number };
type Times = Pick<HealthCheck, "interval" | "timeout" | "retries" | "startPeriod">;

export async function watchReadiness(options: ReadinessOptions): Promise<void> {
  const { plan, clock, signal, ready, image } = options;
  const { check, port, readiness } = plan;
  if (readiness === "asked") return;
  if (check?.ask.kind === "command") {
    await watchCheck({ kind: "inside", words: inShell(check.ask.command) }, check, options);
  } else if (check?.ask.kind === "tcp" && port !== undefined) {
    await watchCheck({ kind: "port", port }, check, options);
  } else if (image !== undefined) {
    await watchCheck({ kind: "inside", words: image.words }, image, options);
  } else if (port !== undefined && plan.spec.inside !== undefined) {
    const once = { interval: Number.POSITIVE_INFINITY, timeout: 1000, retries: 1, startPeriod: 0 };
    await watchCheck({ kind: "port", port }, once, options);
  } else {
    await pause(oldEnough, { clock, signal });
    if (!signal.aborted) ready();
  }
}

async function watchCheck(check: Check, times: Times, options: ReadinessOptions): Promise<void> {
  const { clock, signal, ready, unready, status } = options;
  const begun = clock.now();
  let isReady = false;
  let failures = 0;
  let told = "";
  while (!signal.aborted) {
    const { result, isOver } = ask(check, times, options);
    const found = await result;
    if (signal.aborted) return;
    if (found.kind === "well") {
      failures = 0;
      if (!isReady) ready();
      isReady = true;
      if (!Number.isFinite(times.interval)) return;
    } else if (isReady) {
      if (clock.now() - begun >= times.startPeriod) failures++;
      if (failures >= Math.max(1, times.retries)) {
        isReady = false;
        unready(found.why);
      }
    } else if (clock.now() - begun >= tellAfter && found.why !== told) {
      told = found.why;
      status(`waits to be ready: ${found.why}`);
    }
    // Engines cannot end a check that takes too long: the next one begins after it.
    await isOver;
    const short = check.kind === "port" ? knockPeriod : Math.min(eager, times.interval);
    await pause(isReady ? times.interval : short, { clock, signal });
  }
}

function ask(
  check: Check,
  { timeout }: Times,
  { socket, id, clock, signal }: ReadinessOptions,
): { result: Promise<Inside>; isOver: Promise<void> } {
  if (check.kind === "inside") {
    return checkInside({ socket, clock, signal }, { id, words: check.words, timeout });
  }
  const result = knockPort(check.port, { clock, signal }).then<Inside>((knocked) =>
    knocked.kind === "answers" ? { kind: "well" } : { kind: "ill", why: knocked.why },
  );
  return { result, isOver: Promise.resolve() };
}

/** Resolves earlier where the signal comes. */
function pause(
  delay: number,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel: Cancel = clock.after(delay, resolve);
  signal.addEventListener("abort", () => resolve(), { once: true });
  return promise.finally(cancel);
}
