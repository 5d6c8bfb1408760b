/** A command line -> a daemon in a session of its own, which outlives the process that started it. */
import { buildVariables } from "../../manifest/order.ts";
import { unwritableError } from "../../text/unwritable.ts";
import { closeSync, fstatSync, readSync } from "node:fs";
import { processNow } from "../../system/process-now.ts";
import { openRegularSync, openToAppendSync } from "../../system/regular-file.ts";
import type { Spawned } from "./connect.ts";

export type SpawnOptions = {
  command: readonly string[];
  /** The client's environment. Only variables that a daemon needs are passed on. */
  env: Readonly<Record<string, string | undefined>>;
  /** The file to which the daemon's errors are appended. */
  log: string;
};

/** The end of a build would be the daemon's. */
const ofBuilds: readonly string[] = Object.values(buildVariables);

/** Any other variable of the shell, tokens included, would stay in the daemon's environment for as long as it runs. */
const passedOn =
  /^(HOME|USER|LOGNAME|PATH|SHELL|LANG|LC_\w+|TZ|TMPDIR|XDG_\w+|LOCALHOSTESS_(?!RUN_ID$|NAME$|URL$)\w+|LOCALD_(SANDBOX_ACTIVE|SOCKET)|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|DBUS_SESSION_BUS_ADDRESS|SSH_AUTH_SOCK|SUDO_UID|DOCKER_(HOST|CONTEXT|CONFIG)|CONTAINER_HOST|COLIMA_HOME|BUN_RUNTIME_TRANSPILER_CACHE_PATH)$/;

/** Characters of the log that a failure shows. */
const longestTail = 2_000;

/** @throws the file system's error, with `code`, for the log, or the system's error for the process. */
export function spawnDaemon({ command, env, log }: SpawnOptions): Spawned {
  const file = opened(log);
  const before = fstatSync(file).size;
  let child: Bun.Subprocess;
  try {
    child = Bun.spawn([...command], {
      cwd: "/",
      env: Object.fromEntries(
        Object.entries(env).filter((its): its is [string, string] => {
          return its[1] !== undefined && !ofBuilds.includes(its[0]) && passedOn.test(its[0]);
        }),
      ),
      stdin: "ignore",
      // Words for us alone: a full disk, or a log that is no file, keeps no daemon from saying why it ends.
      stdout: "pipe",
      stderr: file,
      // setsid(2): neither Ctrl-C nor the end of the terminal reaches the daemon.
      detached: true,
    });
  } finally {
    closeSync(file);
  }
  child.unref();
  const ended = child.exited.then((code) => child.signalCode ?? code);
  return {
    pid: child.pid,
    ended,
    sign: () => workOf(child.pid),
    lastWords: () => wordsOf(child),
    logTail: () => textFrom(log, before),
    async end() {
      child.kill("SIGTERM");
      await within(endPatience, ended);
      // Harmless where it has ended: the process is ours, so its pid is nobody else's before we have its exit code.
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Milliseconds for a daemon that is told to end before it has begun. */
const endPatience = 2_000;
/** Milliseconds: a process that the daemon left behind may hold the pipe. */
const wordsPatience = 500;

/** Changes while the process computes, or reads what it needs from a slow disk. */
function workOf(pid: number): string | undefined {
  const its = processNow(pid);
  return its === undefined ? undefined : `${its.cpuTicks} ${its.pages} ${its.image}`;
}

async function wordsOf({ stdout }: Bun.Subprocess): Promise<string> {
  const decoder = new TextDecoder();
  let words = "";
  const read = async (): Promise<void> => {
    for await (const bytes of stdout as ReadableStream<Uint8Array>) {
      words += decoder.decode(bytes, { stream: true });
    }
  };
  await within(wordsPatience, read());
  return words.slice(-longestTail).trim();
}

/** Undefined where it takes longer, in milliseconds. */
async function within<T>(patience: number, promise: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(late.resolve, patience, undefined);
  const first = await Promise.race([promise, late.promise]);
  clearTimeout(timer);
  return first;
}

function opened(log: string): number {
  try {
    return openToAppendSync(log);
  } catch (error) {
    throw unwritableError(log, error as NodeJS.ErrnoException);
  }
}

/** The text after the first `before` bytes; all of it, if the file was rotated meanwhile. */
function textFrom(path: string, before: number): string {
  const read = openRegularSync(path, { follow: false });
  // The file was removed: there is nothing to show.
  if (read.kind !== "file") return "";
  const { file, its } = read;
  try {
    const { size } = its;
    const start = Math.max(size < before ? 0 : before, size - longestTail);
    const bytes = Buffer.alloc(size - start);
    return bytes.toString("utf8", 0, readSync(file, bytes, 0, bytes.length, start)).trim();
  } finally {
    closeSync(file);
  }
}
