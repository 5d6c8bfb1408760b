/** A problem with a request -> an error code, a line for a terminal and details for a program. Pure. */
import { type RemoteReport, remoteStateText, remoteText } from "../../routes/remote-report.ts";
import {
  isLost,
  faultText,
  meantBy,
  namelessText,
  namingCommand,
  type Unusable,
  unusableText,
} from "../../routes/unusable.ts";
import { isSocketPath, placeText } from "../../text/place.ts";
import { choicePath, useField } from "../../routes/origins.ts";
import { type Unanswered, unansweredText } from "../../routes/unanswered.ts";
import { printable } from "../../text/printable.ts";
import {
  originOf,
  type Scheme,
  secureUrl,
  serviceUrl,
  type UrlPorts,
} from "../../routes/service-row.ts";

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

export type Explanation = {
  /** For programs; stays the same when the message changes. */
  code: string;
  /** A single line. */
  message: string;
  details: Record<string, unknown>;
};

/** A host may be as long as a head; this is enough to recognise it. */
const longestWord = 80;
const longestSentence = 200;
/** A folder's path is shown in full in most cases. */
const longestFault = 700;
/** More names than anyone reads in one line. */
const mostNames = 12;
/** Servers that are shown as the one that may have been meant. */
const mostMeant = 3;

export function word(text: string): string {
  return printable(text, longestWord);
}

export function sentence(text: string): string {
  return printable(text, longestSentence);
}

/** A sentence about a server that no name leads to. */
export function longSentence(text: string): string {
  return printable(text, longestFault);
}

/** Those that a request for an unknown name was probably for. */
export function meantServers({ name, unusable = [] }: UnknownName): Unusable[] {
  return meantBy(name.toLowerCase(), unusable).slice(0, mostMeant);
}

/**
 * The name that is nearly there, unless a server that runs was rather meant. One whose name is not known may be any, so
 * that the name is told before it.
 */
export function guessedName(problem: UnknownName): string | undefined {
  const isKnown = meantServers(problem).some(({ fault }) => !isLost(fault));
  return isKnown ? undefined : problem.nearest;
}

/** The command that starts the server whose name it is; undefined where none does. */
export function commandOf(its: Unanswered): string | undefined {
  return "command" in its ? longSentence(its.command) : undefined;
}

/** The command that starts a server under this name, if the name is safe to paste into a shell. */
export function startCommand(name: string): string {
  const safe = /^[a-z0-9][a-z0-9._-]{0,252}$/.test(name);
  return `NAME=${safe ? name : "api"} bun dev`;
}

export function size(bytes: number): string {
  return bytes % 1024 === 0 ? `${bytes / 1024} KiB` : `${bytes} bytes`;
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return "none is running";
  const shown = names.slice(0, mostNames).map(word).join(", ");
  const left = names.length - mostNames;
  return `running: ${shown}${left > 0 ? ` and ${left} more` : ""}`;
}

function explainUnknown(problem: UnknownName): Explanation {
  const names = problem.names.map(word);
  if (problem.path !== undefined) {
    const path = sentence(problem.path);
    return {
      code: "no_such_page",
      message: `${originOf("localhost", { scheme: "http", port: problem.port })} is localhostess itself and has no page ${path}; servers have names: ${listed(names)}`,
      details: { path, names },
    };
  }
  const name = word(problem.name);
  const { unanswered } = problem;
  if (unanswered !== undefined) {
    return {
      code: unanswered.kind === "strict" ? "strict_subdomains" : "other_checkout",
      message: longSentence(`no server is named ${name}; ${unansweredText(unanswered)}`),
      details: {
        name,
        by: word(unanswered.by),
        command: commandOf(unanswered) ?? null,
      },
    };
  }
  const nearest = problem.nearest === undefined ? undefined : word(problem.nearest);
  const meant = meantServers(problem);
  const guessed = guessedName(problem);
  const guess = guessed === undefined ? "" : `; did you mean ${word(guessed)}?`;
  const nameless = namelessText(problem.unusable ?? []);
  const others = nameless === undefined ? "" : `; ${nameless}`;
  // Whoever has a server running has run the command that starts it.
  const { remote } = problem;
  if (remote !== undefined) {
    return {
      code: "unknown_name",
      message: longSentence(
        `no server on ${remoteText(remote)} is named ${name}${guess}${guess === "" ? ";" : ""} ${namesThere(remote)}`,
      ),
      details: {
        name,
        names,
        nearest: nearest ?? null,
        url: nearest === undefined ? null : serviceUrl(nearest, problem.port),
        unusable: [],
        remote: remote.name,
      },
    };
  }
  const more =
    problem.kept !== undefined
      ? `; ${problem.kept}`
      : meant.length > 0
        ? `${guess === "" ? ";" : ""} ${meant.map(unusableText).join("; ")}`
        : ` (${listed(names)}; to start it: ${startCommand(problem.name)})${others}`;
  return {
    code: "unknown_name",
    message: longSentence(`no server is named ${name}${guess}${more}`),
    details: {
      name,
      names,
      nearest: nearest ?? null,
      url: nearest === undefined ? null : serviceUrl(nearest, problem.port),
      unusable: meant.map((its) => ({
        pid: its.pid,
        ports: its.ports,
        fault: its.fault.kind,
        why: longSentence(faultText(its)),
        fix: longSentence(namingCommand(its)),
      })),
    },
  };
}

