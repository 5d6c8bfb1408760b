/** `localhostess build [service]` -> services that are built, here at the terminal, and not started. */
import { realpath } from "node:fs/promises";
import { constants } from "node:os";
import { buildLogPath } from "../../build/build-log.ts";
import type { Order } from "../../manifest/order.ts";
import { buildService } from "../../programs/build-service.ts";
import type { Running } from "../../programs/running.ts";
import type { ServiceBuild } from "../../supervisor/project/service-build.ts";
import { shownDuration } from "../../text/duration.ts";
import { printable } from "../../text/printable.ts";
import { ensureDaemon, tellStarted } from "../shared/daemon-here.ts";
import { definedOf } from "../shared/defined.ts";
import { exitCode } from "../shared/exit-code.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { shownFolder } from "../shared/rows.ts";
import { type Flags, settingsOf } from "../shared/settings.ts";
import type { StopSignal, World } from "../shared/world.ts";
import { answerOf, knownOf, type Row } from "./asking.ts";
import { folderHere } from "./here.ts";
import { rowsNamed } from "./named.ts";
import { type MeantOptions, serviceMeant } from "./service-meant.ts";

export type BuildFlags = Flags & { clean?: boolean };

/** A service, as `--json` has it. */
export type BuildReport = {
  /** `shop:web`. */
  service: string;
  built: boolean;
  /** False where nothing had changed. */
  ran: boolean;
  seconds: number;
  /** The types of processes that its buildpacks declare. */
  processes: readonly string[];
  why: string | null;
};

export async function build(
  word: string | undefined,
  flags: BuildFlags,
  world: World,
): Promise<number> {
  const settings = await settingsOf(flags, world);
  const daemon = await ensureDaemon({ flags: {}, settings, world });
  tellStarted(daemon, world);
  const builds = await buildsOf(word, { socket: daemon.registration.socket, world });
  const ending = new AbortController();
  let endedBy: StopSignal | undefined;
  const cancel = world.onSignal((signal) => {
    endedBy ??= signal;
    ending.abort();
  });
  const reports: BuildReport[] = [];
  try {
    for (const its of builds) {
      reports.push(await report(its, { flags, world, signal: ending.signal }));
      if (endedBy !== undefined) break;
    }
  } finally {
    cancel();
  }
  if (flags.json) printJson(world, { services: reports });
  if (endedBy !== undefined) return 128 + constants.signals[endedBy];
  return reports.every(({ built }) => built) ? exitCode.done : exitCode.failed;
}

/** @throws an Error for a person, where nothing is built. */
async function buildsOf(
  word: string | undefined,
  { socket, world }: { socket: string; world: World },
): Promise<readonly ServiceBuild[]> {
  const { rows, servers } = await knownOf(socket);
  const env = definedOf(world.env);
  const meant =
    word === undefined
      ? { project_path: await realpath(await folderHere(world, rows)) }
      : ((await wholeProject(word, { rows, servers, world })) ??
        (await serviceMeant(word, { rows, servers, world })));
  const asked = { GetBuilds: { ...meant, env } };
  const { Builds: builds } = await answerOf<{ Builds: ServiceBuild[] }>(socket, asked);
  if (builds.length > 0) return builds;
  const how = 'to build one before it starts, give it a build, such as build = "npm run build"';
  if (word !== undefined) throw new Failure("not_found", `${word} has no build; ${how}`);
  throw new Failure("not_found", `no service of this project has a build; ${how}`);
}

/** How the daemon is asked about a project. Undefined: the word names none, or one service. */
async function wholeProject(
  word: string,
  lookup: MeantOptions,
): Promise<{ project_path: string } | undefined> {
  let named: readonly Row[];
  try {
    named = await rowsNamed([word], lookup);
  } catch {
    // Looking for one service tells whatever is wrong with the word.
    return undefined;
  }
  const { path } = named[0]!;
  const all = lookup.rows.filter((row) => row.path === path);
  const isWhole = all.length > 1 && named.length === all.length;
  return isWhole && named.every((row) => row.path === path) ? { project_path: path } : undefined;
}

type ReportOptions = { flags: BuildFlags; world: World; signal: AbortSignal };

async function report(
  { service, env, order: text }: ServiceBuild,
  { flags, world, signal }: ReportOptions,
): Promise<BuildReport> {
  const order: Order = {
    ...(JSON.parse(text) as Order),
    ...{ only: "build", clean: flags.clean === true },
  };
  const { colors } = world.err;
  const name = printable(service, 100);
  const say = (line: string): void => void (flags.json ? world.err : world.out).write(`${line}\n`);
  let told = "";
  const tell = (words: string): void => {
    const is = words.replace(/^builds: /, "");
    if (is === "" || is === told) return;
    told = is;
    world.err.write(`${colors.bold(name)}: ${is}\n`);
  };
  const begin = performance.now();
  const done = await ranBy(
    { order, env: { ...definedOf(world.env), ...env } },
    { tell, say, signal },
  );
  const took = performance.now() - begin;
  const { why, ran } = done;
  const end =
    why !== null
      ? colors.red(why)
      : ran
        ? `${colors.green("built")} in ${shownDuration(took)}`
        : "nothing has changed since the last build";
  world.err.write(`${why === null ? "" : "localhostess: "}${colors.bold(name)}: ${end}\n`);
  if (why !== null && order.build !== undefined && !signal.aborted) {
    const path = shownFolder(buildLogPath(order.build.place), world.home);
    world.err.write(`its output is kept in ${path}\n`);
  }
  return { service, built: why === null, ...done, seconds: Math.round(took) / 1000, why };
}

type Effects = { tell(text: string): void; say(line: string): void; signal: AbortSignal };

type Done = Pick<BuildReport, "ran" | "processes" | "why">;

async function ranBy(its: Pick<Running, "order" | "env">, effects: Effects): Promise<Done> {
  if (its.order.own.kind === "container") return await imageBy(its, effects);
  const built = await buildService(its, { ...effects, now: Date.now });
  switch (built.kind) {
    case "built":
      return {
        ran: built.ran,
        processes: built.launchable?.processes.map(({ type }) => type) ?? [],
        why: null,
      };
    case "failed":
      return { ran: true, processes: [], why: built.why };
    case "ended":
      return { ran: true, processes: [], why: "its build was ended" };
  }
}

async function imageBy(
  its: Pick<Running, "order" | "env">,
  { tell, say, signal }: Effects,
): Promise<Done> {
  const { imageAlone } = await import("../../programs/container-image.ts");
  const built = await imageAlone({ ...its, say }, { status: tell, signal });
  const processes: string[] = [];
  switch (built.kind) {
    case "built":
      return { ran: built.ran ?? true, processes, why: null };
    case "failed":
      return { ran: true, processes, why: built.why };
    case "cancelled":
      return { ran: true, processes, why: "its build was ended" };
  }
}
