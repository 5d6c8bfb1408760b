/** The verbs about the data of managed stores -> their part of the grammar. */
import { type Command, Option } from "commander";
import { type Choose, example, jsonOption } from "../shared/verb.ts";
import type { World } from "../shared/world.ts";
import type { DbDumpFlags } from "./db-dump.ts";
import { dumpFormats } from "./dump-formats.ts";
import type { DbForkFlags } from "./db-fork.ts";
import type { DbFlags } from "./db-store.ts";

const which = "such as db, or shop:db in another project";
const onlyOne = `${which} (default: the only database of this project)`;

function yesOption(): Option {
  return new Option("-y, --yes", "do not ask");
}

export function dbVerbs(program: Command, choose: Choose, world: World): void {
  const db = program
    .command("db")
    .description("use the databases of a project: connect, reset, dump, restore and copy them");
  db.helpCommand(false);
  connecting(db, choose, world);
  replacing(db, choose, world);
  keeping(db, choose, world);
  example(db, "localhostess db psql");
}

function connecting(db: Command, choose: Choose, world: World): void {
  const url = db
    .command("url")
    .description("print the URL of a database, with its password")
    .argument("[service]", onlyOne)
    .addOption(jsonOption())
    .action((service: string | undefined, flags: DbFlags) =>
      choose(async () => (await import("./db-url.ts")).dbUrl(service, flags, world)),
    );
  example(url, "localhostess db url");

  const psql = db
    .command("psql")
    .description("connect psql to a PostgreSQL, which is started if it is not up")
    .argument("[service]", onlyOne)
    .argument("[args...]", "the arguments of psql, after --")
    .usage("[service] [-- <args>]")
    .addOption(jsonOption())
    .addHelpText("after", "\nThe exit code is that of psql.")
    .action((service: string | undefined, args: string[], flags: DbFlags) =>
      choose(async () => (await import("./db-psql.ts")).dbPsql({ service, args }, flags, world)),
    );
  example(psql, "localhostess db psql db -- -c 'select version()'");
}

function replacing(db: Command, choose: Choose, world: World): void {
  const reset = db
    .command("reset")
    .description("remove all data of a store of this checkout, so that it begins anew")
    .argument("[service]", onlyOne)
    .addOption(yesOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
One that was up starts again with an empty database, its init and extensions,
and tasks that were completed on the former data are run again. Other checkouts
have data of their own, which stays.`,
    )
    .action((service: string | undefined, flags: DbFlags) =>
      choose(async () => (await import("./db-reset.ts")).dbReset(service, flags, world)),
    );
  example(reset, "localhostess db reset db --yes");

  const restore = db
    .command("restore")
    .description("replace the data of a store by that of a dump")
    .argument("<service>", which)
    .argument("<file>", "a dump, of any format")
    .addOption(yesOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
All of the file is loaded before anything is replaced: one that is broken
changes nothing.`,
    )
    .action((service: string, file: string, flags: DbFlags) =>
      choose(async () =>
        (await import("./db-restore.ts")).dbRestore({ service, file }, flags, world),
      ),
    );
  example(restore, "localhostess db restore db shop.sql");

  const fork = db
    .command("fork")
    .description("copy the data of a store to another checkout of the repository")
    .argument("<service>", which)
    .argument("[worktree]", "to which, by branch, label or folder (default: this one)")
    .option("--from <worktree>", "from which (default: this one; without words, the main checkout)")
    .addOption(yesOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
In a worktree, without further words, it has what the main checkout has. The
store is down for as long as its files are copied, and the two go on apart.`,
    )
    .action((service: string, to: string | undefined, flags: DbForkFlags) =>
      choose(async () => (await import("./db-fork.ts")).dbFork({ service, to }, flags, world)),
    );
  example(fork, "localhostess db fork db fix/nav");
}

function keeping(db: Command, choose: Choose, world: World): void {
  const dump = db
    .command("dump")
    .description("write all that is in a store to a file, or to stdout")
    .argument("[service]", onlyOne)
    .option("-o, --output <file>", "the file")
    .addOption(new Option("--format <format>", "what it is").choices(dumpFormats))
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
plain is SQL (the default of .sql and of stdout), custom is for pg_restore; both
are of pg_dump, and can be read by newer versions. files is a compressed tar
file of the data itself (.tar.gz, and all other stores), for the same version
only: the store is down while it is copied.`,
    )
    .action((service: string | undefined, flags: DbDumpFlags) =>
      choose(async () => (await import("./db-dump.ts")).dbDump(service, flags, world)),
    );
  example(dump, "localhostess db dump db -o shop.sql");

  const list = db
    .command("list")
    .description("print the stores that have data on this machine, and what is left over")
    .addOption(jsonOption())
    .action((flags: DbFlags) =>
      choose(async () => (await import("./db-list.ts")).dbList(flags, world)),
    );
  example(list, "localhostess db list --json | jq -r '.[].folder'");

  const clean = db
    .command("clean")
    .description("remove the data of projects that were forgotten, or whose folder is gone")
    .addOption(yesOption())
    .addOption(jsonOption())
    .action((flags: DbFlags) =>
      choose(async () => (await import("./db-list.ts")).dbClean(flags, world)),
    );
  example(clean, "localhostess db clean");
}
