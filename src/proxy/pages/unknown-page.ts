/** A name that no server has, or whose worktree has none -> the page about it: what runs, and how to start it. Pure. */
import { choicePath, useField } from "../../routes/origins.ts";
import { originOf, secureUrl, serviceUrl } from "../../routes/service-row.ts";
import { strictRemedy, type Unanswered } from "../../routes/unanswered.ts";
import {
  faultText,
  isNamedByPort,
  namelessText,
  namingCommand,
  type Unusable,
} from "../../routes/unusable.ts";
import { doors } from "./doors.ts";
import { commandOf, endCommand, guessedName, meantServers } from "./explain-name.ts";
import { html, type Html } from "../../text/html.ts";
import type { UnknownName, Unshown } from "./problem.ts";
import { unknownTherePage } from "./remote-page.ts";
import { listens, type Story } from "./story.ts";
import { longSentence, sentence, startCommand, word } from "./words.ts";

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

/** A path of localhostess itself at which nothing is. */
export function unknownPage(problem: UnknownName, path: string): Story {
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

/** A name that no server has. */
export function unknownName(problem: UnknownName): Story {
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
    body: html`<p>
        ${reason(its)}${its.by === problem.name ? undefined : html` So ${by} does not answer for it.`}
      </p>
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
    case "store":
      return html`<strong>${word(its.id)}</strong> speaks the protocol of ${its.protocol}, and not
        HTTP${its.port === undefined ? "" : html`: it is reached at <code>localhost:${its.port}</code>`}.`;
  }
}

export function unshownPage(problem: Unshown): Story {
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
