/**
 * A project's service that cannot answer now -> the page that says why and how to start it: HTML, JSON or text. Pure.
 */
import { hintIn } from "../../text/hint.ts";
import { type Chosen, choicePath } from "../../routes/origins.ts";
import { printable } from "../../text/printable.ts";
import {
  exitText,
  goneText,
  linesShown,
  logsCommand,
  startCommand,
  stateCause,
  stateWords,
} from "../../routes/state-sentence.ts";
import type { Supervised } from "../../routes/supervised.ts";
import { dashboardCommand } from "./doors.ts";
import { html, Html } from "../../text/html.ts";
import type { Wants } from "./negotiate.ts";
import { pageReply } from "./page.ts";
import { endCommand } from "./explain-name.ts";
import { sentence, word } from "./words.ts";
import { reasonOf } from "../../wire/reason.ts";
import { jsonReply, type Reply, textReply } from "./reply.ts";
import { watchLine } from "./watching.ts";

/** Why the request gets this page instead of an answer. */
export type Absence =
  /** The service will be ready soon; the page loads itself again then. */
  | { kind: "soon" }
  /** The request waited for the maximum time. */
  | { kind: "waited"; seconds: number }
  /** The request's body is too large to keep while waiting. `limit` is in bytes. */
  | { kind: "too-large"; limit: number }
  /** Only a person starts the service. */
  | { kind: "down" }
  /** A request starts the service, but not one made by a stranger's page. */
  | { kind: "strangers" };

export type AbsentPage = {
  supervised: Supervised;
  absence: Absence;
  /** The last lines of its output, oldest first. */
  lines: readonly string[];
  wants: Wants;
  /** The result of `hearsDetails`; without details, the page shows only the state and where to find out more. */
  details: boolean;
  /** The mark of what the page says, if it may load itself again (`watching.ts`). */
  mark?: string | undefined;
  /** Set where a plain name shows a worktree, whose service it is. */
  chosen?: Chosen | undefined;
};

/** Characters shown of each line. */
const lineLimit = 400;
/** Seconds after which a program that cannot wait may try again. */
const retrySeconds = 1;

function linesOf({ lines, supervised }: AbsentPage): string[] {
  const latest = lines.length > 0 ? lines : (supervised.lastExit?.lastLines ?? []);
  return latest.slice(-linesShown).map((line) => printable(Bun.stripANSI(line), lineLimit));
}

function messageOf(page: AbsentPage): string {
  const { absence, chosen } = page;
  if (chosen === undefined || absence.kind !== "down") return stateMessage(page);
  const { origin, label, by } = chosen;
  const end = by === "all" ? `; to end that: ${endCommand({ origin: origin.name })}` : "";
  return `${stateMessage(page)}; ${word(origin.name)} is to show ${word(label)}${end}`;
}

/** The way to another checkout, for a person at the plain name. */
function choice({ origin, label, by }: Chosen): Html {
  const end = html`<code>${endCommand({ origin: origin.name })}</code> ends that.`;
  return html`<p>
    <code>${word(origin.name)}</code> is to show the worktree <code>${word(label)}</code>, and no
    other checkout answers in its place. ${by === "all" ? end : undefined}
    <a href="${choicePath}">Choose another one for this browser</a>
  </p>`;
}

function stateMessage({ supervised, absence, details }: AbsentPage): string {
  const now = stateWords(supervised, { isAbsent: true });
  const cause = details ? stateCause(supervised, { isAbsent: true }) : now;
  switch (absence.kind) {
    case "soon":
      return cause;
    case "waited":
      return `${cause}; ${inVain(supervised, { seconds: absence.seconds, details })}, try again`;
    case "too-large":
      return `${cause}; a request body of more than ${absence.limit / 1_048_576} MiB cannot wait for it, try again`;
    case "strangers":
      return `${now}, and requests from a page of another site do not start it; to start it, open its address`;
    case "down":
      if (!details) return `${now}; to see why: ${printable(logsCommand(supervised))}`;
      // A lazy one that has just been started in vain is as down as any other.
      return supervised.isGone ? cause : `${cause}; to start it: ${startCommand(supervised)}`;
  }
}

/**
 * A service that reports itself ready may have no listener, or another user or program may have its port, who gets no
 * requests.
 */
