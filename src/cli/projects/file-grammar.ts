/** The verbs that read and write locald.toml -> their part of the grammar. */
import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import type { ConfigFlags } from "./config.ts";
import type { InitFlags } from "./init.ts";
import { newTypes, type NewType } from "../../manifest/types/own.ts";
import type { AddFlags } from "./new-service.ts";
import { type Choose, example, jsonOption } from "../shared/verb.ts";
import type { World } from "../shared/world.ts";

const typeHelp =
  "exec has a port and an address, process need not listen on it, worker has neither, task is run once and ends; postgres, redis and their like are stores, container runs an image, site serves a folder";

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

  const port = [
    "-p, --port <number>",
    "the port that it listens on (default: a free port)",
  ] as const;
  const build = [
    "--build <command>",
    "a command that builds it first, or that makes the files of a site",
  ] as const;
  const add = program
    .command("add")
    .description("add a service to locald.toml")
    .argument("<name>", "the service's name, which becomes part of its address")
    .argument("[command...]", wordsHelp)
    .usage("[options] <name> -- <command>")
    .option(...port)
    .addOption(new Option("-t, --type <type>", typeHelp).choices(newTypes).default("exec"))
    .option(...build)
    .addOption(jsonOption())
    .action((name: string, words: string[], flags: AddFlags) =>
      choose(async () => (await import("./add.ts")).add({ name, words }, flags, world)),
    );
  example(add, "localhostess add api --port 3000 -- bun api.ts");

  const service = program.command("service").description("edit the services in locald.toml");
  service.helpCommand(false);
  const serviceAdd = service
    .command("add")
    .description("add a service to locald.toml")
    .addArgument(new Argument("<type>", typeHelp).choices(newTypes).argParser(typeOf))
    .argument("<name>", "the service's name, which becomes part of its address")
    .argument("[command...]", wordsHelp)
    .usage("[options] <type> <name> [word] -- <command>")
    .option(...port)
    .option(...build)
    .addOption(jsonOption())
    .action((type: NewType, name: string, words: string[], flags: AddFlags) =>
      choose(async () =>
        (await import("./add.ts")).add({ name, words }, { ...flags, type }, world),
      ),
    );
  example(service, "localhostess service add postgres db");
  example(serviceAdd, "localhostess service add container cache redis:7 --port 6379");

  configuring(program, choose, world);
}

const wordsHelp =
  "the command that starts it, after --; of a container its image first, of a site its folder, of a store its version";

/** @throws InvalidArgumentError for any other type. */
function typeOf(text: string): NewType {
  const found = newTypes.find((type) => type === text);
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`Allowed choices are ${newTypes.join(", ")}.`);
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
