/** A service and the command that builds it -> a task, and how each of its runs has ended. */
import type { ServiceSpec } from "../../manifest/project.ts";
import { endText } from "../../routes/state-sentence.ts";
import type { Supervised } from "../../routes/supervised.ts";
import { type Lifecycle, type LifecycleOptions, supervise } from "./lifecycle.ts";

/** `why` is a sentence without its end. */
export type BuildEnd = { kind: "built" } | { kind: "unbuilt"; why: string };

export type BuildTaskOptions = Omit<LifecycleOptions, "onChange"> & {
  /** `end`: it has just ended. */
  onNews(snapshot: Supervised, end: BuildEnd | undefined): void;
};

export function buildTask(spec: ServiceSpec, { onNews, ...options }: BuildTaskOptions): Lifecycle {
  let knownRun: string | undefined;
  const task = supervise(taskOf(spec), {
    ...options,
    onChange(its) {
      const runId = task.run()?.runId;
      if (runId !== knownRun) {
        knownRun = runId;
        // Noted for the next daemon, which ends what a killed one has left.
        options.onMembers();
      }
      onNews(its, endOf(its, { isRefused: task.isRefused }));
    },
  });
  return task;
}

function endOf(
  { state, why, lastExit }: Supervised,
  { isRefused }: { isRefused: boolean },
): BuildEnd | undefined {
  if (state === "completed") return { kind: "built" };
  if (state !== "failed") return undefined;
  // A program of our own has said why in a sentence.
  const isSaid = lastExit !== undefined && !why?.startsWith(endText(lastExit));
  if (isRefused || (isSaid && why !== undefined)) {
    return { kind: "unbuilt", why: why ?? "its build failed" };
  }
  return { kind: "unbuilt", why: `its build ${why}` };
}

/** The build ends, and is ready with that. */
function taskOf(spec: ServiceSpec): ServiceSpec {
  return {
    ...spec,
    type: "task",
    own: undefined,
    port: undefined,
    restart: "no",
    health: undefined,
    readyPattern: undefined,
    lazy: false,
    idleTimeout: undefined,
    watch: [],
  };
}
