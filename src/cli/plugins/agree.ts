/** `localhostess plugin agree <name>` -> a plugin of the project here that may run from now on, as it is. */
import { claimsOf } from "../../plugins/claims.ts";
import { didYouMean } from "../../text/nearest.ts";
import { printable } from "../../text/printable.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { type Flags, UsageError } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import { changeKept, needProject, pluginPlace, pluginsAt } from "../shared/plugin-place.ts";
import { pluginRow } from "./plugin-row.ts";
import { askedText, grantedText, shortHash } from "./told.ts";

export async function pluginAgree(name: string, flags: Flags, world: World): Promise<number> {
  const place = await pluginPlace(flags, world);
  needProject(place);
  const all = await pluginsAt(place);
  const theirs = all.filter((its) => its.from === "project");
  const found = theirs.find((its) => its.name === name);
  if (found === undefined) {
    const near = didYouMean(
      name,
      theirs.map((its) => its.name),
      { otherwise: "; they are in .locald/plugins" },
    );
    throw new UsageError([`this project has no plugin ${printable(name, 100)}${near}`]);
  }
  const asked = await claimsOf(found, place.effects);
  if (asked.kind === "ended") throw new Failure("failed", `${name} ${asked.why}`);
  const claims = [...asked.types];
  await changeKept(place, (kept) => {
    const granted = [...found.granted];
    return { ...kept, agreed: { ...kept.agreed, [found.sha256]: { name, claims, granted } } };
  });
  const plugin = place.withGrants({ ...found, claims, state: "ready" }, all);
  if (flags.json) {
    printJson(world, pluginRow(plugin));
    return 0;
  }
  world.out.write(`${name} may run as it is now: sha256 ${shortHash(found.sha256)}\n`);
  world.err.write(`${askedText(plugin)}\n${grantedText(plugin)}\n`);
  return 0;
}
