/** A project's folder -> what plans of its services need: plugins, calls of them, ports, and what is granted. */
import { ask } from "../../control/found/client.ts";
import { callPlugin } from "../../plugins/call.ts";
import { claimsOf } from "../../plugins/claims.ts";
import { isCapability } from "../../plugins/plan.ts";
import type { StatusRow } from "../../routes/project-report.ts";
import { loopback } from "../../system/loopback.ts";
import { configFile } from "../../system/paths.ts";
import { configuration } from "./configuration.ts";
import { runningDaemon } from "./daemon-here.ts";
import type { PlanEffects } from "./plan-options.ts";
import {
  callEffects,
  changeKept,
  configGrants,
  type PluginPlace,
  pluginsAt,
} from "./plugin-place.ts";
import { type Flags, settingsOf } from "./settings.ts";
import type { World } from "./world.ts";

/** Milliseconds. The daemon answers from memory. */
const soon = 5_000;

/** @throws Failure where plugins.json cannot be used. */
export async function planEffects(
  directory: string,
  { stateDirectory, flags, world }: { stateDirectory: string; flags: Flags; world: World },
): Promise<PlanEffects> {
  const place: PluginPlace = { stateDirectory, project: directory, effects: callEffects(world) };
  const read = await configuration(world);
  // Errors in the file are reported by those who read the rest of it.
  const config = read.kind === "config" ? read.config : {};
  const located = configFile(world);
  const { isFree } = loopback(world.platform);
  let rows: Promise<readonly StatusRow[]> | undefined;
  const plugins = await pluginsAt(place);
  return {
    ...{ stateDirectory, plugins },
    configFile: located.kind === "path" ? located.path : "config.toml",
    grantedInConfig: (plugin) => configGrants(plugin, { plugins, config }),
    call: async ({ path, sha256 }, request) =>
      await callPlugin({ path, sha256 }, request, place.effects),
    async agree(plugin) {
      const asked = await claimsOf(plugin, place.effects);
      if (asked.kind === "ended") return asked.why;
      const { name } = plugin;
      await changeKept(place, (kept) => {
        const its = { name, claims: [...asked.types], granted: [...plugin.granted] };
        return { ...kept, agreed: { ...kept.agreed, [plugin.sha256]: its } };
      });
      return undefined;
    },
    async grant({ name, sha256, from }, capabilities) {
      const more = (granted: readonly string[]): string[] =>
        [...new Set([...granted, ...capabilities])].filter(isCapability);
      await changeKept(place, (kept) => {
        const { plugins, agreed } = kept;
        const own = plugins[name];
        const theirs = agreed[sha256];
        if (from === "user" && own !== undefined) {
          return {
            ...kept,
            plugins: { ...plugins, [name]: { ...own, granted: more(own.granted) } },
          };
        }
        if (from !== "project" || theirs === undefined) return kept;
        const its = { ...theirs, granted: more(theirs.granted) };
        return { ...kept, agreed: { ...agreed, [sha256]: its } };
      });
    },
    isFree,
    async isOwn(port) {
      rows ??= rowsHere(flags, world);
      return (await rows).some(
        (row) =>
          "project" in row && row.path === directory && row.port === port && row.pid !== null,
      );
    },
  };
}

/** None where no daemon answers. */
async function rowsHere(flags: Flags, world: World): Promise<readonly StatusRow[]> {
  const running = await runningDaemon(await settingsOf(flags, world), world);
  if (running === undefined) return [];
  const asked = await ask<{ Status?: readonly StatusRow[] } | null>(running.socket, "Status", {
    deadline: soon,
  });
  return asked.kind === "reply" ? (asked.value?.Status ?? []) : [];
}
