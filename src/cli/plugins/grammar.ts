/** The verbs about plugins -> their part of the grammar. */
import type { Command } from "commander";
import type { Flags } from "../shared/settings.ts";
import { type Choose, example, jsonOption } from "../shared/verb.ts";
import type { World } from "../shared/world.ts";
import type { InspectFlags } from "./inspect.ts";
import type { InstallFlags } from "./install.ts";

const several = (text: string, before: readonly string[] = []) => [...before, text];

export function pluginVerbs(program: Command, choose: Choose, world: World): void {
  const group = program
    .command("plugin")
    .description("let services have other types, by WebAssembly components");
  group.helpCommand(false);

  const install = group
    .command("install")
    .description("install a plugin, once it has answered")
    .argument("<file|url>", "a component; an address begins with https://")
    .option("--sha256 <hash>", "install nothing that has another hash")
    .option("--name <name>", "its name (default: that of the file)")
    .option("--project", "into .locald/plugins of the project here, for all who work on it")
    .addOption(jsonOption())
    .action((word: string, flags: InstallFlags) =>
      choose(async () => (await import("./install.ts")).pluginInstall(word, flags, world)),
    );
  example(install, "localhostess plugin install redis.wasm");

  const list = group
    .command("list")
    .description("list the plugins that are installed, and those of the project here")
    .addOption(jsonOption())
    .action((flags: Flags) =>
      choose(async () => (await import("./list.ts")).pluginList(flags, world)),
    );
  example(list, "localhostess plugin list --json | jq -r '.[].name'");

  const inspect = group
    .command("inspect")
    .description("print what a plugin says of a service, and its plan")
    .argument("<plugin>", "its name, or a file: ./redis.wasm")
    .option("--kind <type>", "the service's type (default: the plugin's name)")
    .option("--name <service>", "the service's name (default: the type)")
    .option("--depends-on <services>", "such as db,cache")
    .option("--config <key=value>", "a key of the service; repeatable", several)
    .option("--grant <capability>", "as if it were granted, too; repeatable", several)
    .addOption(jsonOption())
    .action((word: string, flags: InspectFlags) =>
      choose(async () => (await import("./inspect.ts")).pluginInspect(word, flags, world)),
    );
  example(inspect, "localhostess plugin inspect redis --config version=7 --grant oci-pull");

  const validate = group
    .command("validate")
    .description("check that a file is a plugin, and answers; nothing is installed")
    .argument("<file>", "a component")
    .addOption(jsonOption())
    .action((file: string, flags: Flags) =>
      choose(async () => (await import("./validate.ts")).pluginValidate(file, flags, world)),
    );
  example(validate, "localhostess plugin validate redis.wasm");

  const plan = group
    .command("plan")
    .description("print the plan that a plugin has made of a service, or would make now")
    .argument("<service>", "a service of the project here")
    .addOption(jsonOption())
    .action((service: string, flags: Flags) =>
      choose(async () => (await import("./plan.ts")).pluginPlan(service, flags, world)),
    );
  example(plan, "localhostess plugin plan cache");

  const agree = group
    .command("agree")
    .description("let a plugin of the project here run, as long as it does not change")
    .argument("<plugin>", "its name, as plugin list has it")
    .addOption(jsonOption())
    .action((name: string, flags: Flags) =>
      choose(async () => (await import("./agree.ts")).pluginAgree(name, flags, world)),
    );
  example(agree, "localhostess plugin agree redis");

  const remove = group
    .command("remove")
    .description("remove a plugin, with the services and files that its plans have made")
    .argument("<plugin>", "its name")
    .addOption(jsonOption())
    .action((name: string, flags: Flags) =>
      choose(async () => (await import("./remove.ts")).pluginRemove(name, flags, world)),
    );
  example(remove, "localhostess plugin remove redis");

  const made = group
    .command("new")
    .description("make the source of a plugin in JavaScript, which npm builds")
    .argument("<folder>", "a new folder; the plugin has its name")
    .addOption(jsonOption())
    .action((folder: string, flags: Flags) =>
      choose(async () => (await import("./new.ts")).pluginNew(folder, flags, world)),
    );
  example(made, "localhostess plugin new queue");
}
