/** An order for a container with a build, and an engine -> its image there; alone, where nothing else is ordered. */
import { randomUUID } from "node:crypto";
import { userInfo } from "node:os";
import { join } from "node:path";
import { builtByBuilder } from "../containers/build/builder-build.ts";
import { builtImage } from "../containers/build/built-image.ts";
import { imageLabels, imageTag } from "../containers/build/image-tag.ts";
import { type ChosenEngine, chooseEngine, type Engine } from "../containers/runs/choose-engine.ts";
import type { ContainerPlan } from "../containers/runs/container-plan.ts";
import { noteEngine, notedEngines } from "../containers/runs/engine-notes.ts";
import type { Built } from "../containers/runs/image-for.ts";
import { clientOf } from "../containers/runs/one-off-clients.ts";
import { findImage } from "../containers/runs/pull-image.ts";
import { builtVariable, type Order } from "../manifest/order.ts";
import type { ContainerSpec } from "../manifest/types/own.ts";
import { systemClock } from "../system/clock.ts";
import { lockInTurn } from "../system/file-lock.ts";
import type { Running } from "./running.ts";

export type ImageMaking = {
  engine: Engine;
  signal: AbortSignal;
  status(text: string): void;
  labels: ContainerPlan["labels"];
  /** Variables of the person's shell. */
  person: Readonly<Record<string, string>>;
};

export async function makeImage(
  running: Pick<Running, "order" | "env" | "say">,
  its: ImageMaking,
): Promise<Built> {
  const { order, env, say } = running;
  const { engine, signal, status, person } = its;
  const { build, pull } = order.own as ContainerSpec;
  const service = builtOf(order);
  const labels = { ...its.labels, service };
  const of = { ...order, service, digest };
  const name = imageTag(of);
  if (build?.kind !== "builder") {
    const last =
      env[builtVariable] === undefined || order.clean ? undefined : await lastOf(name, its);
    if (last !== undefined) return { kind: "built", id: last, ran: false };
    return await builtImage({
      ...{ socket: engine.socket, build: build!, signal, say, clock: systemClock },
      ...{ tag: name, labels: imageLabels(of), onProgress: status },
    });
  }
  const noting = (socket: string): Promise<void> => noteEngine(order.engineNotes, socket);
  await noting(engine.socket);
  // One build of a service at a time: a start's, that of a change, and one at a terminal.
  const turn = await lockInTurn(join(order.engineNotes, `${digest(name)}.turn`), {
    signal,
    onWait: () => status("building: waits for another build of the same service"),
  });
  if (turn === undefined) return { kind: "cancelled" };
  const variables = order.variables.filter((one) => env[one] !== undefined);
  try {
    return await builtByBuilder({
      ...{ engine, build, pull, name, project: order.project, labels, person, signal, say },
      declared: Object.fromEntries(variables.map((one) => [one, env[one]!])),
      ...{ clean: order.clean, clock: systemClock, onProgress: status, noteEngine: noting },
    });
  } finally {
    turn.release();
  }
}

/** The service whose image it is: several instances share one. */
export function builtOf({ service, instanceOf }: Pick<Order, "service" | "instanceOf">): string {
  return instanceOf ?? service;
}

export type AloneOptions = Pick<ImageMaking, "status" | "signal">;

/** Nothing is started. An image that is not built is `built` already. */
export async function imageAlone(
  running: Pick<Running, "order" | "env" | "say">,
  { status, signal }: AloneOptions,
): Promise<Built> {
  const { order, env } = running;
  const { build, image } = order.own as ContainerSpec;
  if (build === undefined) return { kind: "built", id: image!, ran: false };
  const chosen = await engineOf(running, signal);
  if (signal.aborted) return { kind: "cancelled" };
  if (chosen.kind === "none") return { kind: "failed", why: chosen.why, passing: chosen.isThere };
  const { owner, directory, service, routeName } = order;
  const run = env[runVariable] ?? randomUUID();
  const client = env[runVariable] === undefined ? clientOf(process.pid) : undefined;
  const labels = { run, owner, directory, service, routeName, client };
  const person = personOf(running).env;
  return await makeImage(running, { engine: chosen.engine, labels, signal, status, person });
}

/** The image that was built last: a build that fails leaves its name alone. */
async function lastOf(name: string, { engine, signal }: ImageMaking): Promise<string | undefined> {
  const { socket } = engine;
  const found = await findImage({ socket, signal, clock: systemClock }, name);
  return found.kind === "image" ? found.image.id : undefined;
}

/** The person whose engine is asked. Variables of the file are for the program inside: DOCKER_HOST, too. */
export function personOf({ order, env }: Pick<Running, "order" | "env">): {
  env: Record<string, string>;
  home: string;
} {
  const { variables } = order;
  const own = Object.fromEntries(Object.entries(env).filter(([name]) => !variables.includes(name)));
  return { env: own, home: own.HOME ?? userInfo().homedir };
}

export async function engineOf(
  running: Pick<Running, "order" | "env">,
  signal: AbortSignal,
): Promise<ChosenEngine> {
  const { engines, engineNotes } = running.order;
  const chosen = await chooseEngine({
    ...{ only: engines, signal, ...personOf(running) },
    ...{ uid: process.getuid?.() ?? 0, clock: systemClock },
  });
  // One that was there before comes back, mostly: engines are restarted and updated.
  const mayCome = chosen.kind === "none" && notedEngines(engineNotes).length > 0;
  return mayCome ? { ...chosen, isThere: true } : chosen;
}

/** The variable by which the supervisor finds what a run has started. */
export const runVariable = "LOCALHOSTESS_RUN_ID";

function digest(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 8);
}
