/** `localhostess up [path] [service...]` -> the services of a project, running and ready, or the reason why not. */
import { longestTimer, readDuration } from "../../text/duration.ts";
import { ensureDaemon, tellStarted } from "../shared/daemon-here.ts";
import { definedOf } from "../shared/defined.ts";
import { type Flags, settingsOf, UsageError } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import { askedFor } from "./asked-for.ts";

export type UpFlags = Flags & {
  /** `false`: `--no-wait`. */
  wait?: boolean;
  timeout?: string;
  foreground?: boolean;
};

export async function up(words: readonly string[], flags: UpFlags, world: World): Promise<number> {
  const patience = patienceOf(flags.timeout);
  if (flags.foreground && flags.wait === false) {
    throw new UsageError(["--foreground and --no-wait cannot be combined"]);
  }
  const { project, services } = await askedFor(words, world);
  const settings = await settingsOf(flags, world);
  const daemon = await ensureDaemon({ flags: {}, settings, world });
  tellStarted(daemon, world);
  const { socket } = daemon.registration;
  const request = {
    Start: {
      project_path: project.directory,
      verbose: flags.verbose ?? false,
      env: definedOf(world.env),
      ...(services.length === 0 ? {} : { services }),
      // A person who watches the services goes on watching, and one who says how long to wait waits that long.
      ...(flags.foreground || patience !== undefined ? { patience: longestTimer } : {}),
    },
  };
  const upping = { socket, request, project, world };
  if (flags.foreground) {
    const { upInForeground } = await import("./up-foreground.ts");
    return await upInForeground(upping);
  }
  const { upInBackground } = await import("./up-background.ts");
  return await upInBackground(upping, { wait: flags.wait ?? true, patience });
}

/** Milliseconds; undefined: without a limit. @throws UsageError */
function patienceOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const read = readDuration(text);
  if (read.kind === "mistake") throw new UsageError([`--timeout: ${read.why}`]);
  if (read.value === 0) throw new UsageError(["--timeout: expected a duration longer than 0"]);
  return read.value;
}
