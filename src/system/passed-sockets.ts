/** The sockets that a service manager has passed to this process, by the rules of sd_listen_fds(3). Uses libc. */
import { libc } from "./libc.ts";

export type PassedSocket = {
  descriptor: number;
  /** The name of the socket unit, from LISTEN_FDNAMES; `unknown` where there is none. */
  name: string;
};

const variables = ["LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES"];

/** SD_LISTEN_FDS_START. */
const first = 3;
/** More than any unit of ours has; a number beyond it is nobody's. */
const most = 64;

/** fcntl(2): the same on Linux and macOS. */
const F_GETFD = 1;
const F_SETFD = 2;
const FD_CLOEXEC = 1;

type Variables = Readonly<Record<string, string | undefined>>;

export type PassedOptions = {
  /** The same variables, which are removed from all of them: what this process starts knows nothing of the sockets. */
  envs: readonly [Variables, ...Variables[]];
  pid: number;
};

/** To be called once, before any process is started. Empty where the sockets are meant for another process. */
export function takePassedSockets({ envs, pid }: PassedOptions): PassedSocket[] {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = envs[0];
  for (const env of envs) {
    for (const name of variables) delete (env as Record<string, string | undefined>)[name];
  }
  if (LISTEN_PID !== String(pid) || !/^[1-9]\d?$/.test(LISTEN_FDS ?? "")) return [];
  const count = Math.min(Number(LISTEN_FDS), most);
  const names = (LISTEN_FDNAMES ?? "").split(":");
  const calls = libc({ fcntl: { args: ["i32", "i32", "i32"], returns: "i32" } });
  const passed: PassedSocket[] = [];
  for (let at = 0; at < count; at++) {
    const descriptor = first + at;
    // The manager may have said more than there is.
    if (calls === undefined || calls.fcntl(descriptor, F_GETFD, 0) < 0) continue;
    calls.fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    passed.push({ descriptor, name: names[at] || "unknown" });
  }
  return passed;
}