function explainUpstream(problem: UpstreamFailed): Explanation {
  const name = word(problem.name);
  const why = sentence(problem.why);
  const command = sentence(problem.command);
  const isSeen = problem.pid !== undefined;
  const holder = isSeen ? `pid ${problem.pid}, ${command}` : sentence(problem.because ?? command);
  const failed =
    problem.status === 504
      ? "did not accept a connection in time"
      : isSeen
        ? "runs but did not answer"
        : "did not answer";
  const message = `${name} ${failed} at ${placeText(problem)} (${holder}): ${why}`;
  return {
    code: problem.status === 502 ? "upstream_failed" : "upstream_timeout",
    message,
    details: {
      name,
      address: word(problem.address),
      port: isSocketPath(problem.address) ? null : problem.port,
      pid: problem.pid ?? null,
      command,
      why,
    },
  };
}

function explainAway({ name, remote }: RemoteAway): Explanation {
  const fix = remote.fix === undefined ? "" : `; ${remote.fix}`;
  return {
    code: "remote_away",
    message: longSentence(
      `${word(name)} is on ${remoteText(remote)}, which is ${remoteStateText(remote)}${fix}`,
    ),
    details: {
      name: word(name),
      remote: remote.name,
      host: word(remote.host),
      state: remote.state,
      why: remote.why === undefined ? null : longSentence(remote.why),
      fix: remote.fix === undefined ? null : longSentence(remote.fix),
    },
  };
}

/** The names that another machine has. */
export function namesThere({ services }: RemoteReport): string {
  return listed(services.map(({ name }) => name)).replace(
    "none is running",
    "no server with a name runs there",
  );
}

/** The command that ends what is chosen for all browsers. */
export function endCommand({ origin }: Pick<Unshown, "origin">): string {
  return `localhostess use -- ${word(origin)}`;
}

/** How to see the name's own server again. */
function endOf(problem: Unshown): string {
  if (problem.by === "all") return `to end the choice: ${endCommand(problem)}`;
  return `the request asks for it, by its ${useField} field or by the cookie of ${choicePath}, where a browser ends it`;
}

function explainUnshown(problem: Unshown): Explanation {
  const { isWorktree } = problem;
  const [name, label] = [word(problem.unshown), word(problem.label)];
  const labels = problem.labels.map(word);
  const why = isWorktree
    ? `no server of that worktree runs as ${word(problem.version ?? `${name} there`)}: start it in the worktree`
    : `there is no such worktree${labels.length === 0 ? "" : `, only ${labels.slice(0, mostNames).join(", ")}`}`;
  return {
    code: "no_such_checkout",
    message: longSentence(`${name} is to show ${label}, and ${why}; ${endOf(problem)}`),
    details: { name, worktree: label, worktrees: labels, chosen_by: problem.by },
  };
}

function explainUncertified({ bareName, port }: Uncertified): Explanation {
  const name = word(bareName);
  const url = secureUrl(bareName, port);
  return {
    code: "no_certificate_for_bare_name",
    message: `https://${name}/ has no certificate, because a certificate authority cannot be limited to names without a dot; use ${url}/, or create a second certificate authority: localhostess trust --bare-names`,
    details: { name, url },
  };
}

