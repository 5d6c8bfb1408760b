/** A problem with a request -> the page that explains it, as HTML, JSON or one line of text. Pure. */
import { choicePath, useField } from "../../routes/origins.ts";
import { originOf, secureUrl, serviceUrl } from "../../routes/service-row.ts";
import { strictRemedy, type Unanswered } from "../../routes/unanswered.ts";
import { hintIn } from "../../text/hint.ts";
import { placeText } from "../../text/place.ts";
import {
  faultText,
  isNamedByPort,
  namelessText,
  namingCommand,
  type Unusable,
} from "../../routes/unusable.ts";
import { html, type Html } from "./html.ts";
import type { Wants } from "./negotiate.ts";
import { pageReply } from "./page.ts";
import {
  commandOf,
  endCommand,
  explain,
  guessedName,
  longSentence,
  meantServers,
  type Problem,
  sentence,
  size,
  startCommand,
  type Uncertified,
  type UnknownName,
  type Unproxied,
  type Unshown,
  type Untold,
  type UpstreamFailed,
  withoutDetails,
  word,
} from "./problem.ts";
import { reasonOf } from "../../wire/reason.ts";
import { remoteAwayPage, unknownTherePage } from "./remote-page.ts";
import { jsonReply, type Reply, textReply } from "./reply.ts";
import { doors } from "./doors.ts";
import { watchLine } from "./watching.ts";

export type { Problem } from "./problem.ts";

/** `awaits`: the event that the page waits for, in a sentence, if time may mend the problem. */
type Story = { title: string; body: Html; awaits?: string };

const listens = "This page shows the server when it listens.";
const restarts = "This page loads again when the server has restarted.";

/** Limit on the list of names, so that the page stays readable. */
const mostNames = 100;

function link(name: string, { port, securePort }: UnknownName): Html {
  return html`<a href="${serviceUrl(name, port)}/">${word(name)}</a>
    <a class="also" href="${secureUrl(name, securePort)}/" aria-label="${word(name)} by https"
      >https</a
    >`;
}

function names(problem: UnknownName): Html {
  if (problem.names.length === 0) return html`<p>No named server is running now.</p>`;
  const shown = problem.names.slice(0, mostNames);
  const left = problem.names.length - shown.length;
  return html`<h2>Running now</h2>
    <ul class="names">
      ${shown.map((name) => html`<li>${link(name, problem)}</li> `)}
    </ul>
    ${left > 0 ? html`<p class="soft">And ${left} more.</p>` : undefined}`;
}

function unknownPage(problem: UnknownName, path: string): Story {
  const front = originOf("localhost", { scheme: "http", port: problem.port });
  return {
    title: "No such page",
    body: html`<p>
        This address is localhostess itself. It has
        <a href="${front}/">a list of running servers</a> and
        <a href="${front}/proxy.pac">a proxy.pac</a>, but not <code>${sentence(path)}</code>. Every
        server has its own name in front of <code>.localhost</code>.
      </p>
      ${names(problem)}${doors(problem)}`,
  };
}

/** A server that runs, and the command that gives it a name. */
function meantServer(its: Unusable): Html {
  const then = isNamedByPort(its)
    ? html`<p>To name what listens on its port:</p>`
    : html`<p>Start it again, in its folder, with:</p>`;
  return html`<p>${longSentence(faultText(its))}.</p>
    ${then}
    <pre>${longSentence(namingCommand(its))}</pre>`;
}

function unknownName(problem: UnknownName): Story {
  if (problem.unanswered !== undefined) return unanswered(problem, problem.unanswered);
  const name = word(problem.name);
  const meant = meantServers(problem);
  const nameless = namelessText(problem.unusable ?? []);
  const guessed = guessedName(problem);
  const guess =
    guessed === undefined
      ? undefined
      : html`<p>
          Did you mean
          <a href="${serviceUrl(guessed, problem.port)}/"><strong>${word(guessed)}</strong></a
          >?
        </p> `;
  if (problem.remote !== undefined) return unknownTherePage(problem, problem.remote, guess);
  return {
    title: `No server is named ${name}`,
    awaits: listens,
    body: html`${problem.kept === undefined ? undefined : html`<p>${longSentence(problem.kept)}.</p>`}${guess}${meant.length > 0 ? html`<h2>A server runs that may be the one</h2>` : undefined}
      ${meant.map(meantServer)}${names(problem)}
      ${
        meant.length > 0 || nameless === undefined
          ? undefined
          : html`<p class="soft">${longSentence(nameless)}</p>`
      }
      <h2>Start a server under this name</h2>
      <pre>${startCommand(problem.name)}</pre>
      <p>Any program that listens on a port works.</p>
      ${doors(problem)}`,
  };
}

/** A name under another server's, which that server does not answer for. */
function unanswered(problem: UnknownName, its: Unanswered): Story {
  const name = word(problem.name);
  const by = html`<a href="${serviceUrl(its.by, problem.port)}/">${word(its.by)}</a>`;
  const command = commandOf(its);
  return {
    title: `No server is named ${name}`,
    awaits: listens,
    body: html`<p>${reason(its)} So ${by} does not answer for it.</p>
      ${
        command === undefined
          ? undefined
          : html`<h2>${its.kind === "branch" ? "Make its worktree" : "Start it"}</h2>
              <pre>${command}</pre>`
      }
      ${names(problem)}${doors(problem)}`,
  };
}

function reason(its: Unanswered): Html {
  switch (its.kind) {
    case "worktree":
      return html`<strong>${word(its.label)}</strong> is another worktree,
        <code>${longSentence(its.folder)}</code>.`;
    case "branch":
      return html`<strong>${word(its.label)}</strong> is the branch
        <code>${longSentence(its.branch)}</code>, which is checked out nowhere.`;
    case "left":
      return html`It was a server in the worktree <code>${longSentence(its.folder)}</code>.`;
    case "strict":
      return html`<code>strict_subdomains</code> is on.
        <code>${strictRemedy(word(its.by))}</code> turns it off for this server.`;
  }
}

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

function unshown(problem: Unshown): Story {
  const [name, label] = [word(problem.unshown), word(problem.label)];
  const { version, isWorktree, by } = problem;
  const own =
    version === undefined
      ? undefined
      : html`<p>
          Its own address is <a href="${serviceUrl(version, problem.port)}/">${word(version)}</a>.
        </p>`;
  const end =
    by === "all"
      ? html`<p>
            It was chosen for all browsers. To see ${word(problem.origin)}'s own server again:
          </p>
          <pre>${endCommand(problem)}</pre>`
      : html`<p>
          It was chosen for this browser, or by a <code>${useField}</code> field of the request.
        </p>`;
  return {
    title: isWorktree
      ? `${label} has no server named ${name} now`
      : `There is no worktree ${label}`,
    awaits: listens,
    body: html`<p>
        <code>${name}</code> is to show the worktree <code>${label}</code>. The server of another
        checkout never answers in its place.
      </p>
      ${isWorktree ? html`<p>Start it in the worktree.</p>` : undefined}${own}${end}
      <p><a href="${choicePath}">Choose another worktree for this browser</a></p>`,
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
  if ("unshown" in problem) return unshown(problem);
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
