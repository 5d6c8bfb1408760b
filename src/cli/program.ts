/** Arguments -> the verb that they name, run; its exit code. What each verb does is in the file of its name. */
import { Command, CommanderError, Option } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { printable } from "../text/printable.ts";
import type { ApiFlags } from "./daemon/api.ts";
import type { DashboardFlags } from "./daemon/dashboard.ts";
import type { EnvFlags } from "./trust/env.ts";
import type { LsFlags } from "./servers/ls.ts";
import type { MachineFlags } from "./shared/machine.ts";
import { type Flags, UsageError } from "./shared/settings.ts";
import { projects } from "./projects/file-grammar.ts";
import type { StartFlags } from "./shared/daemon-here.ts";
import { completing } from "./typing/grammar.ts";
import { supervising } from "./projects/running-grammar.ts";
import type { TrustFlags } from "./trust/trust.ts";
import type { UntrustFlags } from "./trust/untrust.ts";
import { type Action, example, jsonOption } from "./shared/verb.ts";
import { patient, type World } from "./shared/world.ts";

export const exitCode = { done: 0, failed: 1, usage: 2 } as const;

/** Verbs are imported when they run: nobody who lists services waits for the proxy to be read. */
export async function run(argv: readonly string[], outside: World): Promise<number> {
  let action: Action | undefined;
  const world = { ...outside };
  const program = grammar(world, (chosen) => {
    action = chosen;
  });
  program.on("option:sandbox", (name: string) => {
    // Empty is not what somebody types who wants the usual daemon.
    world.env = { ...world.env, LOCALHOSTESS_SANDBOX: name || " " };
  });
  try {
    await program.parseAsync(withVerb(argv), { from: "user" });
    return (await action?.()) ?? exitCode.done;
  } catch (error) {
    if (error instanceof CommanderError) {
      // It has said what there is to say. Help and version end with 0.
      return error.exitCode === 0 ? exitCode.done : exitCode.usage;
    }
    const lines = error instanceof UsageError ? error.mistakes : [(error as Error).message];
    for (const line of lines) world.err.write(`localhostess: ${printable(line, 2000)}\n`);
    if (error instanceof UsageError) return exitCode.usage;
    if (argv.includes("--verbose")) world.err.write(`${(error as Error).stack}\n`);
    return exitCode.failed;
  }
}

/** `localhostess` alone, or with flags, is `localhostess ls`. */
function withVerb(argv: readonly string[]): string[] {
  const [first] = argv;
  const own = ["-h", "--help", "-V", "--version"];
  if (first?.startsWith("--sandbox")) {
    // `--sandbox ci url api`
    const verb = argv[first.includes("=") ? 1 : 2];
    if (verb !== undefined && !verb.startsWith("-")) return [...argv];
  }
  const isLs = first === undefined || (first.startsWith("-") && !own.includes(first));
  return isLs ? ["ls", ...argv] : [...argv];
}

