/** How this process was started -> who waits for its end, and what becomes of it when another daemon takes over. */
import { launchdLabel } from "./plist-text.ts";

export type StartedBy =
  /** A person, or a command that needed a daemon. */
  | "anybody"
  /** A program that listens on NOTIFY_SOCKET, and follows the daemon to its next process. */
  | "systemd"
  /** launchd, which waits for the process that it has started, and for no other. */
  | "launchd"
  /** Nobody: the first process of a container, with which the container ends. */
  | "container"
  /** The first process of a container, as with `docker run --init`: it ends when we do. */
  | "init";

export type StartOptions = {
  pid: number;
  /** The parent's pid. */
  parent: number;
  platform: NodeJS.Platform;
  /** The daemon writes into its log. */
  background: boolean;
  env: Readonly<Record<string, string | undefined>>;
};

export function startedBy({ pid, parent, platform, background, env }: StartOptions): StartedBy {
  if (pid === 1) return "container";
  if (env.NOTIFY_SOCKET) return "systemd";
  if (parent !== 1) return "anybody";
  if (platform === "darwin") return env.XPC_SERVICE_NAME === launchdLabel ? "launchd" : "anybody";
  // A daemon in the background may have lost the command that has started it.
  return background ? "anybody" : "init";
}

/**
 * The process whose daemon was replaced. `keeps`: a small program that keeps the services which it has started, or
 * nothing. `ends`: nothing, at once, where its successor is not the manager's. `minds`: it waits for the end of the
 * daemon that has taken over, as its own end would be taken for that.
 */
export const whenReplaced: Readonly<
  Record<StartedBy, Readonly<Record<"same unit" | "elsewhere", "keeps" | "ends" | "minds">>>
> = {
  anybody: { "same unit": "keeps", elsewhere: "keeps" },
  systemd: { "same unit": "keeps", elsewhere: "ends" },
  launchd: { "same unit": "minds", elsewhere: "minds" },
  container: { "same unit": "minds", elsewhere: "minds" },
  init: { "same unit": "minds", elsewhere: "minds" },
};
