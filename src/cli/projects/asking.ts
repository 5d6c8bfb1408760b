/** A request to the daemon -> its answer, the steps that it reports, or an error for a person. */
import { ask, follow } from "../../control/found/client.ts";
import type {
  BootEvent,
  FoundStatus,
  StatusRow,
  SupervisedStatus,
} from "../../routes/project-report.ts";
import { Failure } from "../shared/failure.ts";
import { type Flags, settingsOf } from "../shared/settings.ts";
import { runningDaemon } from "../shared/daemon-here.ts";
import { projectFolder } from "../../supervisor/project/read-project.ts";
import type { World } from "../shared/world.ts";

/** A row as `status --json` has it. */
export type Row = SupervisedStatus;

/** Milliseconds. The daemon answers from memory, without delay. */
const soon = 5_000;

/** The socket of the running daemon; undefined, and reported, where none is running. */
export async function daemonSocket(flags: Flags, world: World): Promise<string | undefined> {
  const running = await runningDaemon(await settingsOf(flags, world), world);
  if (running === undefined) tellNotRunning(world);
  const socket = running?.socket;
  if (socket !== undefined) await tellPlace(socket, world);
  return socket;
}

/** For a verb that asks the daemon, and starts none. */
export function tellNotRunning({ err, json }: Pick<World, "err" | "json">): void {
  if (json !== undefined) json.code = "not_running";
  err.write(
    "localhostess: the daemon is not running, and no service is; start both with: localhostess up\n",
  );
}

/** The folder here may be a project's that was moved: then the daemon goes on with it here. */
async function tellPlace(socket: string, world: World): Promise<void> {
  const directory = await projectFolder(world.cwd, world.home);
  // A daemon that does not know the command has nothing to go on with.
  await ask(socket, { RegistryFollow: { project_path: directory } }, { deadline: soon });
}

/** The services of all projects, by id. @throws an Error for a person. */
export async function rowsOf(socket: string): Promise<Row[]> {
  return (await knownOf(socket)).rows;
}

/** The services of all projects, by id, and servers that a person started by hand. @throws an Error for a person. */
export async function knownOf(socket: string): Promise<{ rows: Row[]; servers: FoundStatus[] }> {
  const { Status: all } = await answerOf<{ Status: StatusRow[] }>(socket, "Status");
  const isService = (row: StatusRow): row is Row => "project" in row;
  const rows = all.filter(isService).sort((one, other) => (one.name < other.name ? -1 : 1));
  return { rows, servers: all.filter((row) => !isService(row)) };
}

/** @throws an Error for a person, where the daemon refuses. */
export async function answerOf<T>(
  socket: string,
  request: unknown,
  { deadline = soon }: { deadline?: number } = {},
): Promise<T> {
  const asked = await ask<T>(socket, request, { deadline });
  if (asked.kind === "failed") throw new Failure(asked.code, asked.why);
  const { Error: refusal } = asked.value as { Error?: unknown };
  if (typeof refusal === "string") throw new Error(refusal);
  return asked.value;
}

/** How a lengthy request ended. `reasons` are sentences. */
export type Ended = { kind: "done" } | { kind: "failed"; reasons: readonly string[] };

export type CarriedOutOptions = {
  hear(event: BootEvent): void;
  /** True: a daemon that takes over is asked for the same, as asking twice changes nothing. */
  repeats?: boolean;
};

/** Daemons that are asked for the same, one after the other. */
const mostDaemons = 5;

/** Sends a request that takes a while, and reports its steps to `hear`. */
export async function carriedOut(
  socket: string,
  request: unknown,
  { hear, repeats = false }: CarriedOutOptions,
): Promise<Ended> {
  for (let left = repeats ? mostDaemons : 1; left > 0; left--) {
    const ended = await answered(socket, request, hear);
    if (ended !== undefined) return ended;
    // A daemon that was killed leaves nobody there; one that was replaced, the next one.
    if (left > 1 && (await ask(socket, "Status", { deadline: soon })).kind !== "reply") break;
  }
  return { kind: "failed", reasons: ["the daemon exited before it finished; its log may say why"] };
}

/** Undefined where the daemon went away before it had an answer. */
async function answered(
  socket: string,
  request: unknown,
  hear: (event: BootEvent) => void,
): Promise<Ended | undefined> {
  for await (const line of follow(socket, request)) {
    const said = JSON.parse(line) as unknown;
    if (typeof said !== "object" || said === null) return { kind: "done" };
    if ("type" in said) {
      hear(said as BootEvent);
      continue;
    }
    const { Error: refusal, error } = said as { Error?: string; error?: { message: string } };
    const reason = refusal ?? error?.message;
    return reason === undefined
      ? { kind: "done" }
      : { kind: "failed", reasons: reason.split("\n") };
  }
  return undefined;
}
