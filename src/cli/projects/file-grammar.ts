/** The verbs about locald.toml -> their part of the grammar. */
import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import { laterTypes } from "../../manifest/later-types.ts";
import type { AddFlags } from "./add.ts";
import type { ConfigFlags } from "./config.ts";
import type { InitFlags } from "./init.ts";
import { type Choose, example, jsonOption } from "../shared/verb.ts";
import type { World } from "../shared/world.ts";

export function projects(program: Command, choose: Choose, world: World): void {
  const init = program
    .command("init")
    .description("write a locald.toml from what is in this folder")
    .option("-y, --yes", "ask nothing")
    .option("-f, --force", "in the place of the one that is there")
    .addHelpText(
      "after",
      `
It looks at package.json (its scripts and workspaces), the Procfile, and the
names of a compose file's services. It asks only on a terminal.`,
    )
    .action((flags: InitFlags) =>
      choose(async () => (await import("./init.ts")).init(flags, world)),
    );
  example(init, "localhostess init --yes");

  const add = program
    .command("add")
    .description("write a new service into locald.toml")
    .argument("<name>", "what it is called, and its address is made of")
    .argument("[command...]", "what starts it; after --, so that its options are its own")
    .usage("[options] <name> -- <command>")
    .option("-p, --port <number>", "the port that it needs; without it a free one is chosen")
    .addOption(
      new Option("-t, --type <type>", "exec has a port and an address, a worker has neither")
        .choices(["exec", "worker"])
        .default("exec"),
    )
    .action((name: string, command: string[], flags: AddFlags) =>
      choose(async () => (await import("./add.ts")).add({ name, command }, flags, world)),
    );
  example(add, "localhostess add api --port 3000 -- bun api.ts");

  const service = program.command("service").description("change what locald.toml declares");
  service.helpCommand(false);
  const serviceAdd = service
    .command("add")
    .description("write a new service into locald.toml")
    .addArgument(
      new Argument("<type>", "exec has a port and an address, a worker has neither")
        .choices(["exec", "worker"])
        .argParser(typeOf),
    )
    .argument("<name>", "what it is called, and its address is made of")
    .argument("[command...]", "what starts it; after --, so that its options are its own")
    .usage("[options] <type> <name> -- <command>")
    .option("-p, --port <number>", "the port that it needs; without it a free one is chosen")
    .action((type: "exec" | "worker", name: string, command: string[], flags: AddFlags) =>
      choose(async () =>
        (await import("./add.ts")).add({ name, command }, { ...flags, type }, world),
      ),
    );
  example(service, "localhostess service add worker jobs -- bun jobs.ts");
  example(serviceAdd, "localhostess service add worker jobs -- bun jobs.ts");

  configuring(program, choose, world);
}

/** @throws InvalidArgumentError where it is neither. */
function typeOf(text: string): "exec" | "worker" {
  if (text === "exec" || text === "worker") return text;
  const later = laterTypes.includes(text) ? `${text} is not there yet. ` : "";
  throw new InvalidArgumentError(`${later}Allowed choices are exec, worker.`);
}

function configuring(program: Command, choose: Choose, world: World): void {
  const config = program.command("config").description("what locald.toml and its layers come to");
  config.helpCommand(false);
  const folder = "the project's folder; else this one, or the nearest above that is one";
  const check = config
    .command("check")
    .description("say every mistake in them, each with its line")
    .argument("[path]", folder)
    .addOption(jsonOption())
    .action((path: string | undefined, flags: ConfigFlags) =>
      choose(async () => (await import("./config.ts")).configCheck(path, flags, world)),
    );
  const show = config
    .command("show")
    .description("print what counts, with what nobody said")
    .argument("[path]", folder)
    .option("--provenance", "and the file and line that each value comes from")
    .addOption(jsonOption())
    .action((path: string | undefined, flags: ConfigFlags) =>
      choose(async () => (await import("./config.ts")).configShow(path, flags, world)),
    );
  const schema = config
    .command("schema")
    .description("print the JSON Schema of locald.toml, for editors")
    .action(() => choose(async () => (await import("./config.ts")).configSchema(world)));
  example(config, "localhostess config check");
  example(check, "localhostess config check apps/shop");
  example(show, "localhostess config show --provenance");
  example(schema, "localhostess config schema > locald.schema.json");
}
