/** The problems that requests have, as facts; and what of them is told to scripts. Pure. */
import type { RemoteReport } from "../../routes/remote-report.ts";
import type { Scheme, UrlPorts } from "../../routes/service-row.ts";
import type { Unanswered } from "../../routes/unanswered.ts";
import type { Unusable } from "../../routes/unusable.ts";

/** Names, hosts, commands and reasons may come from a stranger: every form of the page escapes and cuts them. */
export type Problem =
  | { status: 400; why: string }
  | { status: 405; allow: string }
  /** `still`: seconds for which no more of the body came. */
  | { status: 408; still?: number }
  /** `limit` is in bytes. */
  | { status: 414 | 431; limit: number }
  /** `certificate`: the server name of the client's connection, whose certificate does not cover the host. */
  | { status: 421; host: string; certificate?: string }
  | Uncertified
  | Unproxied
  /** `protocol`: the one that an extended CONNECT asked for. */
  | { status: 501; protocol: string }
  | { status: 503; why: string }
  | { status: 505; version: string }
  | { status: 508; name: string }
  | UnknownName
  | RemoteAway
  | Unshown
  | UpstreamFailed;

export type UnknownName = {
  status: 404;
  name: string;
  /** All routable names. */
  names: readonly string[];
  nearest: string | undefined;
  /** The machine that the name would be of, which is connected. */
  remote?: RemoteReport | undefined;
  /** Servers that run and that no name leads to; the request may have been for one of them. */
  unusable?: readonly Unusable[];
  /** The name is kept for a place at which nobody is: a clause. */
  kept?: string | undefined;
  /** The proxy's port in http URLs, and in https URLs. */
  port: number;
  securePort: number;
  /** Why the service of a shorter name does not answer for this one. */
  unanswered?: Unanswered | undefined;
  /** Set if the request was for `localhost` itself, but for none of its pages. */
  path?: string;
};

/** A plain name is to show a worktree, and no server of that worktree has the name. */
export type Unshown = {
  status: 404;
  /** The name that was asked for, and the plain name that it is or ends in. */
  unshown: string;
  origin: string;
  label: string;
  /** Whether there is such a worktree. */
  isWorktree: boolean;
  /** The labels that there are. */
  labels: readonly string[];
  /** The name of the worktree's own server, if one has been seen. */
  version: string | undefined;
  /** Whether the request itself has asked for it, or all get it. */
  by: "request" | "all";
  /** The proxy's port in http URLs. */
  port: number;
};

/** A server was requested by https under its bare name, for which no certificate authority signs. */
export type Uncertified = {
  status: 421;
  bareName: string;
  /** The proxy's port in https URLs. */
  port: number;
};

/** The client resolved a name without a dot itself, instead of using us as its proxy. */
export type Unproxied = {
  status: 421;
  unproxied: string;
  /** The scheme of the request. */
  scheme: Scheme;
  /** The proxy's ports. */
  ports: UrlPorts;
};

/** A name of another machine that is not connected. 504: nothing comes back from it. */
export type RemoteAway = { status: 502 | 504; name: string; remote: RemoteReport };

export type UpstreamFailed = {
  /**
   * 502: the server refused the connection, or did not answer in HTTP. 504: it did not accept the connection in time.
   */
  status: 502 | 504;
  name: string;
  /** The address and port that were dialled, or the path of a unix socket. */
  address: string;
  port: number;
  /** Undefined where no process of this machine is known. */
  pid: number | undefined;
  command: string;
  /** Where the name is from. */
  because?: string | undefined;
  why: string;
};

/** The versions of the problems above for scripts: no other names, and nothing about processes and machines. */
export type Untold =
  | { status: 404; untold: string; path: string | undefined; port: number; securePort: number }
  | { status: 502 | 504; untold: string; away: true }
  | { status: 502 | 504; untold: string; why: string };

export function withoutDetails(problem: Problem): Problem | Untold {
  if ("unshown" in problem) return { ...problem, labels: [] };
  if (problem.status === 404) {
    const { status, name: untold, path, port, securePort } = problem;
    return { status, untold, path, port, securePort };
  }
  if (problem.status === 502 || problem.status === 504) {
    if ("remote" in problem) return { status: problem.status, untold: problem.name, away: true };
    return { status: problem.status, untold: problem.name, why: problem.why };
  }
  return problem;
}

/** A problem in words, for programs and terminals. */
export type Explanation = {
  /** For programs; stays the same when the message changes. */
  code: string;
  /** A single line. */
  message: string;
  details: Record<string, unknown>;
};
