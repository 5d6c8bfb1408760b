/** A datagram to NOTIFY_SOCKET -> what the service says of itself. sd_notify(3). */

export type Notice =
  | { kind: "ready" }
  | { kind: "reloading" }
  | { kind: "stopping" }
  | { kind: "status"; text: string }
  | { kind: "main-pid"; pid: number }
  /** Milliseconds. */
  | { kind: "extend"; by: number }
  /** A sign of life. */
  | { kind: "watchdog" }
  /** The service asks to be treated as dead. */
  | { kind: "watchdog-trigger" }
  /** Milliseconds between two signs of life, from now on; 0: no more of them. */
  | { kind: "watchdog-every"; period: number }
  /** Our own program: it was ready, and is not at the moment. */
  | { kind: "unready"; why: string }
  /** Our own program: the reason of the end that follows. `passing`: it may be another one at the next try. */
  | { kind: "cannot"; why: string; passing: boolean }
  /** Our own program: the build is done, and the service itself begins in its place. */
  | { kind: "built" }
  /** Our own program: the users, besides us and root, who hold its port for it. */
  | { kind: "port-owners"; uids: readonly number[] };

/** systemd's own bound on a message (NOTIFY_BUFFER_MAX). */
const longest = 4096;

/** Characters of a status that are shown. */
const statusLength = 200;

const controls = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** In the order in which they stand. Lines that say nothing known are passed over, as systemd does. */
export function noticesIn(bytes: Uint8Array): Notice[] {
  if (bytes.length > longest) return [];
  const notices: Notice[] = [];
  for (const line of new TextDecoder().decode(bytes).split("\n")) {
    const equals = line.indexOf("=");
    if (equals === -1) continue;
    const notice = noticeOf(line.slice(0, equals), line.slice(equals + 1).trimEnd());
    if (notice !== undefined) notices.push(notice);
  }
  return notices;
}

function noticeOf(name: string, value: string): Notice | undefined {
  switch (name) {
    case "READY":
      return value === "1" ? { kind: "ready" } : undefined;
    case "RELOADING":
      return value === "1" ? { kind: "reloading" } : undefined;
    case "STOPPING":
      return value === "1" ? { kind: "stopping" } : undefined;
    case "STATUS":
      return { kind: "status", text: value.replace(controls, " ").slice(0, statusLength) };
    case "MAINPID": {
      const pid = whole(value);
      return pid !== undefined && pid > 1 ? { kind: "main-pid", pid } : undefined;
    }
    case "EXTEND_TIMEOUT_USEC": {
      const by = whole(value);
      return by === undefined ? undefined : { kind: "extend", by: by / 1000 };
    }
    case "WATCHDOG":
      if (value === "1") return { kind: "watchdog" };
      return value === "trigger" ? { kind: "watchdog-trigger" } : undefined;
    case "WATCHDOG_USEC": {
      const period = whole(value);
      return period === undefined ? undefined : { kind: "watchdog-every", period: period / 1000 };
    }
    case "X_UNREADY":
      return { kind: "unready", why: shownText(value) };
    case "X_CANNOT":
      return { kind: "cannot", why: shownText(value), passing: false };
    case "X_FAILED":
      return { kind: "cannot", why: shownText(value), passing: true };
    case "X_BUILT":
      return { kind: "built" };
    case "X_PORT_OWNERS": {
      const uids = value.split(",").map(whole);
      const known = uids.filter((uid) => uid !== undefined);
      return known.length === uids.length ? { kind: "port-owners", uids: known } : undefined;
    }
    default:
      return undefined;
  }
}

/** One line, printable; twice as long as a status, as it says what helps. */
function shownText(value: string): string {
  return value.replace(controls, " ").slice(0, 2 * statusLength);
}

function whole(value: string): number | undefined {
  return /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}
