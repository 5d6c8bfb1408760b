/** A problem with a request -> an error code, a line for a terminal and details for a program. Pure. */
import { originOf, secureUrl } from "../../routes/service-row.ts";
import { isSocketPath, placeText } from "../../text/place.ts";
import { explainAway, explainUnknown, explainUnshown } from "./explain-name.ts";
import type {
  Explanation,
  Problem,
  Uncertified,
  Unproxied,
  Untold,
  UpstreamFailed,
} from "./problem.ts";
import { sentence, size, word } from "./words.ts";

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
