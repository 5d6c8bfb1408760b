/** `localhostess db <verb> [service]` -> the managed store that is meant, and what a person is asked. */
import { realpath } from "node:fs/promises";
import type { StoreReport } from "../../control/commands/store-commands.ts";
import { systemClock } from "../../system/clock.ts";
import { listed } from "../../text/list.ts";
import { printable } from "../../text/printable.ts";
import { shownSize } from "../../text/size.ts";
import { ensureDaemon, tellStarted } from "../shared/daemon-here.ts";
import { definedOf } from "../shared/defined.ts";
import { Failure } from "../shared/failure.ts";
import { projectFolderOf } from "../shared/project-files.ts";
import { type Flags, settingsOf, UsageError } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import { answerOf, carriedOut, type Ended, knownOf } from "./asking.ts";
import { tellPending } from "./pending-note.ts";
import { progress } from "./progress.ts";
import { tellReasons } from "./reasons.ts";
import { type Meant, serviceMeant } from "./service-meant.ts";

export type DbFlags = Flags & { yes?: boolean };

export type StoreHere = {
  socket: string;
  /** How the daemon is asked about it. */
  asked: (Meant | { project_path: string }) & { env: Record<string, string> };
  store: StoreReport;
};

/** Milliseconds: its size is counted, file by file. */
const patience = 60_000;

/** Without a word, the only database of the project here. @throws an Error for a person. */
export async function storeHere(word: string | undefined, world: World): Promise<StoreHere> {
  const settings = await settingsOf({}, world);
  const daemon = await ensureDaemon({ flags: {}, settings, world });
  tellStarted(daemon, world);
  const { socket } = daemon.registration;
  const { rows, servers } = await knownOf(socket);
  tellPending(rows, world);
  const meant =
    word === undefined
      ? { project_path: await realpath(await projectFolderOf(undefined, world)) }
      : await serviceMeant(word, { rows, servers, world });
  const asked = { ...meant, env: definedOf(world.env) };
  return { socket, asked, store: await storeOf(socket, asked) };
}

export async function storeOf(socket: string, asked: StoreHere["asked"]): Promise<StoreReport> {
  const answer = await answerOf<{ Store: StoreReport }>(
    socket,
    { Store: asked },
    { deadline: patience },
  );
  return answer.Store;
}

/** @throws a Failure for a store of another kind. */
export function postgresOnly({ id, type }: StoreReport, verb: string): void {
  if (type === "postgres") return;
  throw new Failure("unsupported", `${verb} is for PostgreSQL only, and ${id} is ${type}`);
}

/** `shop:db (postgres 17, 40 MiB) in ~/shop`. */
export function describedStore({ id, type, version, size, directory }: StoreReport): string {
  const kind = version === null ? type : `${type} ${version}`;
  const holds = size === null ? "no data yet" : shownSize(size);
  return `${id} (${kind}, ${holds}) in ${printable(directory, 500)}`;
}

/**
 * Resolves where the person agrees, or has said so before. @throws UsageError where nobody can be asked, a Failure
 * where the person does not agree.
 */
export async function agreed(question: string, flags: DbFlags, world: World): Promise<void> {
  if (flags.yes === true) return;
  const answer = world.json === undefined ? await world.prompt(`${question} [y/N] `) : undefined;
  if (answer === undefined) {
    throw new UsageError([`${question} Say so with --yes, as nobody can be asked here`]);
  }
  if (!/^y(es)?$/i.test(answer.trim())) throw new Failure("declined", "nothing was changed");
}

/** Starts it where it is not up, and waits until it is ready. @throws a Failure where it is not. */
export async function readyStore(here: StoreHere, world: World): Promise<StoreReport> {
  const { socket, asked, store } = here;
  if (store.state === "ready") return store;
  const request = {
    Start: { project_path: store.directory, services: [store.service], env: asked.env },
  };
  const ended = await followed(socket, request, world);
  if (ended.kind === "failed") {
    tellReasons(ended.reasons.slice(0, -1), world.err);
    throw new Failure("not_ready", ended.reasons.at(-1) ?? `${store.id} is not ready`);
  }
  return await storeOf(socket, asked);
}

/** Carries out what takes a while, with its steps on stderr. */
export async function followed(socket: string, request: unknown, world: World): Promise<Ended> {
  const { err } = world;
  const steps = progress({ screen: err, clock: systemClock });
  const started = new Set<string>();
  const isTerminal = err.columns() !== undefined;
  let drawn = false;
  const erase = (): void => {
    if (drawn) err.write("\r\x1b[K");
    drawn = false;
  };
  const cancel = world.onSignal(() => {
    erase();
    steps.end();
    world.exit(130);
  });
  try {
    return await carriedOut(socket, request, {
      hear(event) {
        const { id } = event.data;
        if (event.type === "StepStarted") started.add(id);
        if (event.type !== "StepProgress" || started.has(id)) {
          erase();
          steps.hear(event);
          return;
        }
        if (!isTerminal) return;
        err.write(
          `\r\x1b[K${err.colors.dim(`${printable(id, 100)}: ${printable(event.data.message, 60)}`)}`,
        );
        drawn = true;
      },
    });
  } finally {
    cancel();
    erase();
    steps.end();
  }
}

/** Reports how it ended. */
export function reported(ended: Ended, world: World): number {
  if (ended.kind === "done") return 0;
  if (world.json !== undefined) world.json.code = "failed";
  tellReasons(ended.reasons, world.err);
  return 1;
}

export function oneOf(words: readonly string[]): string {
  return listed(words, { conjunction: "or" });
}
