/** `localhostess server stop` -> no daemon: asked to end, waited for, and signalled only where nothing else helps. */
import { accepts, ask as askSocket } from "../../control/found/client.ts";
import { type Alive, isAlive } from "../../control/found/connect.ts";
import { httpRequest } from "../../control/found/http-request.ts";
import { type Probed, probe } from "../../control/found/probe.ts";
import { shutdownPath } from "../../control/found/protocol.ts";
import { readCredential } from "../../control/found/credential.ts";
import { endpointOf, type Registration } from "../../control/found/registration.ts";
import { listed } from "../../text/list.ts";
import { printable } from "../../text/printable.ts";
import { systemClock } from "../../system/clock.ts";
import { type Flags, type Settings, settingsOf, type SettingsOptions } from "../shared/settings.ts";
import { caseOf, outcomeOf, wordsFor } from "../shared/daemon-answers.ts";
import { findRunning, daemonFailure } from "../shared/daemon-here.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import type { World } from "../shared/world.ts";

/** Milliseconds: requests in progress have ten seconds. Services that are ending have all the time they were given. */
const usualPatience = 15_000;
/** Milliseconds after the signal, which ends a drain at once. */
const lastPatience = 2_000;
const pollEvery = 50;
/** Milliseconds between two questions for what the daemon still waits. */
const askEvery = 1_000;

export type StopOptions = SettingsOptions & {
  /** Milliseconds without a service that is ending, until the daemon is signalled. */
  patience?: number;
};

export async function serverStop(
  flags: Flags,
  world: World,
  { patience = usualPatience, ...options }: StopOptions = {},
): Promise<number> {
  const settings = await settingsOf(flags, world, options);
  const found = await findRunning(settings, { world, mentions: false, bySocket: false });
  const { dim } = world.err.colors;
  const outcome = outcomeOf(found, "end");
  if (outcome === "refuse") throw daemonFailure(found, settings);
  const tell = (text: string): void => void world.err.write(`${dim(text)}\n`);
  if (outcome === "await") {
    if (!(await ends({ settings, patience, tell }))) throw daemonFailure(found, settings);
    tell("the daemon has stopped");
    if (settings.json) printJson(world, { stopped: true, pid: null });
    return 0;
  }
  if (outcome === "done" || !isAlive(found)) {
    tell(caseOf(wordsFor(found, settings)!));
    if (settings.json) printJson(world, { stopped: false, pid: null });
    return 0;
  }
  const { pid } = found.handshake;
  const credential = readCredential(settings.stateDirectory);
  if (credential.kind === "credential") await ask(found, credential.value);
  if (!(await goes({ found, settings, patience, tell }))) {
    // The daemon has just proved again that the process is the one in the record.
    process.kill(pid, "SIGTERM");
    if (!(await goes({ found, settings, patience: lastPatience, tell: undefined }))) {
      throw new Failure(
        "not_stopped",
        `the daemon (pid ${pid}) does not stop; to kill it: kill -9 ${pid}`,
      );
    }
  }
  if (settings.json) printJson(world, { stopped: true, pid });
  else world.out.write(`stopped localhostess (pid ${pid})\n`);
  return 0;
}

/** The probe has proved that the daemon is ours, so it may see the credential. */
async function ask({ registration }: Alive, credential: string): Promise<void> {
  const endpoint = endpointOf(registration.url);
  if (endpoint === undefined) return;
  // The answer does not matter, only whether the daemon goes.
  await httpRequest({
    ...endpoint,
    method: "POST",
    path: shutdownPath,
    fields: { Authorization: `Bearer ${credential}` },
    body: "{}",
    deadline: 1_000,
    clock: systemClock,
  });
}

type Going = {
  found: Alive;
  settings: Settings;
  /** Milliseconds. */
  patience: number;
  /** Says what the daemon still waits for; undefined: it was told to end at once. */
  tell: ((text: string) => void) | undefined;
};

/** Whether the daemon is gone in time. False only after a probe proved that it is still there. */
async function goes({ found, settings, patience, tell }: Going): Promise<boolean> {
  const { registration } = found;
  let end = performance.now() + patience;
  let nextQuestion = performance.now() + askEvery;
  let said: string | undefined;
  for (;;) {
    const credential = readCredential(settings.stateDirectory);
    // Without a credential nothing can be proved, so no process may be signalled.
    const probed =
      credential.kind === "credential"
        ? await probe(registration, credential.value)
        : await unproved(registration);
    const { kind } = probed;
    if (kind === "dead" || kind === "another") return true;
    // Anybody may have the port by now. Whoever has the socket is a process of ours, and may be the daemon.
    if (kind === "stranger" && probed.by === "port") return true;
    const now = performance.now();
    if (tell !== undefined && (now >= nextQuestion || now >= end)) {
      nextQuestion = now + askEvery;
      const ending = await servicesEnding(registration.socket);
      if (ending.length > 0) end = now + patience;
      const text = waitsFor(ending);
      if (text !== said && now < end) {
        tell(`the daemon (pid ${found.handshake.pid}) is stopping: ${text}`);
        said = text;
      }
    }
    if (now >= end) {
      if (kind === "healthy" || kind === "other-protocol") return false;
      const { pid } = found.handshake;
      throw new Failure(
        "not_stopped",
        `the daemon (pid ${pid}) was asked to stop, and does not answer any more; to kill it: kill -9 ${pid}`,
      );
    }
    await Bun.sleep(pollEvery);
  }
}

/** Whether a daemon without a record, which another command has told to end, does so in time. */
async function ends({ settings, patience, tell }: Omit<Going, "found">): Promise<boolean> {
  const { socket } = settings;
  let end = performance.now() + patience;
  let said: string | undefined;
  while (await accepts({ unix: socket }, { deadline: askEvery })) {
    const ending = await servicesEnding(socket);
    const now = performance.now();
    if (ending.length > 0) end = now + patience;
    else if (now >= end) return false;
    const text = waitsFor(ending);
    if (text !== said) tell?.(`the daemon is stopping already: ${text}`);
    said = text;
    await Bun.sleep(pollEvery);
  }
  return true;
}

/** As far as can be told without a credential. */
async function unproved({ socket }: Registration): Promise<Probed> {
  const why = "there is no credential";
  return (await accepts({ unix: socket }, { deadline: askEvery }))
    ? { kind: "silent", why, by: "socket" }
    : { kind: "dead", why };
}

/** The services that have not ended, by id. None where the daemon does not tell. */
async function servicesEnding(socket: string): Promise<string[]> {
  type Row = { name: string; project?: unknown; state?: string };
  const asked = await askSocket<{ Status?: readonly Row[] }>(socket, "Status", {
    deadline: askEvery,
  });
  if (asked.kind === "failed") return [];
  const rows = asked.value.Status ?? [];
  return rows.filter(({ state = "" }) => living.includes(state)).map(({ name }) => name);
}

/** States of a service that has a process. One that runs a `before_stop` is not stopping yet. */
const living = ["starting", "running", "ready", "unready", "stopping"];

function waitsFor(ending: readonly string[]): string {
  if (ending.length === 0) return "requests in progress have ten seconds to finish";
  const names = listed(
    ending.map((name) => printable(name, 100)),
    { most: 8 },
  );
  return `${names} ${ending.length === 1 ? "is" : "are"} still ending (stop_timeout)`;
}
