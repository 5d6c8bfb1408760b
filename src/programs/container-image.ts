/** An order for a container with a build, and an engine -> its image there; alone, where nothing else is ordered. */
import { randomUUID } from "node:crypto";
import { builtByBuilder } from "../containers/build/builder-build.ts";
import { type Built, builtImage } from "../containers/build/built-image.ts";
import { imageLabels, imageTag } from "../containers/build/image-tag.ts";
import type { ChosenEngine, Engine } from "../containers/runs/choose-engine.ts";
import type { ContainerPlan } from "../containers/runs/container-plan.ts";
import { noteEngine } from "../containers/runs/engine-notes.ts";
import type { ContainerSpec } from "../manifest/types/own.ts";
import { systemClock } from "../system/clock.ts";
import type { Running } from "./running.ts";

export type ImageMaking = {
  engine: Engine;
  signal: AbortSignal;
  status(text: string): void;
  labels: ContainerPlan["labels"];
  /** Variables of the person's shell. */
  person: Readonly<Record<string, string>>;
};

export function makeImage({ order, env, say }: Running, its: ImageMaking): Promise<Built> {
  const { engine, signal, status, labels, person } = its;
  const { build, pull } = order.own as ContainerSpec;
  const name = imageTag({ ...order, digest });
  if (build?.kind === "builder") {
    const variables = order.variables.filter((one) => env[one] !== undefined);
    return builtByBuilder({
      ...{ engine, build, pull, name, project: order.project, labels, person, signal, say },
      declared: Object.fromEntries(variables.map((one) => [one, env[one]!])),
      clean: order.clean,
      ...{ clock: systemClock, onProgress: status },
      noteEngine: (socket) => noteEngine(order.engineNotes, socket),
    });
  }
  return builtImage({
    ...{ socket: engine.socket, build: build!, signal, say, clock: systemClock },
    ...{ tag: name, labels: imageLabels({ ...order, digest }), onProgress: status },
  });
}

export type AloneOptions = Pick<ImageMaking, "person" | "status"> & {
  chooseEngine(signal: AbortSignal): Promise<ChosenEngine>;
};

/** Resolves with an exit code: nothing is started. */
export async function makeImageAlone(
  running: Running,
  { chooseEngine, ...rest }: AloneOptions,
): Promise<number> {
  const { order, env, cannot } = running;
  if ((order.own as ContainerSpec).build === undefined) return 0;
  const abort = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.on(signal, () => abort.abort());
  }
  const { signal } = abort;
  const chosen = await chooseEngine(signal);
  if (signal.aborted) return interrupted;
  if (chosen.kind === "none") return cannot(chosen.why, { passing: chosen.isThere });
  const { owner, directory, service, routeName } = order;
  const run = env[runVariable] ?? randomUUID();
  const labels = { run, owner, directory, service, routeName };
  const built = await makeImage(running, { engine: chosen.engine, labels, signal, ...rest });
  if (built.kind === "cancelled") return interrupted;
  return built.kind === "failed" ? cannot(built.why, built) : 0;
}

/** The variable by which the supervisor finds what a run has started. */
export const runVariable = "LOCALHOSTESS_RUN_ID";

/** As of a program that SIGINT has ended. */
const interrupted = 130;

function digest(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 8);
}
