/** The verbs that start, stop and watch the services of projects -> their part of the grammar. */
import { type Command, Option } from "commander";
import { goals } from "./awaited.ts";
import type { BuildFlags } from "./build.ts";
import { containerVerbs, imageOptions } from "./container-grammar.ts";
import type { LogsFlags } from "./logs.ts";
import type { MonitorFlags } from "./monitor.ts";
import type { Flags } from "../shared/settings.ts";
import type { RunImageFlags } from "./run-image.ts";
import type { StatusFlags } from "./status.ts";
import type { StopFlags } from "./stop.ts";
import type { TryFlags } from "./try.ts";
import type { UpFlags } from "./up.ts";
import type { WaitFlags } from "./wait.ts";
import { type Choose, example, jsonOption } from "../shared/verb.ts";
import { worktreeVerbs } from "./worktree-grammar.ts";
import type { World } from "../shared/world.ts";

const forms = "such as api, shop:api in another project, a URL, or a project or its folder";
const which = `${forms} (default: all of this project)`;
const one = "such as api, shop:api in another project, or a URL";

export function runningVerbs(program: Command, choose: Choose, world: World): void {
  const up = program
    .command("up")
    .description("start the services in locald.toml in order, and keep them running")
    .argument(
      "[path]",
      "the project's folder or file (default: the nearest project, from here upward)",
    )
    .argument("[service...]", "start only these and their dependencies")
    .option(
      "--profile <name>",
      "also start the services with this profile; repeatable (default: LOCALHOSTESS_PROFILES)",
      (name: string, before: string[] = []) => [...before, name],
    )
    .option("--name <name>", "the project's name in this folder (default: LOCALHOSTESS_PROJECT)")
    .option("--no-name", "name it as its files do again")
    .option("--wait", "wait until all services are ready (default)")
    .option("--no-wait", "return once the start has begun")
    .option("--timeout <time>", "the longest time to wait, such as 90s or 2m")
    .option("--tasks", "run tasks again, also those that are completed")
    .option("-f, --file [file]", "the project's Procfile or TOML file; without one: --foreground")
    .option("--foreground", "stay, print the output of the services, and stop them on Ctrl-C")
    .option("-v, --verbose", "print the output of services while they start")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Exits with code 0 when all services are ready. Otherwise it prints the reason
and the last lines of each service that is not ready, and exits with code 1.
Services run in the daemon, which is started if necessary; they keep running
after the terminal is closed.`,
    )
    .action((path: string | undefined, services: string[], flags: UpFlags) =>
      choose(async () => {
        const words = path === undefined ? services : [path, ...services];
        return (await import("./up.ts")).up(words, flags, world);
      }),
    );
  example(up, "localhostess up apps/shop api");

  const build = program
    .command("build")
    .description("build services without starting them")
    .argument("[service]", which)
    .option("--clean", "build as if nothing had been built before")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Builds in the order in which services depend on each other: by the command, the
buildpacks, the Dockerfile or the builder that build says, and the files of
sites. Ctrl-C ends what is under way, and leaves the last build that succeeded.
The exit code is 1 if a build fails.`,
    )
    .action((service: string | undefined, flags: BuildFlags) =>
      choose(async () => (await import("./build.ts")).build(service, flags, world)),
    );
  example(build, "localhostess build api --clean");

  const stop = program
    .command("stop")
    .description("stop services, dependents first")
    .argument("[service...]", which)
    .option("-a, --all", "the services of all projects")
    .addOption(jsonOption())
    .action((services: string[], flags: StopFlags) =>
      choose(async () => (await import("./stop.ts")).stop(services, flags, world)),
    );
  example(stop, "localhostess stop api");

  const restart = program
    .command("restart")
    .description("restart services, and wait until they are ready")
    .argument("[service...]", which)
    .option("-a, --all", "the services of all projects")
    .addOption(jsonOption())
    .action((services: string[], flags: StopFlags) =>
      choose(async () => (await import("./stop.ts")).restart(services, flags, world)),
    );
  example(restart, "localhostess restart api");

  const wait = program
    .command("wait")
    .description("wait until services are ready, have stopped or have completed")
    .argument("<service...>", forms)
    .addOption(new Option("--for <state>", "what to wait for").choices(goals).default("ready"))
    .option("--timeout <time>", "the longest time to wait, such as 90s or 2m")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
The exit code is 0 when all are ready. For stopped and completed, it is that of
the service if it ended by itself, or 128 plus the number of its signal; the
first that is not 0, of several services. It is 1 if a service cannot become
what is waited for, or the time is up.`,
    )
    .action((services: string[], flags: WaitFlags) =>
      choose(async () => (await import("./wait.ts")).wait(services, flags, world)),
    );
  example(wait, "localhostess wait api web --timeout 90s && npm test");

  const status = program
    .command("status")
    .description("print the state of the services of this project")
    .argument("[service...]", which)
    .option("-a, --all", "the services of all projects (default outside a project)")
    .addOption(jsonOption())
    .action((services: string[], flags: StatusFlags) =>
      choose(async () => (await import("./status.ts")).status(services, flags, world)),
    );
  example(status, "localhostess status --json | jq -r '.[].state'");

  const logs = program
    .command("logs")
    .description("print the output of services, ordered by time")
    .argument("[service...]", which)
    .option("-a, --all", "the services of all projects (default outside a project)")
    .option("-f, --follow", "keep running and print new output")
    .option("-n, --tail <lines>", "print only the last lines")
    .option("--since <time>", "print only newer lines: 5m, 1h30m or 2026-05-04T12:00")
    .option("--no-color", "print without colors, even on a terminal")
    .addOption(jsonOption())
    .action((services: string[], flags: LogsFlags) =>
      choose(async () => (await import("./logs.ts")).logs(services, flags, world)),
    );
  example(logs, "localhostess logs -f --since 5m api worker");

  const attach = program
    .command("attach")
    .description("see the terminal of a running service, and type into it")
    .argument("<service>", one)
    .addHelpText(
      "after",
      `
