/** A problem with a request -> the page that explains it, as HTML, JSON or one line of text. Pure. */
import { originOf, secureUrl } from "../../routes/service-row.ts";
import { hintIn } from "../../text/hint.ts";
import { placeText } from "../../text/place.ts";
import { reasonOf } from "../../wire/reason.ts";
import { doors } from "./doors.ts";
import { explain } from "./explain.ts";
import { html, type Html } from "../../text/html.ts";
import type { Wants } from "./negotiate.ts";
import { pageReply } from "./page.ts";
import {
  type Problem,
  type Uncertified,
  type Unproxied,
  type Untold,
  type UpstreamFailed,
  withoutDetails,
} from "./problem.ts";
import { remoteAwayPage } from "./remote-page.ts";
import { jsonReply, type Reply, textReply } from "./reply.ts";
import { listens, type Story } from "./story.ts";
import { unknownName, unknownPage, unshownPage } from "./unknown-page.ts";
import { watchLine } from "./watching.ts";
import { sentence, size, startCommand, word } from "./words.ts";

export type { Problem } from "./problem.ts";

const restarts = "This page loads again when the server has restarted.";

function facts(problem: UpstreamFailed): Html {
  return html`<dl class="facts">
    <dt>Dialled</dt>
    <dd>${placeText(problem)}</dd>
    <dt>Answer</dt>
    <dd>${sentence(problem.why)}</dd>
    ${
      problem.pid === undefined
        ? html`<dt>Name from</dt>
            <dd>${sentence(problem.because ?? problem.name)}</dd>`
        : html`<dt>Process</dt>
            <dd>pid ${problem.pid}</dd>`
    }
    <dt>Command</dt>
    <dd><code>${sentence(problem.command)}</code></dd>
  </dl>`;
}

function upstream(problem: UpstreamFailed): Story {
  const name = word(problem.name);
  const why = html`<p>For every step between this page and the server, run:</p>
    <pre>localhostess why ${/^[a-z0-9][a-z0-9._-]*$/.test(problem.name) ? name : "<name>"}</pre>`;
  if (problem.status === 504) {
    return {
      title: `${name} does not accept connections`,
      awaits: restarts,
      body: html`${facts(problem)}
        <p>
          The process is running and its port is open, but it does not accept connections. It may be
          stopped at a breakpoint, suspended (Ctrl+Z; <code>fg</code> resumes it) or too busy.
        </p>
        ${why}`,
    };
  }
  return {
    title: `${name} did not answer`,
    awaits: restarts,
    body: html`${facts(problem)}
      <p>If it is not restarting, its terminal probably says why.</p>
      ${why}`,
  };
}

function misdirected(host: string): Story {
  return {
    title: "This host is not served here",
    body: html`<p>
        The request was for <code>${word(host)}</code>. localhostess serves <code>localhost</code>,
        names that end in <code>.localhost</code>, loopback addresses such as
        <code>127.0.0.1</code>, names under the domains of <code>tlds</code> in your config.toml
        and, for browsers with its proxy.pac, names without a dot such as <code>api</code>.
      </p>
      <h2>Why not any host?</h2>
      <p>
        A web site can make its own name point to your machine (DNS rebinding). If that name were
        served, the site could read every server you run. So a name that others can own gets this
        page and nothing more.
      </p>`,
  };
}

function uncertified({ bareName, port }: Uncertified): Story {
  const name = word(bareName);
  const url = `${secureUrl(bareName, port)}/`;
  return {
    title: `https://${name}/ has no certificate`,
    body: html`<p>The same server is at <a href="${url}">${url}</a>, which has one.</p>
      <p class="soft">Without https, <code>http://${name}/</code> works too.</p>
      <h2>A certificate for the bare name</h2>
      <p>
        A certificate authority can be limited to names under <code>localhost</code>, but not to
        names without a dot. Those need a second one, which may sign for any name, so it is only
        created when you ask for it:
      </p>
      <pre>localhostess trust --bare-names</pre>`,
  };
}

function unproxied({ unproxied, scheme, ports }: Unproxied): Story {
  const name = word(unproxied);
  const url = `${originOf(`${name}.localhost`, { scheme, port: ports[scheme] })}/`;
  const front = originOf("localhost", { scheme: "http", port: ports.http });
  return {
    title: `${name} is not served this way`,
    body: html`<p>A server with this name would be at <a href="${url}">${url}</a>.</p>
      <h2>Why not here?</h2>
      <p>
        Something on your network resolved <code>${name}</code> to this machine. Whoever resolves
        names without a dot there could let a page of their own read the server (DNS rebinding).
      </p>
      <h2>How to make ${name} work</h2>
      <ul>
        <li>the <a href="${front}/proxy.pac">proxy.pac</a> as the browser's proxy configuration</li>
        <li>a line <code>127.0.0.1 ${name}</code> in <code>/etc/hosts</code></li>
        <li><code>bare_names = ["${name}"]</code> in your config.toml</li>
      </ul>`,
  };
}

