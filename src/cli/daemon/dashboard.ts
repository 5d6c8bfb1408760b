/** `localhostess dashboard` -> the daemon's page in a browser, signed in by a link that works once. */
import { httpRequest } from "../../control/found/http-request.ts";
import { endpointOf } from "../../control/found/registration.ts";
import { printable } from "../../text/printable.ts";
import { systemClock } from "../../system/clock.ts";
import { show } from "../shared/show.ts";
import { type Flags, settingsOf } from "../shared/settings.ts";
import { printJson } from "../shared/json-output.ts";
import { ensureDaemon, type Running, tellStarted } from "../shared/daemon-here.ts";
import type { World } from "../shared/world.ts";

export type DashboardFlags = Flags & { print?: boolean };

/** Milliseconds; the answer needs no look at the machine. */
const deadline = 5_000;

export async function dashboard(flags: DashboardFlags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world);
  const { print, json: _, ...passed } = flags;
  const daemon = await ensureDaemon({ flags: passed, settings, world });
  tellStarted(daemon, world);
  const url = await link(daemon);
  if (settings.json) {
    printJson(world, { url });
    return 0;
  }
  if (print) {
    world.out.write(`${url}\n`);
    return 0;
  }
  return show(url, world);
}

/** The daemon has proved itself, so it may see the credential. @throws an Error for a person. */
async function link({ registration, credential }: Running): Promise<string> {
  const answer = await httpRequest({
    ...endpointOf(registration.url)!,
    method: "POST",
    path: "/v1/dashboard",
    fields: { Authorization: `Bearer ${credential}` },
    body: "{}",
    deadline,
    clock: systemClock,
  });
  const why = answer.kind === "answer" ? readFailure(answer.body) : `no answer: ${answer.why}`;
  if (answer.kind !== "answer" || answer.status !== 200) {
    throw new Error(`the daemon returned no link to the dashboard: ${printable(why, 500)}`);
  }
  return (JSON.parse(answer.body) as { url: string }).url;
}

function readFailure(body: string): string {
  try {
    return (JSON.parse(body) as { error: { message: string } }).error.message;
  } catch {
    // A daemon of this version does not answer like that.
    return "its answer is not valid; try: localhostess server restart";
  }
}
