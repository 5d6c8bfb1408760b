/** The reason why a request gets no answer -> the problem that its client is told. Pure. */
import { headLimit } from "../../wire/head.ts";
import type { Bad } from "../../wire/parsed.ts";
import type { Decision } from "../../routes/decide.ts";
import type { RemoteReport } from "../../routes/remote-report.ts";
import type { Service } from "../../routes/service.ts";
import type { UrlPorts } from "../../routes/service-row.ts";
import type { HandshakeVerdict } from "../../link/handshake-verdict.ts";
import type { Problem } from "./problem.ts";

/** Codes of failed dials that are ours, not the system's. The request waited for its turn, and had none. */
export const tooManyWait = "EQUEUE";
/** A unix socket that another user has made. */
export const notOurs = "ENOTOURS";
/** The system's, and ours before the system has to say so: no descriptor is left. */
export const noDescriptor = "EMFILE";
/** As a code: a server that is to speak HTTP/2 does not begin to. */
export const noFrames = "ENOFRAMES";
/** As a code: a server of HTTP/2 ends each connection before a request may begin. */
export const noRequests = "ENOREQUESTS";

/** As a code: another process listens where the service did, or a connection would reach another one's socket. */
export const otherServer = "EOTHER";

/** A request that is malformed, too long, or in a version that we do not speak. */
export function badRequest({ status, why }: Bad): Problem {
  if (status === 414 || status === 431) return { status, limit: headLimit };
  if (status === 505) return { status: 505, version: "that version" };
  return { status: 400, why };
}

/** A plain name that is to show a worktree, and nothing of that worktree has the name. */
export function unshown(
  { name, chosen }: Extract<Decision, { kind: "unchosen" }>,
  urlPorts: UrlPorts,
): Problem {
  const { origin, label, version, by } = chosen;
  const isWorktree = origin.labels.includes(label);
  return {
    status: 404,
    unshown: name,
    ...{ label, isWorktree, labels: origin.labels, by },
    origin: origin.name,
    version,
    port: urlPorts.http,
  };
}

/** A service that was reached, or not, and did not answer. */
export function upstreamFailed(
  service: Service,
  failure: { status: 502 | 504; address: string; why: string },
): Problem {
  return {
    ...failure,
    name: service.name,
    port: service.endpoint.port,
    pid: service.process?.pid,
    command: service.command,
    because: service.because,
  };
}

/** A name of another machine that is not connected. */
export function remoteAway(name: string, remote: RemoteReport): Problem {
  return { status: remote.state === "asleep" ? 504 : 502, name, remote };
}

export type FailedDial = {
  address: string;
  /** The system's name for why not. */
  code: string;
  handshake: Exclude<HandshakeVerdict, { kind: "secured" }> | undefined;
};

/** A service that took no connection. `secured`: it was dialled with TLS. */
export function dialFailed(
  service: Service,
  { address, code, handshake }: FailedDial,
  { secured }: { secured: boolean },
): Problem {
  const { name } = service;
  if (code === tooManyWait) {
    const why = `${name} has more requests than it can take: this one waited 60 s for a connection`;
    return { status: 503, why };
  }
  if (code === noDescriptor) {
    const why = `too many files are open for another connection to ${name}; see ulimit -n, and close what is not needed`;
    return { status: 503, why };
  }
  const timedOut = code === "ETIMEDOUT";
  const why =
    handshake !== undefined ? unsecured(handshake) : timedOut ? tooSlow(secured) : broken(code);
  return upstreamFailed(service, { status: timedOut ? 504 : 502, address, why });
}

function tooSlow(secured: boolean): string {
  return secured
    ? "it speaks TLS, and did not end the handshake within 5 s"
    : "it did not accept the connection within 5 s";
}

function broken(code: string): string {
  if (code === noFrames) return "it asked for HTTP/2, and then did not speak it";
  if (code === noRequests) {
    return "it speaks HTTP/2, and ends every connection before it takes a request";
  }
  return reasons[code] ?? `the connection failed (${code})`;
}

/** The system's codes, in words for a person. */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing accepts connections there any more",
  [otherServer]:
    "another server has this port at the addresses by which it could be reached, and gets no request for it; start one of the two on another port",
  ENOENT: "there is no such socket; its server makes it when it starts",
  EACCES:
    "this user may not connect to that socket; its permissions and those of its folder decide",
  [notOurs]:
    "another user has put that socket there; if that is meant, name it anew with localhostess name",
  ENOTFOUND: "no address is known for that host",
  EHOSTUNREACH: "there is no way to that host",
  ENETUNREACH: "there is no way to that network",
};

/** Why TLS with a service did not come about, and what to do. */
function unsecured(handshake: NonNullable<FailedDial["handshake"]>): string {
  if (handshake.kind === "refused") {
    return `it speaks TLS, and the handshake failed: ${handshake.why}. It has to take TLS 1.2 or 1.3 with HTTP/1.1 or HTTP/2, without a client's certificate`;
  }
  return handshake.kind === "lost"
    ? "it spoke TLS before, and now closed the connection within the handshake; its own output may say why, else start it again"
    : "it spoke TLS before, and now something else; start it again";
}
