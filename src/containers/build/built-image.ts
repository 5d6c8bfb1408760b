/** A folder with a Dockerfile -> an image in the engine, with the build's output and progress on the way. */
import { basename } from "node:path";
import type { DockerfileBuild } from "../../manifest/types/own.ts";
import type { Clock } from "../../system/clock.ts";
import { printablePath } from "../../text/printable.ts";
import { shownSize } from "../../text/size.ts";
import { engineCall, engineStream } from "../runs/engine-calls.ts";
import { type BuildContext, readContext } from "./build-context.ts";
import { BuildOutput, contextNote, failureText, largeContext } from "./build-output.ts";
import { Unsendable } from "./folder-archive.ts";

export type BuildOptions = {
  socket: string;
  build: DockerfileBuild;
  /** The image's name, which is ours alone: `localhostess/shop-1f2e3d4c-web`. */
  tag: string;
  /** The image's, which containers inherit. */
  labels: Readonly<Record<string, string>>;
  clock: Clock;
  signal: AbortSignal;
  /** `building: step 3/7`, every second at least. */
  onProgress(text: string): void;
  /** A line of the build's output. */
  say(line: string): void;
};

export type Built =
  | { kind: "built"; id: string }
  | { kind: "cancelled" }
  /** `why` is a sentence; `passing`: the next try may be better, without a change of the files. */
  | { kind: "failed"; why: string; passing: boolean };

/** Milliseconds between two reports, each of which shows that it is still at work. */
const tellPeriod = 1000;
/** Milliseconds until the head of the answer: Docker sends it with the first step, after the whole context. */
const longestSending = 30 * 60_000;
const quick = 30_000;

/** Docker's first builder says of a RUN --mount and the like that only the second one can do it. */
const wantsBuildKit = /\bBuildKit\b/i;

/** Superseded images are those that our builds have made and that have lost their name to a newer one. */
export async function builtImage(options: BuildOptions): Promise<Built> {
  const { build, say, signal } = options;
  const read = await readContext({ ...build, note: say });
  if (read.kind === "bad") return { kind: "failed", why: read.why, passing: false };
  let built = await buildBy("classic", read.context, options);
  if (built.kind === "failed" && wantsBuildKit.test(built.why) && !signal.aborted) {
    say("built again with BuildKit, as its Dockerfile wants");
    built = await buildBy("BuildKit", read.context, options);
  }
  if (built.kind === "built") await removeSuperseded(options);
  return built;
}

async function buildBy(
  builder: "classic" | "BuildKit",
  context: BuildContext,
  { socket, build, tag, labels, clock, signal, onProgress, say }: BuildOptions,
): Promise<Built> {
  const output = new BuildOutput({ line: say });
  let size = 0;
  let fault: unknown;
  let isSent = false;
  async function* sent(): AsyncGenerator<Uint8Array> {
    try {
      for await (const bytes of context.archive()) {
        size += bytes.length;
        yield bytes;
      }
      isSent = true;
      if (size > largeContext) say(contextNote(size, { folder: printablePath(build.context) }));
    } catch (error) {
      fault = error;
      throw error;
    }
  }
  const tell = (): void => {
    const sending = isSent ? "" : ` (${shownSize(size)} sent)`;
    onProgress(output.text === undefined ? `building${sending}` : `building: ${output.text}`);
  };
  tell();
  const cancel = clock.every(tellPeriod, tell);
  const query = new URLSearchParams({
    ...{ dockerfile: context.dockerfile, t: tag, labels: JSON.stringify(labels) },
    ...{ buildargs: JSON.stringify(build.args), rm: "1", forcerm: "1" },
    ...(build.target === undefined ? {} : { target: build.target }),
    ...(builder === "BuildKit" ? { version: "2" } : {}),
  });
  const path = `/build?${query}`;
  let before = "";
  const streamed = await engineStream(socket, {
    ...{ method: "POST", path, body: sent(), clock, deadline: longestSending, signal },
    onBytes(bytes) {
      output.take(bytes);
      if (output.text !== before) tell();
      before = output.text ?? "";
    },
  });
  cancel();
  output.end();
  if (streamed.kind === "cancelled") return streamed;
  if (fault instanceof Unsendable) return { kind: "failed", why: fault.message, passing: false };
  if (fault !== undefined) throw fault;
  const dockerfile = basename(build.dockerfile);
  if (streamed.kind === "refused" || output.failure !== undefined) {
    if (streamed.kind === "refused") output.failure = streamed.why;
    return { kind: "failed", why: failureText({ output, dockerfile }), passing: false };
  }
  if (streamed.kind !== "ended" || output.image === undefined) {
    const why = streamed.kind === "ended" ? "the answer ended before the build did" : streamed.why;
    return { kind: "failed", why: `the engine has not built ${dockerfile}: ${why}`, passing: true };
  }
  return { kind: "built", id: output.image };
}

/** Images without a name that have our labels. One that a container is made of stays until that is gone. */
async function removeSuperseded({ socket, labels, clock, signal }: BuildOptions): Promise<void> {
  const label = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const filters = encodeURIComponent(JSON.stringify({ dangling: ["true"], label }));
  const limits = { clock, deadline: quick, signal };
  const path = `/images/json?filters=${filters}`;
  const found = await engineCall(socket, { method: "GET", path, ...limits });
  if (found.kind !== "answer" || !Array.isArray(found.value)) return;
  for (const { Id } of found.value as { Id?: unknown }[]) {
    if (typeof Id !== "string") continue;
    // A refusal (409: it is used) or no answer leaves it there for the next build.
    await engineCall(socket, { method: "DELETE", path: `/images/${Id}`, ...limits });
  }
}
