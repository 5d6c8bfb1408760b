/** The name of an image -> the image in an engine, pulled where that is asked for. */
import type { Clock } from "../../system/clock.ts";
import { type Called, engineCall, engineStream } from "./engine-calls.ts";
import { type ImageFacts, imageFacts } from "./image-facts.ts";
import { PullProgress } from "./pull-progress.ts";

export type ImageFound =
  { kind: "image"; image: ImageFacts } | { kind: "absent" } | Exclude<Called, { kind: "answer" }>;

export type PullOptions = {
  socket: string;
  image: string;
  clock: Clock;
  signal: AbortSignal;
  /** `pulling redis:7: 34 % of 41 MiB`. At most once a second. */
  onProgress(text: string): void;
  /** The value of X-Registry-Auth; undefined: nobody in particular. */
  auth?: string | undefined;
};

/** Milliseconds for answers that an engine gives from what it knows. */
const quick = 30_000;

/** Milliseconds between two lines of progress. */
const tellPeriod = 1000;

/** Milliseconds of silence after which a pull is given up. A registry's own patience is a minute or two. */
const silence = 180_000;

type Finding = Pick<PullOptions, "socket" | "clock" | "signal">;

export async function findImage(options: Finding, image: string): Promise<ImageFound> {
  const found = await inspectImage(options, image);
  if (found.kind !== "value") return found;
  const facts = imageFacts(found.value);
  if (facts !== undefined) return { kind: "image", image: facts };
  return { kind: "failed", why: "its answer about the image has no id" };
}

export type ImageInspected =
  { kind: "value"; value: unknown } | { kind: "absent" } | Exclude<Called, { kind: "answer" }>;

/** All that the engine says of it. */
export async function inspectImage(
  { socket, clock, signal }: Finding,
  image: string,
): Promise<ImageInspected> {
  const path = `/images/${encodeURIComponent(image).replace(/%(?:2F|3A|40)/g, decodeURIComponent)}/json`;
  const answer = await engineCall(socket, { method: "GET", path, clock, deadline: quick, signal });
  if (answer.kind === "refused" && answer.status === 404) return { kind: "absent" };
  return answer.kind === "answer" ? { kind: "value", value: answer.value } : answer;
}

export type Pulled =
  { kind: "pulled" } | { kind: "cancelled" } | Exclude<Called, { kind: "answer" }>;

/** A name without a tag or digest is `latest`: without one, the engine would pull every tag there is. */
export function pulledName(image: string): string {
  if (image.includes("@")) return image;
  return /:[^/]*$/.test(image) ? image : `${image}:latest`;
}

export async function pullImage(options: PullOptions): Promise<Pulled> {
  const { socket, image, clock, signal, onProgress, auth } = options;
  const progress = new PullProgress();
  const abort = new AbortController();
  const given = () => abort.abort();
  signal.addEventListener("abort", given, { once: true });
  if (signal.aborted) abort.abort();
  let lastBytes = clock.now();
  let isSilent = false;
  const tell = () => {
    const text = progress.text;
    onProgress(`pulling ${image}${text === undefined ? "" : `: ${text}`}`);
  };
  tell();
  const cancel = clock.every(tellPeriod, () => {
    isSilent = clock.now() - lastBytes > silence;
    if (isSilent) abort.abort();
    else tell();
  });
  try {
    const streamed = await engineStream(socket, {
      method: "POST",
      path: `/images/create?fromImage=${encodeURIComponent(pulledName(image))}`,
      headers: auth === undefined ? {} : { "x-registry-auth": auth },
      clock,
      deadline: silence,
      signal: abort.signal,
      onBytes(bytes) {
        lastBytes = clock.now();
        progress.take(bytes);
      },
    });
    progress.end();
    if (streamed.kind === "cancelled" && isSilent) {
      return { kind: "late", why: `it has said nothing of ${image} for ${silence / 1000} s` };
    }
    if (streamed.kind !== "ended") return streamed;
    const { failure } = progress;
    return failure === undefined
      ? { kind: "pulled" }
      : { kind: "refused", status: 200, why: failure };
  } finally {
    cancel();
    signal.removeEventListener("abort", given);
  }
}
