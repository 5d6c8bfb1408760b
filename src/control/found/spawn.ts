/** A command line -> a daemon in a session of its own, which outlives whoever started it. */
import { closeSync, fstatSync, readSync } from "node:fs";
import { openRegularSync, openToAppendSync } from "../../system/regular-file.ts";
import type { Spawned } from "./connect.ts";

export type SpawnOptions = {
  command: readonly string[];
  /** Of the client. What a daemon has no use for stays behind. */
  env: Readonly<Record<string, string | undefined>>;
  /** What it prints is appended there. */
  log: string;
};

/** Whatever else is in a shell's environment, tokens and all, would be in the daemon's for as long as it runs. */
const passedOn =
  /^(HOME|USER|LOGNAME|PATH|SHELL|LANG|LC_\w+|TZ|TMPDIR|XDG_\w+|LOCALHOSTESS_(?!RUN_ID$|NAME$|URL$)\w+|LOCALD_(SANDBOX_ACTIVE|SOCKET)|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|DBUS_SESSION_BUS_ADDRESS|SUDO_UID|BUN_RUNTIME_TRANSPILER_CACHE_PATH)$/;

/** Characters of the log that a failure shows. */
const longestTail = 2_000;

/** @throws Error of the file system, with `code`, where there can be no log; that of the system, where there can be no process. */
export function spawnDaemon({ command, env, log }: SpawnOptions): Spawned {
  const file = openToAppendSync(log);
  const before = fstatSync(file).size;
  let child: Bun.Subprocess;
  try {
    child = Bun.spawn([...command], {
      cwd: "/",
      env: Object.fromEntries(
        Object.entries(env).filter((its): its is [string, string] => {
          return its[1] !== undefined && passedOn.test(its[0]);
        }),
      ),
      stdin: "ignore",
      stdout: file,
      stderr: file,
      // setsid(2): neither the terminal's Ctrl-C nor its end reaches it.
      detached: true,
    });
  } finally {
    closeSync(file);
  }
  child.unref();
  return {
    ended: child.exited.then((code) => child.signalCode ?? code),
    logTail: () => textFrom(log, before),
  };
}

/** What has been written since it was `before` bytes long; of a file that was put aside meanwhile, what the new one has. */
function textFrom(path: string, before: number): string {
  const opened = openRegularSync(path, { follow: false });
  // Removed: then there is nothing to show.
  if (opened.kind !== "file") return "";
  const { file, its } = opened;
  try {
    const { size } = its;
    const start = Math.max(size < before ? 0 : before, size - longestTail);
    const bytes = Buffer.alloc(size - start);
    return bytes.toString("utf8", 0, readSync(file, bytes, 0, bytes.length, start)).trim();
  } finally {
    closeSync(file);
  }
}
