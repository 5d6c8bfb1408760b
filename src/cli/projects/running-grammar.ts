/** The verbs that start, stop and watch what locald.toml declares -> their part of the grammar. */
import type { Command } from "commander";
import type { LogsFlags } from "./logs.ts";
import type { Flags } from "../shared/settings.ts";
import type { StopFlags } from "./stop.ts";
import type { TryFlags } from "./try.ts";
import type { UpFlags } from "./up.ts";
import { type Choose, example, jsonOption } from "../shared/verb.ts";
import type { World } from "../shared/world.ts";

const which =
  "such as api, or shop:api of another project; without one, all of this folder's project";

export function supervising(program: Command, choose: Choose, world: World): void {
  const up = program
    .command("up")
    .description("start what locald.toml declares, in order, and keep it running")
    .argument("[path]", "the project's folder; else this one, or the nearest above that is one")
    .argument("[service...]", "only these, and what they depend on")
    .option("--wait", "until all is ready: what it does anyway")
    .option("--no-wait", "only have it started")
    .option("--timeout <time>", "wait so long at most, such as 90s or 2m")
    .option("-f, --foreground", "stay and show what it prints; Ctrl-C stops it")
    .option("-v, --verbose", "show what services print while they start")
    .addHelpText(
      "after",
      `
It ends when all is ready, with exit code 0; or with 1, the reason and the last
lines of what did not become ready. Services run in the daemon, which is started
where none runs, and go on without a terminal.`,
    )
    .action((path: string | undefined, services: string[], flags: UpFlags) =>
      choose(async () => {
        const words = path === undefined ? services : [path, ...services];
        return (await import("./up.ts")).up(words, flags, world);
      }),
    );
  example(up, "localhostess up apps/shop api");

  const stop = program
    .command("stop")
    .description("stop services, those that depend on others first")
    .argument("[service...]", which)
    .option("-a, --all", "those of every project")
    .action((services: string[], flags: StopFlags) =>
      choose(async () => (await import("./stop.ts")).stop(services, flags, world)),
    );
  example(stop, "localhostess stop api");

  const restart = program
    .command("restart")
    .description("end services and start them again, until they are ready")
    .argument("[service...]", which)
    .option("-a, --all", "those of every project")
    .action((services: string[], flags: StopFlags) =>
      choose(async () => (await import("./stop.ts")).restart(services, flags, world)),
    );
  example(restart, "localhostess restart api");

  const status = program
    .command("status")
    .description("show how the services of every project fare")
    .argument("[service...]", "only these")
    .addOption(jsonOption())
    .action((services: string[], flags: Flags) =>
      choose(async () => (await import("./status.ts")).status(services, flags, world)),
    );
  example(status, "localhostess status --json | jq -r '.[].state'");

  const logs = program
    .command("logs")
    .description("show what services have printed, by time")
    .argument("[service...]", which)
    .option("-f, --follow", "and what they print from now on")
    .option("-n, --tail <lines>", "only so many of the last lines")
    .option("--since <time>", "only what is newer: 5m, 1h30m, or 2026-05-04T12:00")
    .option("--no-color", "plain text, also on a terminal")
    .addOption(jsonOption())
    .action((services: string[], flags: LogsFlags) =>
      choose(async () => (await import("./logs.ts")).logs(services, flags, world)),
    );
  example(logs, "localhostess logs -f --since 5m api worker");

  const monitor = program
    .command("monitor")
    .description("watch services and their logs, and start and stop them by key")
    .action((flags: Flags) =>
      choose(async () => (await import("./monitor.ts")).monitor(flags, world)),
    );
  example(monitor, "localhostess monitor");

  running(program, choose, world);
  registering(program, choose, world);
}

function running(program: Command, choose: Choose, world: World): void {
  const run = program
    .command("run")
    .description("run a command in a service's environment")
    .argument("<service>", "such as api, or shop:api of another project")
    .argument("[command...]", "after --, so that its options are its own")
    .usage("<service> -- <command>")
    .addHelpText("after", "\nIts exit code is the command's; 127 where there is no such command.")
    .action((service: string, command: string[], flags: Flags) =>
      choose(async () => (await import("./run.ts")).run({ service, command }, flags, world)),
    );
  example(run, "localhostess run api -- bun run migrate --all");

  const attempt = program
    .command("try")
    .description("run one command with a free PORT and a name")
    .argument("[command...]", "after --, so that its options are its own")
    .usage("[options] -- <command>")
    .option("-n, --name <name>", "its name; else this folder's")
    .addHelpText(
      "after",
      `
Its exit code is the command's. On a terminal it offers to keep the command as a
service in locald.toml.`,
    )
    .action((command: string[], flags: TryFlags) =>
      choose(async () => (await import("./try.ts")).tryOut(command, flags, world)),
    );
  example(attempt, "localhostess try --name docs -- npx serve --cors");
}

function registering(program: Command, choose: Choose, world: World): void {
  const registry = program.command("registry").description("the projects that the daemon knows");
  registry.helpCommand(false);
  const folder = "its folder; else this one, or the nearest above that is a project";
  const list = registry
    .command("list")
    .description("list them")
    .addOption(jsonOption())
    .action((flags: Flags) =>
      choose(async () => (await import("./registry.ts")).registryList(flags, world)),
    );
  const pin = registry
    .command("pin")
    .description("have a project come up with the daemon")
    .argument("[path]", folder)
    .action((path: string | undefined) =>
      choose(async () =>
        (await import("./registry.ts")).registryPin(path, { pinned: true }, world),
      ),
    );
  const unpin = registry
    .command("unpin")
    .description("have it come up only when it is asked for")
    .argument("[path]", folder)
    .action((path: string | undefined) =>
      choose(async () =>
        (await import("./registry.ts")).registryPin(path, { pinned: false }, world),
      ),
    );
  const clean = registry
    .command("clean")
    .description("forget projects whose folder is gone, but those that are pinned")
    .action((flags: Flags) =>
      choose(async () => (await import("./registry.ts")).registryClean(flags, world)),
    );
  example(registry, "localhostess registry list");
  example(list, "localhostess registry list --json");
  example(pin, "localhostess registry pin apps/shop");
  example(unpin, "localhostess registry unpin");
  example(clean, "localhostess registry clean");
}
