/** A host and the paths of sockets -> the arguments of ssh. Pure. */

/** How long ssh waits for a connection and for the other side's first words, in seconds. */
export const connectSeconds = 10;

/** Seconds. A link on which nothing comes back is ended after three of these: ssh's own check, below ours. */
const aliveSeconds = 5;

/** In the place of what a person's configuration says: none of it is ours to use. */
const never = [
  // Nothing is asked of a person, who would not see it.
  "BatchMode=yes",
  // No port of either side: the LocalForward of a person's configuration would be open twice.
  "ClearAllForwardings=yes",
  "GatewayPorts=no",
  "Tunnel=no",
  "ForwardAgent=no",
  "ForwardX11=no",
  "PermitLocalCommand=no",
  "RemoteCommand=none",
  "RequestTTY=no",
  "ControlPersist=no",
  "ExitOnForwardFailure=no",
] as const;

/** Options of OpenSSH 8.7 (2021) and later; one that does not know them ends, and has no such settings either. */
const neverSince8 = ["ForkAfterAuthentication=no", "SessionType=default", "StdinNull=no"] as const;

/** Whether ssh has ended because it is too old for our options. */
export function isTooOld(errors: string): boolean {
  return /^command-line:? line 0: Bad configuration option/m.test(errors);
}

/**
 * The one connection of a remote, with a session of `sh` that reads its standard input. It ends with that input, also
 * where we are killed. `control` is the path of its control socket; `isOld`: ssh is from before 8.7.
 */
export function sessionArguments(
  host: string,
  { control, isOld }: { control: string; isOld: boolean },
): string[] {
  const options = [
    ...never,
    ...(isOld ? [] : neverSince8),
    "ControlMaster=yes",
    `ControlPath=${control}`,
    `ConnectTimeout=${connectSeconds}`,
    "ConnectionAttempts=1",
    `ServerAliveInterval=${aliveSeconds}`,
    "ServerAliveCountMax=3",
    // Nobody else of this machine connects to what runs there.
    "StreamLocalBindMask=0177",
    "StreamLocalBindUnlink=yes",
    // The least at which ssh tells of a server there that takes no connection.
    "LogLevel=INFO",
  ];
  return ["-T", ...options.flatMap((option) => ["-o", option]), "--", host, "sh"];
}

export type Forward = {
  /** The path of the socket here. */
  socket: string;
  /** `127.0.0.1:3000`, `[::1]:3000`, or the path of a socket there. */
  to: string;
};

/** One command to the connection that runs: it opens or closes sockets here. No configuration is read for that. */
export function forwardArguments(
  verb: "forward" | "cancel",
  { control, host, forwards }: { control: string; host: string; forwards: readonly Forward[] },
): string[] {
  return [
    ...["-F", "/dev/null", "-S", control, "-O", verb],
    ...forwards.flatMap(({ socket, to }) => ["-L", `${socket}:${to}`]),
    ...["--", host],
  ];
}

/** Characters that ssh takes in paths as they are: it reads `%`, `$`, `~`, `:`, backslashes and quotes otherwise. */
export function isPlainPath(path: string): boolean {
  return /^\/[A-Za-z0-9_./+-]+$/.test(path);
}
