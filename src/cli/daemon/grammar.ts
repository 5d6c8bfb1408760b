/** The verbs about the daemon -> their part of the grammar. */
import { type Command, Option } from "commander";
import type { StartFlags } from "../shared/daemon-here.ts";
import { type Flags, UsageError } from "../shared/settings.ts";
import { exitCode } from "../shared/exit-code.ts";
import { type Choose, example, jsonOption, looking, proxyPorts } from "../shared/verb.ts";
import { patient, type World } from "../shared/world.ts";
import type { ApiFlags } from "./api.ts";
import type { ConnectFlags } from "./connect.ts";
import type { DashboardFlags } from "./dashboard.ts";

export function daemonVerbs(program: Command, choose: Choose, world: World): void {
  const group = program.command("server").description("start, stop or check the daemon");
  group.helpCommand(false);
  const start = group
    .command("start")
    .description("run the daemon in the foreground, until Ctrl-C")
    .option("-d, --detach", "run it in the background, unless it is running already")
    .addOption(new Option("--background").hideHelp())
    .addOption(new Option("--unless-running").hideHelp())
    .action((flags: StartFlags) => choose(() => started(flags, world)));
  start.addOption(jsonOption());
  proxyPorts(start, "; 0 picks a free one (default: LOCALHOSTESS_PORT or 9090)");
  looking(start);
  example(start, "localhostess server start --port 8080");

  const stop = group
    .command("stop")
    .description("stop the daemon; requests in progress have ten seconds to finish")
    .addOption(jsonOption())
    .action((flags: Flags) =>
      choose(async () => (await import("./server-stop.ts")).serverStop(flags, world)),
    );
  example(stop, "localhostess server stop");

  const restart = group
    .command("restart")
    .description("replace the daemon by a new one, without downtime; services go on")
    .action((flags: StartFlags) =>
      choose(async () => {
        const { serverRestart } = await import("../shared/daemon-here.ts");
        return await reported(await serverRestart(flags, world), { flags, world });
      }),
    );
  restart.addOption(jsonOption());
  proxyPorts(restart, " (default: LOCALHOSTESS_PORT, or the same as before)");
  looking(restart);
  example(restart, "localhostess server restart");

  const status = group
    .command("status")
    .description("report whether the daemon is running (exit code 0) or not (1)")
    .addOption(jsonOption())
    .action((flags: Flags) =>
      choose(async () => (await import("./server-status.ts")).serverStatus(flags, world)),
    );
  example(status, "localhostess server status --json | jq .pid");
  example(group, "localhostess server start --port 8080");

  const api = program
    .command("api")
    .description("send a command to the daemon and print its reply as JSON")
    .argument("[command]", "such as Services or Events; without it, all are listed")
    .argument("[json]", "the command's input, a JSON object")
    .option("--http", "use the HTTP API instead of the socket")
    .addOption(jsonOption())
    .action((name: string | undefined, json: string | undefined, flags: ApiFlags) =>
      choose(async () => (await import("./api.ts")).api({ name, json }, { flags, world })),
    );
  example(api, `localhostess api Requests '{"service":"api","limit":5}'`);

  const page = program
    .command("dashboard")
    .description("open the dashboard: every server, and its requests as they happen")
    .option("--print", "print the link instead, which is valid once and for a minute")
    .addOption(jsonOption())
    .action((flags: DashboardFlags) =>
      choose(async () => (await import("./dashboard.ts")).dashboard(flags, world)),
    );
  example(page, "localhostess dashboard");

  const connect = program
    .command("connect")
    .description("open a web page of your own, and let it use the daemon's API")
    .argument("<url>", "the page; its origin has to be in allowed_origins of config.toml")
    .option("--print", "print the link instead, which is valid once and for a minute")
    .addOption(jsonOption())
    .action((url: string, flags: ConnectFlags) =>
      choose(async () => (await import("./connect.ts")).connect(url, { flags, world })),
    );
  connect.addHelpText(
    "after",
    `
The link has a token, which only a page of that origin can exchange for the
daemon's credential. With it, the page can do all that localhostess commands do.`,
  );
  example(connect, "localhostess connect http://localhost:5173/");
}

/** With `--json`, a verb that has started a daemon answers as `server status` does. */
async function reported(
  code: number,
  { flags, world }: { flags: StartFlags; world: World },
): Promise<number> {
  if (code !== exitCode.done || !flags.json) return code;
  return await (await import("./server-status.ts")).serverStatus(flags, world);
}

async function started(flags: StartFlags, world: World): Promise<number> {
  if (flags.detach) {
    const { serverDetach } = await import("../shared/daemon-here.ts");
    return await reported(await serverDetach(flags, world), { flags, world });
  }
  if (!flags.background) return await inFront(flags, patient(world));
  try {
    return await inFront(flags, world);
  } catch (error) {
    // The reader is whoever has started us, who passes it on.
    world.out.write(`${linesOf(error).join("\n")}\n`);
    throw error;
  }
}

async function inFront(flags: StartFlags, world: World): Promise<number> {
  const turn = await (await import("../shared/daemon-here.ts")).startingTurn(flags, world);
  if (turn === undefined) return exitCode.done;
  const [{ serverStart }, { startDaemon }] = await Promise.all([
    import("./server.ts"),
    import("../../daemon/daemon.ts"),
  ]);
  return await serverStart(flags, {
    world,
    startDaemon: (options) => startDaemon(options).finally(turn.release),
  });
}

function linesOf(error: unknown): readonly string[] {
  return error instanceof UsageError ? error.mistakes : [(error as Error).message];
}
