/** The verbs that read and write locald.toml -> their part of the grammar. */
import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import { commandTypes } from "../../manifest/types/own.ts";
import type { AddFlags } from "./add.ts";
import type { ConfigFlags } from "./config.ts";
import type { InitFlags } from "./init.ts";
import { type Choose, example, jsonOption } from "../shared/verb.ts";
import type { World } from "../shared/world.ts";

const typeHelp =
  "exec has a port and an address, process need not listen on it, worker has neither, task is run once and ends";

export function fileVerbs(program: Command, choose: Choose, world: World): void {
  const init = program
    .command("init")
    .description("create a locald.toml for the services found in this folder")
    .option("-y, --yes", "do not ask questions")
    .option("-f, --force", "overwrite an existing locald.toml")
    .option("--no-compose", "do not read a compose file")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Reads the scripts and workspaces in package.json, the Procfile, and a compose
file, whose services become containers. Asks questions only on a terminal.`,
    )
    .action((flags: InitFlags) =>
      choose(async () => (await import("./init.ts")).init(flags, world)),
    );
  example(init, "localhostess init --yes");

  const add = program
    .command("add")
    .description("add a service to locald.toml")
    .argument("<name>", "the service's name, which becomes part of its address")
    .argument("[command...]", "the command that starts it, after --")
    .usage("[options] <name> -- <command>")
    .option("-p, --port <number>", "the port that it listens on (default: a free port)")
    .addOption(new Option("-t, --type <type>", typeHelp).choices([...commandTypes]).default("exec"))
    .addOption(jsonOption())
    .action((name: string, command: string[], flags: AddFlags) =>
      choose(async () => (await import("./add.ts")).add({ name, command }, flags, world)),
    );
  example(add, "localhostess add api --port 3000 -- bun api.ts");

  const service = program.command("service").description("edit the services in locald.toml");
  service.helpCommand(false);
  const serviceAdd = service
    .command("add")
    .description("add a service to locald.toml")
    .addArgument(new Argument("<type>", typeHelp).choices([...commandTypes]).argParser(typeOf))
    .argument("<name>", "the service's name, which becomes part of its address")
    .argument("[command...]", "the command that starts it, after --")
    .usage("[options] <type> <name> -- <command>")
    .option("-p, --port <number>", "the port that it listens on (default: a free port)")
    .addOption(jsonOption())
    .action((type: CommandType, name: string, command: string[], flags: AddFlags) =>
      choose(async () =>
        (await import("./add.ts")).add({ name, command }, { ...flags, type }, world),
      ),
    );
  example(service, "localhostess service add worker jobs -- bun jobs.ts");
  example(serviceAdd, "localhostess service add worker jobs -- bun jobs.ts");

  configuring(program, choose, world);
}

type CommandType = (typeof commandTypes)[number];

/** @throws InvalidArgumentError for any other type. */
function typeOf(text: string): CommandType {
  const found = commandTypes.find((type) => type === text);
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`Allowed choices are ${commandTypes.join(", ")}.`);
}

function configuring(program: Command, choose: Choose, world: World): void {
  const config = program
    .command("config")
    .description("check or print locald.toml, merged with its layers");
  config.helpCommand(false);
  const folder = "the project's folder or file (default: the nearest project, from here upward)";
  const file = ["-f, --file <file>", "the project's Procfile or TOML file"] as const;
  const check = config
    .command("check")
    .description("report all errors in the configuration, with their lines")
    .argument("[path]", folder)
    .option(...file)
    .addOption(jsonOption())
    .action((path: string | undefined, flags: ConfigFlags) =>
      choose(async () => (await import("./config.ts")).configCheck(path, flags, world)),
    );
  const show = config
    .command("show")
    .description("print the effective configuration, including defaults")
    .argument("[path]", folder)
    .option(...file)
    .option("--provenance", "also print the file and line of each value")
    .addOption(jsonOption())
    .action((path: string | undefined, flags: ConfigFlags) =>
      choose(async () => (await import("./config.ts")).configShow(path, flags, world)),
    );
  const schema = config
    .command("schema")
    .description("print the JSON Schema of locald.toml, for editors")
    .addOption(jsonOption())
    .action(() => choose(async () => (await import("./config.ts")).configSchema(world)));
  example(config, "localhostess config check");
  example(check, "localhostess config check apps/shop");
  example(show, "localhostess config show --provenance");
  example(schema, "localhostess config schema > locald.schema.json");
}
