/** `localhostess plugin remove <name>` -> a plugin that is gone, with what was kept of it. */
import { rmSync } from "node:fs";
import { transpiledFolder } from "../../plugins/call.ts";
import { printJson } from "../shared/json-output.ts";
import type { Flags } from "../shared/settings.ts";
import { removePlans, tellFiles } from "../shared/put-plans.ts";
import type { World } from "../shared/world.ts";
import { changeKept, ownPluginsFolder, pluginNamed, pluginPlace } from "../shared/plugin-place.ts";

/** The project's own, where it has one of that name. */
export async function pluginRemove(name: string, flags: Flags, world: World): Promise<number> {
  const place = await pluginPlace(flags, world);
  const plugin = await pluginNamed(name, place);
  if (plugin.from === "project") ownPluginsFolder(place);
  await changeKept(place, (kept) => {
    rmSync(plugin.path, { force: true });
    if (plugin.from === "user") {
      const { [name]: _, ...plugins } = kept.plugins;
      return { ...kept, plugins };
    }
    const { [plugin.sha256]: _, ...agreed } = kept.agreed;
    return { ...kept, agreed };
  });
  rmSync(transpiledFolder(plugin, place.effects), { recursive: true, force: true });
  // A project's own is that of one folder.
  const directory = plugin.from === "project" ? place.project : undefined;
  const news = await removePlans(place.stateDirectory, { plugin, directory });
  if (flags.json) printJson(world, { name });
  else world.out.write(`removed ${name}${plugin.from === "user" ? "" : ` (${plugin.path})`}\n`);
  tellFiles(news, world);
  return 0;
}