function grammar(world: World, choose: (action: Action) => void): Command {
  const program = new Command("localhostess")
    .description("Names instead of ports for every server on this machine.")
    .version(packageJson.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [verb]", "print the help of a verb")
    .usage("[verb] [options]")
    .option("--sandbox <name>", "a daemon apart, with state and ports of its own; with every verb")
    .exitOverride()
    .showHelpAfterError("see: localhostess --help")
    .configureOutput({
      writeOut: (text) => void world.out.write(text),
      writeErr: (text) => void world.err.write(text),
      outputError: (text, write) =>
        write(
          text.replace(/^error: /, "localhostess: ").replace(/[^\n]+/g, (line) => printable(line)),
        ),
      getOutHelpWidth: () => world.out.columns() ?? 80,
      getErrHelpWidth: () => world.err.columns() ?? 80,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText(
      "after",
      `
Without a verb: ls. Start any server with NAME in its environment, and it has an address:
  $ NAME=api bun dev
  $ localhostess server start
  $ curl http://api.localhost:9090/

Exit codes: 0 done, 1 failed, 2 usage.
Environment: LOCALHOSTESS_PORT, LOCALHOSTESS_HTTP_PORT, LOCALHOSTESS_HTTPS_PORT,
LOCALHOSTESS_HTTPS_REDIRECT, LOCALHOSTESS_STATE_DIR, LOCALHOSTESS_SANDBOX,
LOCALHOSTESS_CONFIG, NO_COLOR.
Configuration: config.toml in ~/.config/localhostess; a flag beats a variable, and
a variable beats the file.`,
    );
  // Settings such as exitOverride are copied to the verbs when they are made, so they come last.
  listing(program, choose, world);
  server(program, choose, world);
  named(program, choose, world);
  browsers(program, choose, world);
  trusting(program, choose, world);
  projects(program, choose, world);
  supervising(program, choose, world);
  completing(program, choose, world);
  return program;
}

function listing(program: Command, choose: (action: Action) => void, world: World): void {
  const list = program
    .command("ls")
    .description("list the servers that have a name (this is what no verb means)")
    .option(
      "-w, --watch",
      "draw it again whenever something changes; with --json, an array per line",
    )
    .action((flags: LsFlags) =>
      choose(async () => (await import("./servers/ls.ts")).ls(flags, world)),
    );
  common(list);
  example(list, "localhostess ls --json | jq -r '.[].url'");
}

function server(program: Command, choose: (action: Action) => void, world: World): void {
  const group = program.command("server").description("the daemon that makes the names work");
  group.helpCommand(false);
  const start = group
    .command("start")
    .description("run the daemon in the foreground, until Ctrl-C")
    .option("-d, --detach", "in the background, unless it runs already")
    .addOption(new Option("--background").hideHelp())
    .addOption(new Option("--unless-running").hideHelp())
    .action((flags: StartFlags) =>
      choose(async () => {
        if (flags.detach)
          return (await import("./shared/daemon-here.ts")).serverDetach(flags, world);
        if (
          flags.unlessRunning &&
          (await (await import("./shared/daemon-here.ts")).alreadyRuns(flags, world))
        ) {
          return exitCode.done;
        }
        const [{ serverStart }, { startDaemon }] = await Promise.all([
          import("./daemon/server.ts"),
          import("../daemon/daemon.ts"),
        ]);
        return serverStart(flags, { world: patient(world), startDaemon });
      }),
    );
  proxyPorts(start, "0 picks one; LOCALHOSTESS_PORT, or else 9090");
  looking(start);
  example(start, "localhostess server start --port 8080");

  const stop = group
    .command("stop")
    .description("stop the daemon; answers under way may end, for ten seconds")
    .action((flags: Flags) =>
      choose(async () => (await import("./daemon/server-stop.ts")).serverStop(flags, world)),
    );
  example(stop, "localhostess server stop");

  const restart = group
    .command("restart")
    .description("start another in the daemon's place, without a gap, in the background")
    .action((flags: StartFlags) =>
      choose(async () => (await import("./shared/daemon-here.ts")).serverRestart(flags, world)),
    );
  proxyPorts(restart, "as before, unless LOCALHOSTESS_PORT or this says another");
  looking(restart);
  example(restart, "localhostess server restart");

  const status = group
    .command("status")
    .description("say whether the daemon runs (exit code 0) or not (1), and what to do")
    .addOption(jsonOption())
    .action((flags: Flags) =>
      choose(async () => (await import("./daemon/server-status.ts")).serverStatus(flags, world)),
    );
  example(status, "localhostess server status --json | jq .pid");

  const api = program
    .command("api")
    .description("send the daemon a command by hand, and print its reply as JSON")
    .argument("[command]", "such as Services or Events; without one, all are listed")
    .argument("[json]", "what the command is given, a JSON object")
    .option("--http", "by the HTTP API instead of the socket")
    .action((name: string | undefined, json: string | undefined, flags: ApiFlags) =>
      choose(async () => (await import("./daemon/api.ts")).api({ name, json }, { flags, world })),
    );
  example(api, `localhostess api Requests '{"service":"api","limit":5}'`);
  example(group, "localhostess server start --port 8080");
}

function proxyPorts(command: Command, which: string): void {
  command
    .addOption(portOption(`the port to listen on, ${which}`))
    .option(
      "--http-port <number|off>",
      "another port, for http URLs without one, if it can be had; LOCALHOSTESS_HTTP_PORT, or else 80",
    )
    .option(
      "--https-port <number|off>",
      "the same for https URLs; LOCALHOSTESS_HTTPS_PORT, or else 443",
    )
    .option("--https-redirect", "send page loads to https; LOCALHOSTESS_HTTPS_REDIRECT=1")
    .option("--other-users", "serve other users of this machine too; other_users = true")
    .option(
      "--tld <domain>",
      "a domain that names may end in besides localhost, such as test; repeatable, instead of config.toml's tlds",
      (tld: string, before: string[] = []) => [...before, tld],
    );
}

function named(program: Command, choose: (action: Action) => void, world: World): void {
  const name = "its NAME, in either case, with or without .localhost, or its URL";

  const url = program
    .command("url")
    .description("print the URL of a server")
    .argument("<name>", name)
    .action((text: string, flags: Flags) =>
      choose(async () => (await import("./servers/url.ts")).url(text, flags, world)),
    );
  common(url);
  example(url, "curl $(localhostess url api)/health");

  const port = program
    .command("port")
    .description("print the port that a server listens on itself")
    .argument("<name>", name)
    .action((text: string, flags: Flags) =>
      choose(async () => (await import("./servers/port.ts")).port(text, flags, world)),
    );
  common(port);
  example(port, "nc localhost $(localhostess port api)");

  const open = program
    .command("open")
    .description("open a server in the browser")
    .argument("<name>", `${name}, with a path if you like`)
    .addOption(portOption())
    .action((text: string, flags: Flags) =>
      choose(async () => (await import("./servers/open.ts")).open(text, flags, world)),
    );
  looking(open);
  example(open, "localhostess open api/docs");

  const why = program
    .command("why")
    .description("walk from a URL to its server and say which step fails")
    .argument("<url|name>", "what you would type into the browser, or a NAME")
    .action((text: string, flags: Flags) =>
      choose(async () => (await import("./servers/why.ts")).why(text, flags, world)),
    );
  common(why);
  example(why, "localhostess why http://api.localhost:9090/users");
}

function browsers(program: Command, choose: (action: Action) => void, world: World): void {
  const page = program
    .command("dashboard")
    .description("open the daemon's page: every server, and its requests as they happen")
    .option("--print", "print the link, which works once within a minute, and open nothing")
    .addOption(jsonOption())
    .action((flags: DashboardFlags) =>
      choose(async () => (await import("./daemon/dashboard.ts")).dashboard(flags, world)),
    );
  example(page, "localhostess dashboard");

  const pac = program
    .command("pac")
    .description("print the proxy auto-configuration file for browsers")
    .action((flags: Flags) =>
      choose(async () => (await import("./servers/pac.ts")).pac(flags, world)),
    );
  pac.addOption(portOption()).addOption(jsonOption());
  example(pac, "localhostess pac > proxy.pac");

  const browser = program
    .command("browser")
    .description("open Chromium with a throw-away profile that trusts our names")
    .argument("[name...]", "a NAME or its URL; after --, options for Chromium")
    .usage("[options] [name] [-- chromium options]")
    .addOption(portOption())
    .action((words: string[], flags: Flags) =>
      choose(async () => (await import("./trust/browser.ts")).browser(words, { flags, world })),
    );
  example(browser, "localhostess browser api");
}

function trusting(program: Command, choose: (action: Action) => void, world: World): void {
  const trust = program
    .command("trust")
    .description("make this machine's browsers and programs trust our https")
    .option("--status", "only look: which store has it")
    .option("--renew", "a new authority in the place of the old one, in every store")
    .option("--bare-names", "a second authority too, for https://api/; see below")
    .addOption(jsonOption())
    .addOption(rootOption())
    .addHelpText(
      "after",
      `
The authority may sign for localhost and the names under it, and for nothing
else: programs refuse what a stolen key signs for any other name.

--bare-names: a certificate authority can be limited to names under a domain,
but not to names without a dot. So https://api/ takes a second authority, and
that one may sign for every name there is. Whoever reads its key, in the state
directory, could pose as any website to this machine's browsers. Without it,
https://api.localhost/ and http://api/ work as they do.

Root is asked for by no command of ours: where a store needs it, the command is
shown.`,
    )
    .action((flags: TrustFlags) =>
      choose(async () => (await import("./trust/trust.ts")).trust(flags, world)),
    );
  example(trust, "localhostess trust");

  const untrust = program
    .command("untrust")
    .description("take our authority out of every trust store again")
    .option(
      "--forget",
      "delete its key, too, and that for bare names; without this they stay for the next trust",
    )
    .addOption(jsonOption())
    .addOption(rootOption())
    .action((flags: UntrustFlags) =>
      choose(async () => (await import("./trust/untrust.ts")).untrust(flags, world)),
    );
  example(untrust, "localhostess untrust");

  const env = program
    .command("env")
    .description("print shell lines that make curl, git, Node, Python and more trust us")
    .addOption(
      new Option("--shell <name>", "whose lines; fish where $SHELL says so, or else sh")
        // As in env.ts, which nobody needs for --help.
        .choices(["sh", "fish", "powershell"]),
    )
    .addOption(jsonOption())
    .addOption(rootOption())
    .action((flags: EnvFlags) =>
      choose(async () => (await import("./trust/env.ts")).env(flags, world)),
    );
  example(env, 'eval "$(localhostess env)"');

  const doctor = program
    .command("doctor")
    .description("look at all that https and names need, and say what mends it")
    .addOption(portOption())
    .addOption(jsonOption())
    .addOption(rootOption())
    .action((flags: MachineFlags) =>
      choose(async () => (await import("./trust/doctor.ts")).doctor(flags, world)),
    );
  example(doctor, "localhostess doctor --json | jq '.[] | select(.fix)'");
}

/** For tests, which may run as root: the system's own stores are not theirs to change. */
function rootOption(): Option {
  return new Option("--root <directory>", "another directory in the place of /").hideHelp();
}

function portOption(description?: string): Option {
  return new Option(
    "-p, --port <number>",
    description ?? "the proxy's port; LOCALHOSTESS_PORT, the port of the proxy that runs, or 9090",
  );
}

/** How the machine is looked at. */
function looking(command: Command): void {
  command
    .addOption(
      new Option("--scanner <kind>", "how to look for servers; auto: procfs where there is one")
        // As in discovery/source.ts, which nobody needs for --help.
        .choices(["auto", "procfs", "lsof"]),
    )
    .option("--all-users", "look at everybody's processes, as far as they can be read")
    .option("-v, --verbose", "say what was skipped, and why");
}

function common(command: Command): void {
  command.addOption(portOption()).addOption(jsonOption());
  looking(command);
}
