/** `localhostess open <name>` -> a browser that shows it. */
import { originOf } from "../../routes/service-row.ts";
import { printJson } from "../shared/json-output.ts";
import { daemonFor } from "../shared/daemon-here.ts";
import { portsOf } from "../shared/look.ts";
import { lookUp, tellAbsent, tellComing } from "../shared/reach.ts";
import { type Flags, settingsOf } from "../shared/settings.ts";
import { show } from "../shared/show.ts";
import { exitCode } from "../shared/exit-code.ts";
import type { World } from "../shared/world.ts";

export async function open(name: string, flags: Flags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world);
  const { reached, sight, target } = await lookUp(name, { settings, world });
  if (reached.kind === "absent" && reached.turn === "down") {
    tellAbsent(reached.supervised, world);
    return exitCode.failed;
  }
  // The browser's request waits for a service that starts, and starts one that is lazy.
  tellComing(reached, world);
  const { urlPorts } =
    sight.proxy === undefined ? portsOf(settings, await daemonFor(flags, world)) : sight;
  const { scheme } = target;
  const origin = originOf(`${target.name}.localhost`, { scheme, port: urlPorts[scheme] });
  const url = `${origin}${target.path}`;
  const code = await show(url, world);
  if (settings.json && code === 0) printJson(world, { url });
  return code;
}
