/** `localhostess port <name>` -> the port that a server listens on itself. */
import { serviceRow } from "../../routes/service-row.ts";
import { lookUp } from "./find.ts";
import { type Flags, settingsOf } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";

export async function port(name: string, flags: Flags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world);
  const { service, sight } = await lookUp(name, { settings, world });
  const row = serviceRow(service, sight.urlPorts.http);
  world.out.write(`${settings.json ? JSON.stringify(row, undefined, 2) : row.port}\n`);
  return 0;
}
