/** `localhostess plugin list` -> the plugins that a person has installed, and those of the project here. */
import type { Plugin } from "../../plugins/installed.ts";
import { usualCapabilities } from "../../plugins/plan.ts";
import { printable } from "../../text/printable.ts";
import { printJson } from "../shared/json-output.ts";
import type { Flags } from "../shared/settings.ts";
import { type Column, tableLines } from "../shared/table.ts";
import type { World } from "../shared/world.ts";
import { pluginPlace, pluginsAt } from "../shared/plugin-place.ts";
import { pluginRow } from "./plugin-row.ts";
import { shortHash } from "./told.ts";

export async function pluginList(flags: Flags, world: World): Promise<number> {
  const place = await pluginPlace(flags, world);
  const all = await pluginsAt(place);
  const plugins = all.map((its) => place.withGrants(its, all));
  if (flags.json) {
    printJson(world, plugins.map(pluginRow));
    return 0;
  }
  const { out, err } = world;
  if (plugins.length === 0) {
    const help = "install one with: localhostess plugin install <file or URL>";
    err.write(`${err.colors.dim(`no plugins yet; ${help}`)}\n`);
    return 0;
  }
  const lines = tableLines(plugins, columns, { columns: out.columns(), colors: out.colors });
  for (const line of lines) out.write(`${line}\n`);
  for (const its of plugins) {
    const help = remedies[its.state]?.(its);
    if (help !== undefined) err.write(`${printable(help)}\n`);
  }
  return 0;
}

const columns: readonly Column<Plugin>[] = [
  { title: "NAME", text: ({ name }) => name, paint: (_, colors) => colors.bold },
  { title: "FROM", text: ({ from }) => from, goes: 2 },
  {
    title: "STATE",
    text: ({ state }) => state,
    paint: ({ state }, colors) => (state === "ready" ? colors.green : colors.yellow),
  },
  { title: "SHA256", text: ({ sha256 }) => shortHash(sha256), goes: 1 },
  { title: "TYPES", text: ({ claims }) => claims.join(", ") || "-", goes: 3 },
  {
    title: "GRANTED",
    text: ({ granted }) =>
      granted.filter((its) => !usualCapabilities.includes(its)).join(", ") || "-",
    goes: 4,
  },
];

/** A sentence where a plugin cannot run. */
const remedies: Readonly<Partial<Record<Plugin["state"], (plugin: Plugin) => string>>> = {
  "not agreed": ({ name }) =>
    `${name} does not run before you agree: localhostess plugin agree ${name}`,
  changed: ({ name, path }) =>
    `${name} does not run: ${path} has changed since it was installed; install it again`,
  absent: ({ name, path }) =>
    `${name} does not run: ${path} is gone; install it again, or localhostess plugin remove ${name}`,
};

/** The same where it is to be run. Undefined: it can. */
export function whyNotReady(plugin: Plugin): string | undefined {
  return remedies[plugin.state]?.(plugin);
}