Ctrl-] leaves; every other key, Ctrl-C too, goes to the service. While people
are attached, its terminal is as large as the smallest of theirs. Input that is
not from a terminal is sent as it is: echo rs | localhostess attach api`,
    )
    .addOption(jsonOption())
    .action((service: string, flags: Flags) =>
      choose(async () => (await import("./attach.ts")).attach(service, flags, world)),
    );
  example(attach, "localhostess attach api");

  const monitor = program
    .command("monitor")
    .description("watch the services of this project, start and stop them with keys")
    .option("-a, --all", "the services of all projects (default outside a project)")
    .addOption(jsonOption())
    .action((flags: MonitorFlags) =>
      choose(async () => (await import("./monitor.ts")).monitor(flags, world)),
    );
  example(monitor, "localhostess monitor");

  running(program, choose, world);
  worktreeVerbs(program, choose, world);
  registering(program, choose, world);
}

function running(program: Command, choose: Choose, world: World): void {
  const run = program
    .command("run")
    .description("run a command with the environment of a service, or an image of containers")
    .argument("<service>", `${one}; or an image, such as alpine or redis:7`)
    .argument("[command...]", "the command, after --")
    .usage("[options] <service> -- <command>\n       localhostess run [options] <image> [command]")
    .addHelpText(
      "after",
      `
A word that names no service is an image: localhostess container run --help
The exit code is that of the command, or 127 if it was not found.`,
    );
  imageOptions(run, "of an image: ")
    .addOption(jsonOption())
    .action((service: string, command: string[], flags: RunImageFlags) =>
      choose(async () => (await import("./run.ts")).run({ service, command }, flags, world)),
    );
  example(run, "localhostess run api -- bun run migrate --all");
  containerVerbs(program, choose, world);

  const attempt = program
    .command("try")
    .description("run a command with a free PORT and a NAME")
    .argument("[command...]", "the command, after --")
    .usage("[options] -- <command>")
    .option("-n, --name <name>", "the name (default: the name of this folder)")
    .addHelpText(
      "after",
      `
The exit code is that of the command. On a terminal, you are then asked whether
to add the command to locald.toml as a service.`,
    )
    .addOption(jsonOption())
    .action((command: string[], flags: TryFlags) =>
      choose(async () => (await import("./try.ts")).tryOut(command, flags, world)),
    );
  example(attempt, "localhostess try --name docs -- npx serve --cors");
}

function registering(program: Command, choose: Choose, world: World): void {
  const registry = program
    .command("registry")
    .description("manage the projects that the daemon knows");
  registry.helpCommand(false);
  const folder = "the project's folder (default: the nearest project, from here upward)";
  const list = registry
    .command("list")
    .description("list the projects")
    .addOption(jsonOption())
    .action((flags: Flags) =>
      choose(async () => (await import("./registry.ts")).registryList(flags, world)),
    );
  const pin = registry
    .command("pin")
    .description("start a project whenever the daemon starts")
    .argument("[path]", folder)
    .addOption(jsonOption())
    .action((path: string | undefined, { json }: Flags) =>
      choose(async () =>
        (await import("./registry.ts")).registryPin(path, { pinned: true, json }, world),
      ),
    );
  const unpin = registry
    .command("unpin")
    .description("start a project only on request")
    .argument("[path]", folder)
    .addOption(jsonOption())
    .action((path: string | undefined, { json }: Flags) =>
      choose(async () =>
        (await import("./registry.ts")).registryPin(path, { pinned: false, json }, world),
      ),
    );
  const forget = registry
    .command("forget")
    .description("forget a project: its pin, its approvals, its logs")
    .argument("<project>", "its name, or its folder, which may be gone")
    .addOption(jsonOption())
    .action((word: string, flags: Flags) =>
      choose(async () => (await import("./registry.ts")).registryForget(word, flags, world)),
    );
  const clean = registry
    .command("clean")
    .description("forget projects whose folder is gone, except pinned ones")
    .addOption(jsonOption())
    .action((flags: Flags) =>
      choose(async () => (await import("./registry.ts")).registryClean(flags, world)),
    );
  example(registry, "localhostess registry list");
  example(list, "localhostess registry list --json");
  example(pin, "localhostess registry pin apps/shop");
  example(unpin, "localhostess registry unpin");
  example(forget, "localhostess registry forget shop");
  example(clean, "localhostess registry clean");
}
