/** `localhostess pac` -> the proxy auto-configuration file that the proxy serves at /proxy.pac. */
import { portsOf } from "../shared/look.ts";
import { printJson } from "../shared/json-output.ts";
import { pacText } from "../shared/pac-text.ts";
import { type Flags, settingsOf } from "../shared/settings.ts";
import { daemonIfUsable } from "../shared/daemon-here.ts";
import type { World } from "../shared/world.ts";

export async function pac(flags: Flags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world);
  const record = await daemonIfUsable(settings, world);
  const { port } = portsOf(settings, record);
  const running = record !== undefined && record.port === port;
  const text = await pacText({ port, tlds: record?.tlds ?? settings.tlds, running });
  const answer = { url: `http://localhost:${port}/proxy.pac`, text };
  if (settings.json) printJson(world, answer);
  else world.out.write(text);
  return 0;
}