function inVain(
  { state, port }: Supervised,
  { seconds, details }: { seconds: number; details: boolean },
): string {
  if (state !== "ready" && state !== "unready") return `it was not ready within ${seconds} s`;
  const where = details && port !== undefined ? `its port ${port}` : "its port";
  return `none of its processes has listened on ${where} for ${seconds} s`;
}

function facts(supervised: Supervised): Html {
  const { state, why, status, lastExit, restarts, pid, port } = supervised;
  const rows: [string, string | undefined][] = [
    ["State", state],
    ["Why", why && sentence(why)],
    ["Status", status && sentence(status)],
    ["Last exit", lastExit && exitText(lastExit)],
    ["Restarts", restarts > 0 ? String(restarts) : undefined],
    ["Process", pid === undefined ? undefined : `pid ${pid}`],
    ["Port", port === undefined ? undefined : String(port)],
  ];
  return html`<dl class="facts">
    ${rows.map(([name, value]) =>
      value === undefined
        ? undefined
        : html`<dt>${name}</dt>
            <dd>${value}</dd> `,
    )}
  </dl>`;
}

function output(lines: readonly string[]): Html {
  if (lines.length === 0) return html`<p class="soft">No output yet.</p>`;
  return html`<h2>Last lines of output</h2>
    <pre>${new Html(lines.map((line) => html`${line}`.markup).join("\n"))}</pre>`;
}

function body(page: AbsentPage): Html {
  const { supervised, absence } = page;
  const heading = html`<h1>${stateWords(supervised, { isAbsent: true })}</h1>
    ${page.chosen && choice(page.chosen)}`;
  if (absence.kind === "strangers") {
    return html`${heading}
      <p>A page of another site does not start this service. Open its address to start it.</p>`;
  }
  const isDown = absence.kind === "down";
  const until = `This page shows the service as soon as it ${isDown ? "is started" : "is ready"}.`;
  const watch = watchLine(until, page.mark);
  if (!page.details) {
    return html`${heading}${watch}
      <p>
        The browser does not say whether a person or a script reads this page, so the output is left
        out:
      </p>
      <pre>${printable(logsCommand(supervised))}</pre>`;
  }
  const lines = linesOf(page);
  const gone = supervised.isGone ? html`<p>${sentence(goneText(supervised))}</p>` : undefined;
  const next =
    isDown && gone === undefined
      ? html`<h2>Start it</h2>
          <pre>${printable(startCommand(supervised))}</pre>`
      : undefined;
  return html`${heading}${watch}${facts(supervised)}${gone}${next}${output(lines)}
    <h2>More</h2>
    <p>The dashboard shows its output as it is printed, and starts and stops it:</p>
    <pre>${dashboardCommand}</pre>`;
}

function inForm(page: AbsentPage): Reply {
  const { supervised, absence, wants, details } = page;
  const message = messageOf(page);
  const isDown = absence.kind === "down" || absence.kind === "strangers";
  if (wants === "text") return textReply(503, `localhostess: ${message}`);
  if (wants === "json") {
    const { id, project, service, state, why = null, lastExit, restarts } = supervised;
    const known = {
      code: isDown ? `service_${state}` : "service_starting",
      message,
      hint: hintIn(message),
      status: 503,
      id,
      project,
      service,
      state,
    };
    if (!details) return jsonReply(503, { error: known });
    return jsonReply(503, {
      error: {
        ...known,
        why,
        exit:
          lastExit === undefined
            ? null
            : {
                code: lastExit.code,
                signal: lastExit.signal,
                time: new Date(lastExit.time).toISOString(),
              },
        restarts,
        lines: linesOf(page),
        command: absence.kind === "down" && !supervised.isGone ? startCommand(supervised) : null,
      },
    });
  }
  return pageReply({
    status: 503,
    title: stateWords(supervised, { isAbsent: true }),
    aside: html`<span>503 ${reasonOf(503)}</span>`,
    body: body(page),
    watches: absence.kind !== "strangers" && page.mark !== undefined,
  });
}

export function absentPage(page: AbsentPage): Reply {
  const reply = inForm(page);
  // RFC 9110 section 10.2.3: a service that is down returns when a person starts it, so no number of seconds is right.
  return page.absence.kind === "down" || page.absence.kind === "strangers"
    ? reply
    : { ...reply, fields: [...reply.fields, ["Retry-After", String(retrySeconds)]] };
}
