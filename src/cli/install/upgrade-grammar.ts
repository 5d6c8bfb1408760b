/** `upgrade` -> its part of the grammar. */
import type { Command } from "commander";
import { type Choose, example, jsonOption } from "../shared/verb.ts";
import type { World } from "../shared/world.ts";
import type { UpgradeFlags } from "./upgrade.ts";

export function upgradeVerb(program: Command, choose: Choose, world: World): void {
  const verb = program
    .command("upgrade")
    .description("bring localhostess up to date, by whatever has installed it")
    .argument("[version]", "a version, or the file of a package; default: the latest")
    .option("-y, --yes", "do not ask before the commands are run")
    .option("--dry-run", "only show the commands")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
The package manager that has installed it does the work. Then the new daemon
takes over: no connection is refused, and services go on. If it fails within
ten seconds, the one before is the daemon again.`,
    )
    .action((to: string | undefined, flags: UpgradeFlags) =>
      choose(async () => (await import("./upgrade.ts")).upgrade(to, { flags, world })),
    );
  example(verb, "localhostess upgrade --dry-run");
}
