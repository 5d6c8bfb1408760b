/** The verbs that put localhostess on a machine, keep it up to date and take it away -> their part of the grammar. */
import type { Command } from "commander";
import type { Choose } from "../shared/verb.ts";
import type { World } from "../shared/world.ts";
import { serviceVerbs } from "../boot/service-grammar.ts";
import { setupVerb } from "../setup/setup-grammar.ts";
import { uninstallVerb } from "./uninstall-grammar.ts";
import { upgradeVerb } from "./upgrade-grammar.ts";

type Theme = (program: Command, choose: Choose, world: World) => void;

/** One file a verb. */
const themes: readonly Theme[] = [setupVerb, serviceVerbs, upgradeVerb, uninstallVerb];

export function installVerbs(program: Command, choose: Choose, world: World): void {
  for (const theme of themes) theme(program, choose, world);
}
