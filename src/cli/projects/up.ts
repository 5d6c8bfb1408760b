/** `localhostess up [path] [service...]` -> the services of a project, running and ready, or the reason why not. */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { readDuration } from "../../text/duration.ts";
import { ensureDaemon, tellStarted } from "../shared/daemon-here.ts";
import { definedOf } from "../shared/defined.ts";
import { isProjectFile } from "../shared/project-files.ts";
import { type Flags, settingsOf, UsageError } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import { askedFor } from "./asked-for.ts";

export type UpFlags = Flags & {
  /** True, or a word that names no file: then `-f` is `--foreground`. */
  file?: string | true;
  /** `false`: `--no-wait`. */
  wait?: boolean;
  timeout?: string;
  foreground?: boolean;
};

export async function up(typed: readonly string[], given: UpFlags, world: World): Promise<number> {
  const { words, file, flags } = await meant(typed, given, world);
  const patience = patienceOf(flags.timeout);
  if (flags.foreground && flags.wait === false) {
    throw new UsageError(["--foreground and --no-wait cannot be combined"]);
  }
  const { project, services, file: named } = await askedFor(words, world, { file });
  const settings = await settingsOf(flags, world);
  const daemon = await ensureDaemon({ flags: {}, settings, world });
  tellStarted(daemon, world);
  const { socket } = daemon.registration;
  const request = {
    Start: {
      project_path: project.directory,
      ...(named === undefined ? {} : { file: named }),
      verbose: flags.verbose ?? false,
      env: definedOf(world.env),
      ...(services.length === 0 ? {} : { services }),
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

/** foreman's `-f` names the file; with anything else behind it, or nothing, it stands for `--foreground`. */
async function meant(words: readonly string[], { file, ...flags }: UpFlags, { cwd }: World) {
  if (file === undefined) return { words, file, flags };
  const foreground = { ...flags, foreground: true };
  if (file === true) return { words, file: undefined, flags: foreground };
  const found = await stat(resolve(cwd, file)).catch(() => undefined);
  if (found?.isFile() || isProjectFile(file)) return { words, file, flags };
  return { words: [file, ...words], file: undefined, flags: foreground };
}

/** Milliseconds; undefined: without a limit. @throws UsageError */
function patienceOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const read = readDuration(text);
  if (read.kind === "mistake") throw new UsageError([`--timeout: ${read.why}`]);
  if (read.value === 0) throw new UsageError(["--timeout: expected a duration longer than 0"]);
  return read.value;
}
