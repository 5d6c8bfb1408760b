/** `uninstall` -> its part of the grammar. */
import type { Command } from "commander";
import { type Choose, example, jsonOption, rootOption } from "../shared/verb.ts";
import type { World } from "../shared/world.ts";
import type { UninstallFlags } from "./piece.ts";

export function uninstallVerb(program: Command, choose: Choose, world: World): void {
  const verb = program
    .command("uninstall")
    .description("take localhostess away from this machine, with all that it has made")
    .option("-y, --yes", "do not ask before it is taken away")
    .option("--dry-run", "only list what would be taken away")
    .option("--keep-data", "keep the databases of projects, and volumes of containers")
    .addOption(jsonOption())
    .addOption(rootOption())
    .addHelpText(
      "after",
      `
Taken away are the daemons and the services that they run, the service of
systemd or launchd, the certificate authority in every trust store, what
localhostess setup has installed, lines in the start-up files of shells,
databases, state, configuration, cache, and the program itself. Files of
projects stay. What needs root is done by sudo, which asks.`,
    )
    .action((flags: UninstallFlags) =>
      choose(async () => (await import("./uninstall.ts")).uninstall(flags, world)),
    );
  example(verb, "localhostess uninstall --dry-run");
}
