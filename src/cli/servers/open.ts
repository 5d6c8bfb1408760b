/** `localhostess open <name>` -> a browser that shows it. */
import { serviceUrl } from "../../routes/service-row.ts";
import { lookUp } from "./find.ts";
import { portsOf } from "../shared/look.ts";
import { type Flags, settingsOf } from "../shared/settings.ts";
import { daemonFor } from "../shared/daemon-here.ts";
import { show } from "../shared/show.ts";
import type { World } from "../shared/world.ts";

export async function open(name: string, flags: Flags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world);
  const { sight, target } = await lookUp(name, { settings, world });
  const { urlPorts } =
    sight.proxy === undefined ? portsOf(settings, await daemonFor(flags, world)) : sight;
  const url = `${serviceUrl(target.name, urlPorts.http)}${target.path}`;
  return show(url, world);
}
