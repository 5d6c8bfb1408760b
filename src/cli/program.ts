/** Arguments -> the verb that they name, run; its exit code. What each verb does is in the file of its name. */
import { Command, CommanderError, Option } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { printable } from "../discovery/printable.ts";
import type { EnvFlags } from "./env.ts";
import type { LsFlags } from "./ls.ts";
import type { MachineFlags } from "./machine.ts";
import { type Flags, UsageError } from "./settings.ts";
import type { TrustFlags } from "./trust.ts";
import { patient, type World } from "./world.ts";

export const exitCode = { done: 0, failed: 1, usage: 2 } as const;

type Action = () => Promise<number>;

/** Verbs are imported when they run: nobody who lists services waits for the proxy to be read. */
export async function run(argv: readonly string[], world: World): Promise<number> {
  let action: Action | undefined;
  const program = grammar(world, (chosen) => {
    action = chosen;
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
LOCALHOSTESS_HTTPS_REDIRECT, LOCALHOSTESS_STATE_DIR, LOCALHOSTESS_CONFIG, NO_COLOR.
Configuration: config.toml in ~/.config/localhostess; a flag beats a variable, and
a variable beats the file.`,
    );
  // Settings such as exitOverride are copied to the verbs when they are made, so they come last.
  listing(program, choose, world);
  server(program, choose, world);
  named(program, choose, world);
  browsers(program, choose, world);
  trusting(program, choose, world);
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
    .action((flags: LsFlags) => choose(async () => (await import("./ls.ts")).ls(flags, world)));
  common(list);
  example(list, "localhostess ls --json | jq -r '.[].url'");
}

function server(program: Command, choose: (action: Action) => void, world: World): void {
  const group = program.command("server").description("the proxy that makes the names work");
  group.helpCommand(false);
  const start = group
    .command("start")
    .description("run the proxy in the foreground, until Ctrl-C")
    .addOption(portOption("the port to listen on, 0 picks one; LOCALHOSTESS_PORT, or else 9090"))
    .option(
      "--http-port <number|off>",
      "another port, for http URLs without one, if it can be had; LOCALHOSTESS_HTTP_PORT, or else 80",
    )
    .option(
      "--https-port <number|off>",
      "the same for https URLs; LOCALHOSTESS_HTTPS_PORT, or else 443",
    )
    .option("--https-redirect", "send page loads to https; LOCALHOSTESS_HTTPS_REDIRECT=1")
    .option(
      "--tld <domain>",
      "a domain that names may end in besides localhost, such as test; repeatable, instead of config.toml's tlds",
      (tld: string, before: string[] = []) => [...before, tld],
    )
    .action((flags: Flags) =>
      choose(async () => {
        const [{ serverStart }, { startDaemon }] = await Promise.all([
          import("./server.ts"),
          import("../daemon.ts"),
        ]);
        return serverStart(flags, { world: patient(world), startDaemon });
      }),
    );
  looking(start);
  example(group, "localhostess server start --port 8080");
  example(start, "localhostess server start --port 8080");
}

function named(program: Command, choose: (action: Action) => void, world: World): void {
  const name = "its NAME, in either case, with or without .localhost, or its URL";

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
    .description("print the port that a server listens on itself")
    .argument("<name>", name)
    .action((text: string, flags: Flags) =>
      choose(async () => (await import("./port.ts")).port(text, flags, world)),
    );
  common(port);
  example(port, "nc localhost $(localhostess port api)");

  const open = program
    .command("open")
    .description("open a server in the browser")
    .argument("<name>", `${name}, with a path if you like`)
    .addOption(portOption())
    .action((text: string, flags: Flags) =>
      choose(async () => (await import("./open.ts")).open(text, flags, world)),
    );
  looking(open);
  example(open, "localhostess open api/docs");

  const why = program
    .command("why")
    .description("walk from a URL to its server and say which step fails")
    .argument("<url|name>", "what you would type into the browser, or a NAME")
    .action((text: string, flags: Flags) =>
      choose(async () => (await import("./why.ts")).why(text, flags, world)),
    );
  common(why);
  example(why, "localhostess why http://api.localhost:9090/users");
}

function browsers(program: Command, choose: (action: Action) => void, world: World): void {
  const pac = program
    .command("pac")
    .description("print the proxy auto-configuration file for browsers")
    .action((flags: Flags) => choose(async () => (await import("./pac.ts")).pac(flags, world)));
  pac.addOption(portOption()).addOption(jsonOption());
  example(pac, "localhostess pac > proxy.pac");

  const browser = program
    .command("browser")
    .description("open Chromium with a throw-away profile that trusts our names")
    .argument("[name...]", "a NAME or its URL; after --, options for Chromium")
    .usage("[options] [name] [-- chromium options]")
    .addOption(portOption())
    .action((words: string[], flags: Flags) =>
      choose(async () => (await import("./browser.ts")).browser(words, { flags, world })),
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
      choose(async () => (await import("./trust.ts")).trust(flags, world)),
    );
  example(trust, "localhostess trust");

  const untrust = program
    .command("untrust")
    .description("take our authority out of every trust store again")
    .addOption(jsonOption())
    .addOption(rootOption())
    .action((flags: MachineFlags) =>
      choose(async () => (await import("./untrust.ts")).untrust(flags, world)),
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
    .action((flags: EnvFlags) => choose(async () => (await import("./env.ts")).env(flags, world)));
  example(env, 'eval "$(localhostess env)"');

  const doctor = program
    .command("doctor")
    .description("look at all that https and names need, and say what mends it")
    .addOption(portOption())
    .addOption(jsonOption())
    .addOption(rootOption())
    .action((flags: MachineFlags) =>
      choose(async () => (await import("./doctor.ts")).doctor(flags, world)),
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

function jsonOption(): Option {
  return new Option("--json", "print JSON");
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

function example(command: Command, text: string): void {
  command.addHelpText("after", `\nExample:\n  $ ${text}`);
}
