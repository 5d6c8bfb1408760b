/** The order of a service that is built -> its build, alone in its place, with its lines in a log there. */
import { buildLog } from "../build/build-log.ts";
import { buildByCommand, commandText } from "../build/command-build.ts";
import { buildApp } from "../build/buildpacks/build-app.ts";
import type { BuildPhase, Launchable } from "../build/buildpacks/buildpack.ts";
import { lastBuilt } from "../build/buildpacks/launch.ts";
import { builtVariable, type Order } from "../manifest/order.ts";
import type { BuildpacksBuild, BuiltSpec, CommandBuild } from "../manifest/types/build.ts";
import { stateOfPlace } from "../stores/build-places.ts";
import { lockInTurn } from "../system/file-lock.ts";

export type BuildServiceEffects = {
  /** A few words about what is done: `builds: npm run build`. */
  tell(text: string): void;
  /** A line of the build. */
  say(line: string): void;
  /** Ends the build, and everything that it has started. */
  signal: AbortSignal;
  /** Milliseconds since the Unix epoch. */
  now(): number;
};

export type ServiceBuilt =
  /** `launchable`: for a build by buildpacks. `ran`: false where nothing had changed. */
  | { kind: "built"; ran: boolean; launchable: Launchable | undefined }
  /** `why`: a sentence that begins with `its build`. */
  | { kind: "failed"; why: string }
  | { kind: "ended" };

/** Variables of ours that are neither the build's nor the service's. */
export function withoutOurs(env: Readonly<Record<string, string>>): Record<string, string> {
  const { [builtVariable]: _, ...others } = env;
  return others;
}

/** Milliseconds between the starts of instances of one service, which need one build. */
const together = 2000;

type Running = { order: Order; env: Readonly<Record<string, string>> };

/** @throws where the place cannot be written. */
export async function buildService(
  { order, env }: Running,
  effects: BuildServiceEffects,
): Promise<ServiceBuilt> {
  const { build } = order.own as BuiltSpec;
  const { place } = order.build!;
  // A build beside a service is for a change that a build which had begun before may have missed.
  // So is a process that stands alone: a person may have edited something since the last build.
  const mayShare = order.only !== "build" && env.LOCALHOSTESS_INSTANCE !== undefined;
  const asked = order.asked ?? effects.now() - (mayShare ? together : 0);
  // One build at a time in a place: those of instances, of the person's terminal, and of a change of a file.
  const turn = await lockInTurn(`${place}/turn`, {
    signal: effects.signal,
    onWait: () => effects.tell("builds: waits for another build of the same service"),
  });
  if (turn === undefined) return { kind: "ended" };
  const log = buildLog(place);
  const write = (line: string): void => {
    log.write(Bun.stripANSI(line));
    effects.say(line);
  };
  const { NOTIFY_SOCKET: _, ...seen } = withoutOurs(env);
  const isBuilt = env[builtVariable] !== undefined && !order.clean;
  const options = { order, env: seen, effects, write, isBuilt, asked };
  try {
    return build.kind === "command"
      ? await byCommand(build, options)
      : await byBuildpacks(build, options);
  } finally {
    log.close();
    turn.release();
  }
}

type By = Running & {
  effects: BuildServiceEffects;
  write(line: string): void;
  isBuilt: boolean;
  /** Milliseconds since the Unix epoch: a build that began later is as good as one of its own. */
  asked: number;
};

async function byCommand(
  build: CommandBuild,
  { order, env, effects, write, isBuilt, asked }: By,
): Promise<ServiceBuilt> {
  const { directory, variables, clean } = order;
  const built = await buildByCommand(
    { ...order.build!, build, directory, env, variables, clean, isBuilt, asked },
    {
      begin: () => effects.tell(`builds: ${commandText(build)}`),
      ...{ write, signal: effects.signal, now: effects.now },
    },
  );
  return built.kind === "built" ? { ...built, launchable: undefined } : built;
}

async function byBuildpacks(
  { buildpacks, context }: BuildpacksBuild,
  { order, env, effects, write, isBuilt }: By,
): Promise<ServiceBuilt> {
  const { directory, cache, clean } = order;
  const { place } = order.build!;
  const without = [stateOfPlace(place), cache];
  const last = isBuilt ? lastBuilt(place) : undefined;
  if (last !== undefined) return { kind: "built", ran: false, launchable: last };
  const variables = Object.fromEntries(
    order.variables.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
  const built = await buildApp(
    { app: context, directory, place, cache, without, buildpacks, env, variables, clean },
    {
      phase: (phase: BuildPhase, buildpack?: string) =>
        effects.tell(`builds: ${phase}${buildpack === undefined ? "" : ` ${buildpack}`}`),
      ...{ write, signal: effects.signal },
    },
  );
  if (built.kind === "built") return built;
  if (effects.signal.aborted) return { kind: "ended" };
  return { kind: "failed", why: `its build failed while ${built.phase}: ${built.why}` };
}
