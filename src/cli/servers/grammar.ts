/** The verbs about servers, whoever started them -> their part of the grammar. */
import { type Command, Option } from "commander";
import type { Flags } from "../shared/settings.ts";
import { type Choose, common, example, jsonOption, looking, portOption } from "../shared/verb.ts";
import type { World } from "../shared/world.ts";
import type { LsFlags } from "./ls.ts";
import type { NameFlags } from "./name.ts";
import type { ServeFlags } from "./serve.ts";
import type { UseFlags } from "./use.ts";

const name = "such as api, shop:api, api.shop or a URL; api is first the one of the project here";

export function serverVerbs(program: Command, choose: Choose, world: World): void {
  const list = program
    .command("ls")
    .description("list servers with a name, and those without (the default command)")
    .option("-w, --watch", "keep running and print changes; with --json, one array per line")
    .action((flags: LsFlags) => choose(async () => (await import("./ls.ts")).ls(flags, world)));
  common(list);
  example(list, "localhostess ls --json | jq -r '.[].url'");

  const url = program
    .command("url")
    .description("print the URL of a server")
    .argument("<name>", name)
    .action((text: string, flags: Flags) =>
      choose(async () => (await import("./url.ts")).url(text, flags, world)),
    );
  common(url);
  example(url, "curl $(localhostess url api)/health");

  const port = program
    .command("port")
    .description("print the port that a server itself listens on")
    .argument("<name>", name)
    .action((text: string, flags: Flags) =>
      choose(async () => (await import("./port.ts")).port(text, flags, world)),
    );
  common(port);
  example(port, "nc localhost $(localhostess port api)");

  const open = program
    .command("open")
    .description("open a server in the browser")
    .argument("<name>", `${name}; a path may follow`)
    .addOption(portOption())
    .addOption(jsonOption())
    .action((text: string, flags: Flags) =>
      choose(async () => (await import("./open.ts")).open(text, flags, world)),
    );
  looking(open);
  example(open, "localhostess open api/docs");

  serveVerb(program, choose, world);

  const why = program
    .command("why")
    .description("check each step from a URL to its server, and report the first that fails")
    .argument(
      "<url|name>",
      "a URL as typed in the browser, or a name in any form: api, shop:api, api.shop",
    )
    .action((text: string, flags: Flags) =>
      choose(async () => (await import("./why.ts")).why(text, flags, world)),
    );
  common(why);
  example(why, "localhostess why http://api.localhost:9090/users");

  const given = program
    .command("name")
    .description("name what listens at a port or another place; without words, list those names")
    .argument("[name]", "such as db, or db.shop")
    .argument("[place]", "a port, pid:<pid>, <host>:<port> or unix:<path>")
    .option("--remove", "take the name back")
    .option("--forget", "servers get no name from this folder; a name or a folder, alone: lists")
    .option("--remember", "servers get names from this folder again")
    .action((text: string | undefined, place: string | undefined, flags: NameFlags) =>
      choose(async () => (await import("./name.ts")).name({ name: text, place }, flags, world)),
    );
  common(given);
  example(given, "localhostess name db 5432");

  const use = program
    .command("use")
    .description("show one worktree at the plain names of its project, in all browsers; -- ends it")
    .argument("[worktree]", "its label, branch or folder; without one, list what there is")
    .argument("[name]", "a project or a server, such as shop or api; default: the project here")
    .addOption(new Option("--end").hideHelp())
    .action((worktree: string | undefined, its: string | undefined, flags: UseFlags) =>
      choose(async () => {
        const words = [worktree, its].filter((word) => word !== undefined);
        return (await import("./use.ts")).use(words, flags, world);
      }),
    );
  common(use);
  example(use, "localhostess use fix-nav");

  remoteVerbs(program, choose, world);

  const pac = program
    .command("pac")
    .description("print the proxy auto-configuration (PAC) file for browsers")
    .action((flags: Flags) => choose(async () => (await import("./pac.ts")).pac(flags, world)));
  pac.addOption(portOption()).addOption(jsonOption());
  example(pac, "localhostess pac > proxy.pac");
}

function serveVerb(program: Command, choose: Choose, world: World): void {
  const serve = program
    .command("serve")
    .description("serve the files of a folder under its name, until Ctrl-C")
    .argument("[path]", "the folder", ".")
    .option("--name <name>", "the name (default: that of the folder)")
    .option("--reload", "load open pages again when a file changes")
    .option("--spa [file]", "answer paths that are no file with index.html, or this file")
    .option("--no-listing", "do not list folders without an index.html")
    .option("--open", "open it in the browser")
    .option("--yes", "serve even your home folder, or one above it")
    .addOption(portOption())
    .addOption(jsonOption())
    .action((path: string, flags: ServeFlags) =>
      choose(async () => (await import("./serve.ts")).serve(path, flags, world)),
    );
  example(serve, "localhostess serve dist --reload --open");
}

function remoteVerbs(program: Command, choose: Choose, world: World): void {
  const group = program
    .command("remote")
    .description("give servers on another machine names here, over ssh: api.box");
  group.helpCommand(false);
  const list = group
    .command("list", { isDefault: true })
    .description("list the other machines and their connections (the default command)")
    .addOption(jsonOption())
    .action((flags: Flags) =>
      choose(async () => (await import("./remote.ts")).remoteList(flags, world)),
    );
  example(list, "localhostess remote list --json | jq -r '.[].state'");

  const add = group
    .command("add")
    .description("add a machine, and connect to it")
    .argument("<machine>", "the last part of its servers' names: box, as in api.box")
    .argument("[host]", "the host as ssh takes it (default: the name)")
    .addOption(jsonOption())
    .action((name: string, host: string | undefined, flags: Flags) =>
      choose(async () => (await import("./remote.ts")).remoteAdd({ name, host }, flags, world)),
    );
  example(add, "localhostess remote add box me@box");

  const remove = group
    .command("remove")
    .description("remove a machine, and end the connection")
    .argument("<machine>", "its name")
    .addOption(jsonOption())
    .action((name: string, flags: Flags) =>
      choose(async () => (await import("./remote.ts")).remoteRemove(name, flags, world)),
    );
  example(remove, "localhostess remote remove box");

  const retry = group
    .command("retry")
    .description("connect again now, with the ssh agent of this terminal")
    .argument("[machine]", "its name (default: all machines)")
    .addOption(jsonOption())
    .action((name: string | undefined, flags: Flags) =>
      choose(async () => (await import("./remote.ts")).remoteRetry(name, flags, world)),
    );
  example(retry, "localhostess remote retry box");
}
