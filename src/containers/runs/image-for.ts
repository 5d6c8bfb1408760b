/** A container's plan -> its image: the one that is there, a pulled one, or a built one. Never rejects. */
import type { Clock } from "../../system/clock.ts";
import type { Engine } from "./choose-engine.ts";
import type { ContainerPlan } from "./container-plan.ts";
import type { ImageFacts } from "./image-facts.ts";
import { findImage, type Pulled, pullImage } from "./pull-image.ts";

export type ImageOptions = {
  engine: Engine;
  clock: Clock;
  signal: AbortSignal;
  /** Makes the image of `spec.build`. */
  build(engine: Engine, signal: AbortSignal): Promise<Built>;
  /** `pulling redis:7: 34 %`. */
  status(text: string): void;
  /** A line in the service's log. */
  say(text: string): void;
};

export type Built =
  /** `ran`: false where it was there already. */
  | { kind: "built"; id: string; ran?: boolean }
  | { kind: "cancelled" }
  | { kind: "failed"; why: string; passing: boolean };

export type ImageFor =
  | { kind: "image"; image: ImageFacts }
  | { kind: "cancelled" }
  /** `why` is a sentence. `isUnreached`: the engine does not answer. */
  | { kind: "cannot"; why: string; passing: boolean; isUnreached: boolean };

/** An engine's words where no other try gets the image. */
const unknown = /not found|denied|unknown|unauthorized|invalid reference/i;

export async function imageFor(
  { spec }: Pick<ContainerPlan, "spec">,
  options: ImageOptions,
): Promise<ImageFor> {
  const { engine, signal, build } = options;
  if (spec.build !== undefined) {
    const built = await build(engine, signal);
    if (built.kind === "built") return await inspected(built.id, options);
    return built.kind === "cancelled" ? built : cannot(built.why, built);
  }
  return await namedImage({ image: spec.image!, pull: spec.pull, what: "image" }, options);
}

export type NamedImage = {
  image: string;
  pull: ContainerPlan["spec"]["pull"];
  /** The word for it in sentences. */
  what: "image" | "builder" | "run image";
};

/** The one that is there, or a pulled one. */
export async function namedImage(
  { image, pull, what }: NamedImage,
  options: Omit<ImageOptions, "build">,
): Promise<ImageFor> {
  const { engine, clock, signal, status, say } = options;
  const { socket } = engine;
  const found = await findImage({ socket, clock, signal }, image);
  if (found.kind === "image" && pull !== "always") return found;
  if (found.kind !== "image" && found.kind !== "absent") {
    const isUnreached = found.kind !== "refused";
    const why = `its ${what} ${image} cannot be looked for: ${found.why}`;
    return cannot(why, { passing: true, isUnreached });
  }
  if (pull === "never") {
    if (found.kind === "image") return found;
    const why = `its ${what} ${image} is not there, and pull = "never" keeps it from being pulled`;
    return cannot(why, { passing: false });
  }
  const pulled = await pullImage({ socket, image, clock, signal, onProgress: status });
  if (pulled.kind === "cancelled") return pulled;
  if (pulled.kind === "pulled") {
    say(`pulled ${image}`);
    return await inspected(image, options);
  }
  // An old one is better than none where nobody can be asked.
  if (found.kind === "image") {
    say(`${image} cannot be pulled, and the one that is there is used: ${pulled.why}`);
    return found;
  }
  return notPulled(`its ${what} ${image}`, pulled);
}

function notPulled(
  what: string,
  pulled: Exclude<Pulled, { kind: "pulled" | "cancelled" }>,
): ImageFor {
  const isUnknown = pulled.kind === "refused" && unknown.test(pulled.why);
  const why = `${what} cannot be pulled: ${pulled.why}`;
  return cannot(why, { passing: !isUnknown, isUnreached: pulled.kind !== "refused" });
}

async function inspected(
  image: string,
  { engine: { socket }, clock, signal }: Omit<ImageOptions, "build">,
): Promise<ImageFor> {
  const found = await findImage({ socket, clock, signal }, image);
  if (found.kind === "image") return found;
  const isUnreached = found.kind === "failed" || found.kind === "late";
  const why = found.kind === "absent" ? "it is not there after it was made" : found.why;
  return cannot(`its image ${image} cannot be used: ${why}`, { passing: true, isUnreached });
}

function cannot(
  why: string,
  { passing, isUnreached = false }: { passing: boolean; isUnreached?: boolean },
): ImageFor {
  return { kind: "cannot", why, passing, isUnreached };
}
