/** `localhostess server stop` -> no daemon: asked to end, waited for, and signalled only where nothing else helps. */
import type { Alive } from "../../control/found/connect.ts";
import { httpRequest } from "../../control/found/http-request.ts";
import { probe } from "../../control/found/probe.ts";
import { shutdownPath } from "../../control/found/protocol.ts";
import { readCredential } from "../../control/found/credential.ts";
import { endpointOf } from "../../control/found/registration.ts";
import { systemClock } from "../../system/clock.ts";
import { type Flags, type Settings, settingsOf } from "../shared/settings.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { findRunning } from "../shared/daemon-here.ts";
import type { World } from "../shared/world.ts";

/** Milliseconds: requests in progress have ten seconds. */
const usualPatience = 15_000;
/** Milliseconds after the signal, which ends a drain at once. */
const lastPatience = 2_000;
const pollEvery = 50;

export type StopOptions = {
  /** Milliseconds until the daemon is signalled. */
  patience?: number;
};

export async function serverStop(
  flags: Flags,
  world: World,
  { patience = usualPatience }: StopOptions = {},
): Promise<number> {
  const settings = await settingsOf(flags, world);
  const found = await findRunning(settings);
  if (found.kind !== "healthy" && found.kind !== "other-protocol") {
    const detail = found.kind === "absent" ? "" : ` (${found.why})`;
    world.err.write(`${world.err.colors.dim(`the daemon is not running${detail}`)}\n`);
    if (settings.json) printJson(world, { stopped: false, pid: null });
    return 0;
  }
  const { pid } = found.registration;
  const credential = readCredential(settings.stateDirectory);
  if (credential.kind === "credential") await ask(found, credential.value);
  if (!(await goes({ found, settings, milliseconds: patience }))) {
    // The daemon has just proved again that the process is the one in the record.
    process.kill(pid, "SIGTERM");
    if (!(await goes({ found, settings, milliseconds: lastPatience }))) {
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

type Going = { found: Alive; settings: Settings; milliseconds: number };

/** Whether the daemon is gone in time. False only after a probe proved that it is still there. */
async function goes({ found, settings, milliseconds }: Going): Promise<boolean> {
  const end = performance.now() + milliseconds;
  for (;;) {
    const credential = readCredential(settings.stateDirectory);
    // Without a credential nothing can be proved, so no process may be signalled.
    if (credential.kind !== "credential") return true;
    const { kind } = await probe(found.registration, credential.value);
    if (kind === "dead" || kind === "stranger") return true;
    if (performance.now() >= end) return false;
    await Bun.sleep(pollEvery);
  }
}
