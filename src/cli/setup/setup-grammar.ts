/** `setup` -> its part of the grammar. */
import { type Command, Option } from "commander";
import { type Choose, example, jsonOption, rootOption } from "../shared/verb.ts";
import type { World } from "../shared/world.ts";
import type { SetupFlags } from "./setup.ts";

export function setupVerb(program: Command, choose: Choose, world: World): void {
  const setup = program
    .command("setup")
    .description("URLs without a port, and names that every program finds: what needs root, once")
    .option("--ports", "ports 80 and 443 for the daemon of this user")
    .option(
      "--hosts",
      "names in /etc/hosts, kept in step with services, for programs that need them",
    )
    .option("--trust", "your certificate authority in the system's trust store")
    .option(
      "--bare-names",
      "with --trust: also the one for names without a dot, which may sign for any name",
    )
    .option("-y, --yes", "do not ask before the commands are run")
    .option("--dry-run", "only show the commands")
    .addOption(new Option("--status", "only report what is set up").conflicts(["remove", "dryRun"]))
    .option("--remove", "take away what setup has done")
    .option("--user <name|number>", "for root: the user who is to have it")
    .addOption(jsonOption())
    .addOption(rootOption())
    .addHelpText(
      "after",
      `
It shows the commands that it is going to run, asks, and runs them by one sudo.
Without sudo, or without a terminal, they are printed instead.

Root owns what is installed: a program that listens on ports 80 and 443 of this
machine alone, and the list of the users who may ask it to. The daemon itself
never runs as root.`,
    )
    .action((flags: SetupFlags) =>
      choose(async () => (await import("./setup.ts")).setup(flags, world)),
    );
  example(setup, "localhostess setup --dry-run");
}
