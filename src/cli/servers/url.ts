/** `localhostess url <name>` -> the URL of a server, for scripts. */
import { serviceRow, serviceUrl } from "../../routes/service-row.ts";
import { lookUp } from "./find.ts";
import { type Flags, settingsOf } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";

export async function url(name: string, flags: Flags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world);
  const { service, sight, target } = await lookUp(name, { settings, world });
  // The name as typed: `x.api` leads to `api`, which may serve another page for it.
  const address = serviceUrl(target.name, sight.urlPorts.http);
  const row = { ...serviceRow(service, sight.urlPorts.http), url: address };
  world.out.write(`${settings.json ? JSON.stringify(row, undefined, 2) : address}\n`);
  return 0;
}
