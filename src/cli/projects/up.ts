/** `localhostess up [path] [service...]` -> the services of a project, running and ready, or the reason why not. */
import { ensureDaemon, tellStarted } from "../shared/daemon-here.ts";
import { definedOf } from "../shared/defined.ts";
import { type Flags, settingsOf, UsageError } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import { askedFor } from "./asked-for.ts";
import { patienceOf } from "./patience.ts";

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
  if (flags.foreground && flags.json) {
    throw new UsageError(["--foreground and --json cannot be combined"]);
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
    },
  };
  const upping = { socket, request, project, world };
  if (flags.foreground) {
    const { upInForeground } = await import("./up-foreground.ts");
    return await upInForeground(upping, { patience });
  }
  const { upInBackground } = await import("./up-background.ts");
  return await upInBackground(upping, {
    wait: flags.wait ?? true,
    patience,
    json: flags.json ?? false,
  });
}