function explainUnproxied({ unproxied, scheme, ports }: Unproxied): Explanation {
  const name = word(unproxied);
  const url = originOf(`${name}.localhost`, { scheme, port: ports[scheme] });
  return {
    code: "bare_name_not_proxied",
    message: `a name without a dot is only served through the proxy (proxy.pac, http_proxy), because others may resolve it; use ${url}/, or add ${name} to /etc/hosts or to bare_names in config.toml`,
    details: { name, url },
  };
}

function explainUntold(problem: Untold): Explanation {
  const name = word(problem.untold);
  if ("away" in problem) {
    return {
      code: "remote_away",
      message: `${name} is on another machine, which is not connected; to see why: localhostess why ${name}`,
      details: { name },
    };
  }
  if (problem.status !== 404) {
    const why = sentence(problem.why);
    const failed =
      problem.status === 502 ? "runs but did not answer" : "did not accept a connection in time";
    return {
      code: problem.status === 502 ? "upstream_failed" : "upstream_timeout",
      message: `${name} ${failed}: ${why}; to see its process: localhostess why ${name}`,
      details: { name, why },
    };
  }
  if (problem.path !== undefined) {
    const path = sentence(problem.path);
    return {
      code: "no_such_page",
      message: `${originOf("localhost", { scheme: "http", port: problem.port })} is localhostess itself and has no page ${path}`,
      details: { path },
    };
  }
  return {
    code: "unknown_name",
    message: `no server is named ${name}; to see what is running: localhostess ls`,
    details: { name },
  };
}

function explainProtocol(name: string): Explanation {
  const protocol = word(name);
  return {
    code: "protocol_not_supported",
    message: `CONNECT for the protocol ${protocol} is not supported, only for websocket`,
    details: { protocol },
  };
}

export function explain(problem: Problem | Untold): Explanation {
  if ("untold" in problem) return explainUntold(problem);
  if ("unshown" in problem) return explainUnshown(problem);
  switch (problem.status) {
    case 400: {
      const why = sentence(problem.why);
      return { code: "bad_request", message: `bad request: ${why}`, details: { why } };
    }
    case 404:
      return explainUnknown(problem);
    case 405:
      return {
        code: "method_not_allowed",
        message: `this page answers ${sentence(problem.allow)} only`,
        details: { allow: sentence(problem.allow) },
      };
    case 408:
      return {
        code: "request_timeout",
        message:
          problem.still === undefined
            ? "the request did not arrive in time"
            : `no more of the request's body arrived for ${problem.still} s, while the server waited for it`,
        details: {},
      };
    case 421: {
      if ("bareName" in problem) return explainUncertified(problem);
      if ("unproxied" in problem) return explainUnproxied(problem);
      const host = word(problem.host);
      if (problem.certificate !== undefined) {
        const certificate = word(problem.certificate);
        return {
          code: "other_certificate",
          message: `${host} was requested on a connection to ${certificate}, whose certificate does not cover ${host}; request it on a connection of its own`,
          details: { host, certificate },
        };
      }
      return {
        code: "host_not_answered",
        message: `${host === "" ? "an empty host" : host} is not served here, only localhost, *.localhost, loopback addresses, configured domains and, through proxy.pac, names without a dot`,
        details: { host },
      };
    }
    case 414:
      return {
        code: "target_too_long",
        message: `the request's URL is longer than ${size(problem.limit)}`,
        details: { limit: problem.limit },
      };
    case 501:
      return explainProtocol(problem.protocol);
    case 431:
      return {
        code: "head_too_large",
        message: `the request's header fields are larger than ${size(problem.limit)}; clear the cookies of localhost`,
        details: { limit: problem.limit },
      };
    case 502:
    case 504:
      return "remote" in problem ? explainAway(problem) : explainUpstream(problem);
    case 503: {
      const why = sentence(problem.why);
      return { code: "unavailable", message: `not available now: ${why}`, details: { why } };
    }
    case 505: {
      const version = word(problem.version);
      return {
        code: "version_not_supported",
        message: `${version} is not supported in a request line, only HTTP/1.1 and HTTP/1.0`,
        details: { version },
      };
    }
    case 508: {
      const name = word(problem.name);
      return {
        code: "loop",
        message: `a request for ${name} came back to this proxy, so ${name} forwards to the proxy and not to a server`,
        details: { name },
      };
    }
  }
}
