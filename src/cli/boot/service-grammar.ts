/** The verbs by which the daemon is there after a reboot -> their part of the grammar, below `service`. */
import { type Command, Option } from "commander";
import { ways } from "../../boot/way.ts";
import { type Choose, example, jsonOption, rootOption } from "../shared/verb.ts";
import type { World } from "../shared/world.ts";
import type { ServiceFlags } from "./service.ts";

const verbs = [
  ["install", "have the daemon there after a reboot: by systemd, launchd or the login shell"],
  ["status", "report whether the daemon is there after a reboot (exit code 0) or not (1)"],
  ["uninstall", "take that back, and end the daemon that the service runs"],
] as const;

export function serviceVerbs(program: Command, choose: Choose, world: World): void {
  // The verbs about locald.toml have made it.
  const service = program.commands.find((verb) => verb.name() === "service")!;
  service.description("edit the services in locald.toml; or have the daemon there after a reboot");
  for (const [name, description] of verbs) {
    const verb = service
      .command(name)
      .description(description)
      .addOption(
        new Option("--way <way>", "the way, if not the usual one of this machine").choices(ways),
      )
      .addOption(jsonOption())
      .addOption(rootOption())
      .action((flags: ServiceFlags) =>
        choose(async () => {
          const { serviceInstall, serviceStatus, serviceUninstall } = await import("./service.ts");
          const acts = {
            install: serviceInstall,
            status: serviceStatus,
            uninstall: serviceUninstall,
          };
          return await acts[name](flags, { world });
        }),
      );
    if (name !== "status") {
      verb.option("--dry-run", "print what would be done");
      verb.option("-f, --force", "write over, or remove, what a person has changed");
    }
    if (name === "install") {
      verb.option(
        "--linger",
        "begin when the machine starts, and not at the first login (systemd)",
      );
    }
    example(verb, `localhostess service ${name}${name === "install" ? " --linger" : ""}`);
  }
}
