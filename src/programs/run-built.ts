/** The order of a service that is built -> its build, and then its command in the place of this process. */
import { constants } from "node:os";
import { join, relative } from "node:path";
import { launchOf } from "../build/buildpacks/launch.ts";
import { nothingToBuild } from "../manifest/order.ts";
import type { BuiltSpec } from "../manifest/types/build.ts";
import { withBytes } from "../system/byte-text.ts";
import { execInPlace } from "../system/exec-in-place.ts";
import { shellProgram } from "../system/shell-program.ts";
import { buildService, type ServiceBuilt, withoutOurs } from "./build-service.ts";
import type { Running } from "./running.ts";
import { statusTeller } from "./status-teller.ts";

const endSignals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/** Milliseconds in which a signal comes that has ended the build's own processes a moment before. */
const signalPatience = 300;

/** Resolves with an exit code, unless the service takes the place of this process. */
export async function runBuilt(running: Running): Promise<number> {
  const { order, notify, say, cannot } = running;
  const ending = new AbortController();
  let endedBy: (typeof endSignals)[number] = "SIGTERM";
  const onSignal = (signal: NodeJS.Signals): void => {
    endedBy = signal as typeof endedBy;
    ending.abort();
  };
  for (const signal of endSignals) process.on(signal, onSignal);
  const teller = statusTeller(notify);
  const { tell } = teller;
  const { signal } = ending;
  const built = await buildService(running, { tell, say, signal, now: Date.now });
  if (built.kind === "failed") await Promise.race([aborted(signal), Bun.sleep(signalPatience)]);
  if (signal.aborted || built.kind === "ended") return 128 + constants.signals[endedBy];
  if (built.kind === "failed") return cannot(built.why);
  if (order.only === "build") {
    if (!built.ran) notify(`STATUS=${nothingToBuild}`);
    return 0;
  }
  const launch = await launched(built, { running, signal });
  if (launch.kind === "cannot") return cannot(launch.why);
  if (signal.aborted) return 128 + constants.signals[endedBy];
  await written();
  teller.end();
  notify("X_BUILT=1");
  const why = execInPlace(launch);
  return cannot(`it could not be started: ${why}`);
}

type Launched =
  | {
      kind: "launch";
      words: readonly [string, ...string[]];
      env: Readonly<Record<string, string>>;
      workdir: string;
    }
  | { kind: "cannot"; why: string };

/** The command of the service, or the process of its build. */
async function launched(
  { launchable }: Extract<ServiceBuilt, { kind: "built" }>,
  { running, signal }: { running: Running; signal: AbortSignal },
): Promise<Launched> {
  const { order, say } = running;
  const { command } = order;
  const { place, shell, workdir } = order.build!;
  const env = withoutOurs(withBytes(running.env) as typeof running.env);
  const { build } = order.own as BuiltSpec;
  if (build.kind === "command" || launchable === undefined) {
    const program = shellProgram({ shell, env, workdir });
    if (program.kind === "none") return { kind: "cannot", why: program.why };
    return { kind: "launch", words: [program.path, ...shell.slice(1), command], env, workdir };
  }
  const options = { launchable, process: build.process, args: [], env, signal, write: say };
  if (command === "") return await launchOf(place, options);
  const launch = await launchOf(place, { ...options, words: [...shell, command] });
  if (launch.kind === "cannot") return launch;
  // The app that was built stands in its place: the service's own folder is there, too.
  const within = relative(build.context, workdir);
  const its = within.startsWith("..") ? launch.workdir : join(launch.workdir, within);
  return { ...launch, workdir: its, env: { ...launch.env, PWD: its } };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resume) => {
    if (signal.aborted) resume();
    signal.addEventListener("abort", () => resume());
  });
}

/** All that was said is with the supervisor: a program that is replaced writes nothing more. */
async function written(): Promise<void> {
  await new Promise<void>((resume) => void process.stdout.write("", () => resume()));
}
