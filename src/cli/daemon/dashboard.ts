/** `localhostess dashboard` -> the daemon's page in a browser, signed in by a link that works once. */
import { show } from "../shared/show.ts";
import { type Flags, settingsOf } from "../shared/settings.ts";
import { ensureDaemon, tellStarted } from "../shared/daemon-here.ts";
import { printJson } from "../shared/json-output.ts";
import type { World } from "../shared/world.ts";
import { postCommand } from "./post-command.ts";

export type DashboardFlags = Flags & { print?: boolean };

export async function dashboard(flags: DashboardFlags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world);
  const { print, json: _, ...passed } = flags;
  const daemon = await ensureDaemon({ flags: passed, settings, world });
  tellStarted(daemon, world);
  const { url } = await postCommand<{ url: string }>(daemon, {
    path: "/v1/dashboard",
    input: {},
    failure: "the daemon returned no link to the dashboard",
  });
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
