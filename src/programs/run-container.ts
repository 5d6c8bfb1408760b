/** An order for a container -> the container, for as long as this process runs; then its exit code. */
import { write } from "node:fs";
import type { ContainerPlan } from "../containers/runs/container-plan.ts";
import { ContainerRun } from "../containers/runs/container-run.ts";
import type { Terminal } from "../containers/runs/run-input.ts";
import { noteEngine } from "../containers/runs/engine-notes.ts";
import { type ContainerSpec, furtherPort } from "../manifest/types/own.ts";
import { systemClock } from "../system/clock.ts";
import { splitWords } from "../text/split-words.ts";
import { engineOf, imageAlone, makeImage, personOf, runVariable } from "./container-image.ts";
import type { Running } from "./running.ts";

/** Variables of ours that the program inside gets, too. */
const own = ["NAME", "LOCALHOSTESS_NAME", "LOCALHOSTESS_URL", "LOCALHOSTESS_INSTANCE", "INSTANCE"];

/** Milliseconds between two words that it is still at work, and the time that each of them gives it. */
const extendPeriod = 5000;
const extendBy = 60_000;

/** Milliseconds until bytes are written again to a pipe that is full. */
const fullPause = 5;

/** Exit code of one that somebody has ended, as of a program that SIGTERM has. */
const ended = 143;

export async function runContainer(running: Running): Promise<number> {
  const { order, env, notify, say, cannot } = running;
  const person = personOf(running);
  const status = (text: string): void => void notify(`STATUS=${text}`);
  if (order.only === "build") return await builtAlone(running, { status });
  const split = splitWords(order.command);
  if (split.kind === "bad") return cannot(`its command cannot be read: ${split.why}`);
  const runId = env[runVariable];
  if (runId === undefined) return cannot("its run has no id");
  const plan = planOf(running, { words: split.words, runId });
  const { labels } = plan;
  let isReady = false;
  const run = new ContainerRun(plan, {
    clock: systemClock,
    chooseEngine: (signal) => engineOf(running, signal),
    noteEngine: (socket) => noteEngine(order.engineNotes, socket),
    build: (engine, signal) =>
      makeImage(running, { engine, signal, status, labels, person: person.env }),
    status,
    ready() {
      isReady = true;
      notify("READY=1", "STATUS=");
    },
    unready: (why) => void notify(`X_UNREADY=${why}`),
    portOwners: (uids) => void notify(`X_PORT_OWNERS=${uids.join()}`),
    say,
    terminal: plan.tty && process.stdin.isTTY ? ownTerminal() : undefined,
    write: (stream, bytes) => writeAll(stream === "stdout" ? 1 : 2, bytes),
  });
  const cancel = systemClock.every(extendPeriod, () => {
    const isAtWork = !isReady && ["seeking", "clearing", "pulling", "creating"].includes(run.state);
    if (isAtWork || run.state === "removing") notify(`EXTEND_TIMEOUT_USEC=${extendBy * 1000}`);
  });
  // A terminal that hangs up is a daemon that has gone. A second signal finds it stopping already.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const)
    process.on(signal, () => run.stop());
  // A daemon that was killed reads no more: the container has to be ended all the same.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  const outcome = await run.run();
  cancel();
  switch (outcome.kind) {
    case "exited":
      return outcome.code;
    case "stopped":
      return 0;
    case "cannot":
      return cannot(outcome.why, { passing: outcome.passing });
  }
}

/** Resolves with an exit code. */
async function builtAlone(running: Running, { status }: { status(text: string): void }) {
  const abort = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.on(signal, () => abort.abort());
  }
  const built = await imageAlone(running, { status, signal: abort.signal });
  if (built.kind === "failed") return running.cannot(built.why, built);
  return built.kind === "built" ? 0 : ended;
}

/** Variables of the shell are not for the program inside: only those that the file declares, and what we give. */
export function planOf(
  { order, env }: Pick<Running, "order" | "env">,
  { words, runId }: { words: readonly string[]; runId: string },
): ContainerPlan {
  const declared = order.own as ContainerSpec;
  const ports = declared.ports.map((its) => ({
    ...its,
    outside: its.outside ?? order.ports[furtherPort(its)],
  }));
  const spec = { ...declared, ports, entrypoint: entrypointOf(declared, words) };
  const names = [...order.variables, ...own].filter((name) => env[name] !== undefined);
  const port = spec.inside === undefined ? {} : { PORT: String(spec.inside) };
  return {
    labels: {
      run: runId,
      owner: order.owner,
      directory: order.directory,
      service: order.service,
      routeName: order.routeName,
    },
    project: order.project,
    spec,
    words,
    // The port inside, where the one that the process here is given is published on this machine.
    env: { ...Object.fromEntries(names.map((name) => [name, env[name]!])), ...port },
    port: order.port,
    tty: order.pty,
    stopTimeout: order.stopTimeout,
    memory: order.memory,
    check: order.check,
    readiness: order.readiness,
  };
}

/** Words for an image by buildpacks are a command in the environment of its own processes. */
function entrypointOf({ build, entrypoint }: ContainerSpec, words: readonly string[]) {
  const isOwn = build?.kind === "builder" && words.length > 0;
  return entrypoint ?? (isOwn ? ["/cnb/lifecycle/launcher"] : undefined);
}

/** The terminal that the supervisor has given us. What is typed is the container's, which has a terminal of its own. */
function ownTerminal(): Terminal {
  const { stdin, stdout } = process;
  stdin.setRawMode(true);
  return {
    size: () => (stdout.columns > 0 ? { cols: stdout.columns, rows: stdout.rows } : undefined),
    hear({ onBytes, onResize }) {
      stdin.on("data", onBytes);
      stdout.on("resize", onResize);
      stdin.resume();
      return () => {
        stdin.off("data", onBytes);
        stdout.off("resize", onResize);
        stdin.pause();
      };
    },
  };
}

/** Whoever read it has gone: the container goes on, and nobody hears it. */
const isDeaf = new Set<number>();

/** Resolves when the bytes have gone: whoever reads slowly slows the container down. */
async function writeAll(descriptor: 1 | 2, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length && !isDeaf.has(descriptor);) {
    const { promise, resolve } = Promise.withResolvers<number | NodeJS.ErrnoException>();
    write(descriptor, bytes, at, bytes.length - at, null, (error, count) =>
      resolve(error ?? count),
    );
    const written = await promise;
    if (typeof written === "number") at += written;
    else if (written.code !== "EAGAIN") isDeaf.add(descriptor);
    else await new Promise<void>((resume) => void systemClock.after(fullPause, resume));
  }
}