function otherCertificate(message: string): Story {
  return {
    title: "This name needs a connection of its own",
    body: html`<p>${message[0]!.toUpperCase()}${message.slice(1)}.</p>
      <p>A browser does this by itself: reload the page.</p>`,
  };
}

function headTooLarge(limit: number): Story {
  return {
    title: "The request is too large",
    body: html`<p>Its header fields, including cookies, are larger than ${size(limit)}.</p>
      <h2>Cookies are the usual cause</h2>
      <p>
        A browser keeps one set of cookies for <code>localhost</code>, whatever the port, so every
        app you ever ran there adds to it. A server with a name of its own has its own cookies.
      </p>
      <p>
        To clear them in Chrome or Edge: open the developer tools on this page (F12), then
        Application, Storage, “Clear site data”. In Firefox: Storage, Cookies, and delete all. In
        Safari: Storage, Cookies. Then reload the page.
      </p>`,
  };
}

function untold(problem: Untold, message: string): Story {
  const name = word(problem.untold);
  const told = html`<p>${message[0]!.toUpperCase()}${message.slice(1)}.</p>`;
  if (problem.status !== 404)
    return { title: `${name} did not answer`, awaits: restarts, body: told };
  const body = html`${told}${doors(problem)}`;
  if (problem.path !== undefined) return { title: "No such page", body };
  return {
    title: `No server is named ${name}`,
    awaits: listens,
    body: html`${told}
      <h2>Start a server under this name</h2>
      <pre>${startCommand(problem.untold)}</pre>
      ${doors(problem)}`,
  };
}

function story(problem: Problem | Untold, message: string): Story {
  if ("untold" in problem) return untold(problem, message);
  if ("unshown" in problem) return unshownPage(problem);
  switch (problem.status) {
    case 404:
      return problem.path === undefined ? unknownName(problem) : unknownPage(problem, problem.path);
    case 502:
    case 504:
      return "remote" in problem ? remoteAwayPage(problem) : upstream(problem);
    case 421:
      if ("bareName" in problem) return uncertified(problem);
      if ("unproxied" in problem) return unproxied(problem);
      return problem.certificate === undefined
        ? misdirected(problem.host)
        : otherCertificate(message);
    case 431:
      return headTooLarge(problem.limit);
    case 508:
      return {
        title: "This request is a loop",
        body: html`<p>
            A request for <code>${word(problem.name)}</code> came back to this proxy. The server
            forwards to the proxy's address, often because its own proxy setting, or
            <code>http_proxy</code> in its environment, names the port of localhostess.
          </p>
          <p>Make it forward to the port or the name of another server.</p>`,
      };
    case 400:
      return {
        title: "The request cannot be understood",
        body: html`<p>${sentence(problem.why)}</p>
          <p class="soft">
            It was not forwarded, because another program might read it differently.
          </p>`,
      };
    case 503:
      return { title: "Not available now", body: html`<p>${sentence(problem.why)}</p>` };
    case 405:
    case 408:
    case 414:
    case 501:
    case 505:
      return {
        title: reasonOf(problem.status),
        body: html`<p>${message[0]!.toUpperCase()}${message.slice(1)}.</p>`,
      };
  }
}

function inForm(
  problem: Problem | Untold,
  { wants, mark }: { wants: Wants; mark: string | undefined },
): Reply {
  const { code, message, details } = explain(problem);
  if (wants === "text") return textReply(problem.status, `localhostess: ${message}`);
  if (wants === "json") {
    return jsonReply(problem.status, {
      error: { code, message, hint: hintIn(message), status: problem.status, ...details },
    });
  }
  return pageReply({
    status: problem.status,
    aside: html`<span>${problem.status} ${reasonOf(problem.status)}</span>`,
    ...withHeading(story(problem, message), mark),
  });
}

function withHeading({ title, body, awaits }: Story, mark: string | undefined) {
  return {
    title,
    body: html`<h1>${title}</h1>
      ${awaits === undefined ? undefined : watchLine(awaits, mark)} ${body}`,
    watches: awaits !== undefined && mark !== undefined,
  };
}

/** Seconds after which a client may ask again that found no room: a moment, for room is made by every answer. */
const retrySeconds = 2;

/**
 * `details`: whether the client may see other names and processes (`hears-details.ts`). `mark`: of what the page says,
 * if it may load itself again (`watching.ts`).
 */
export function errorPage(
  problem: Problem,
  wants: Wants,
  { details = false, mark }: { details?: boolean; mark?: string | undefined } = {},
): Reply {
  const reply = inForm(details ? problem : withoutDetails(problem), { wants, mark });
  // RFC 9110 section 15.5.6: a 405 lists the allowed methods.
  if (problem.status === 405) {
    return { ...reply, fields: [...reply.fields, ["Allow", problem.allow]] };
  }
  return problem.status === 503
    ? { ...reply, fields: [...reply.fields, ["Retry-After", String(retrySeconds)]] }
    : reply;
}
