/** A service of a project that cannot answer now -> the page that says why, and what starts it, as HTML, JSON or one line of text. Pure. */
import { printable } from "../discovery/printable.ts";
import type { Exit, Supervised, SupervisedState } from "../routes/supervised.ts";
import { pastedWord } from "../system/shell-words.ts";
import { html, Html } from "./html.ts";
import type { Wants } from "./negotiate.ts";
import { pageReply } from "./page.ts";
import { sentence, word } from "./problem.ts";
import { jsonReply, reasonOf, type Reply, textReply } from "./reply.ts";

/** What a request was told instead of an answer. */
export type Absence =
  /** It will be there soon: a page that follows it. */
  | { kind: "soon" }
  /** The request was held for as long as one is. */
  | { kind: "waited"; seconds: number }
  /** Its body is too large to be held. `limit` in bytes. */
  | { kind: "too-large"; limit: number }
  /** Nobody but a person starts it. */
  | { kind: "down" };

export type AbsentPage = {
  supervised: Supervised;
  absence: Absence;
  /** Of its output, the oldest first. */
  lines: readonly string[];
  wants: Wants;
};

/** More output than this is for `localhostess logs`. */
export const linesShown = 30;
/** Characters of a line that are shown. */
const lineLimit = 400;
/** Seconds until the page looks again: often enough that nobody loads it by hand. */
const refreshSeconds = 1;

/** What it does, or has come to: behind its name, this is a sentence. */
const words: Record<SupervisedState, string> = {
  stopped: "is stopped",
  starting: "is starting",
  running: "is starting",
  ready: "does not answer yet",
  unready: "does not answer yet",
  stopping: "is stopping",
  exited: "has ended",
  backoff: "ended and is about to be started again",
  failed: "has failed",
};

function startCommand({ directory, service }: Supervised): string {
  return `localhostess up ${pastedWord(directory)} ${pastedWord(service)}`;
}

/** `exit code 1`, `SIGKILL`. */
export function exitText({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code ?? "unknown"}` : signal;
}

function linesOf({ lines, supervised }: AbsentPage): string[] {
  const latest = lines.length > 0 ? lines : (supervised.lastExit?.lastLines ?? []);
  return latest.slice(-linesShown).map((line) => printable(Bun.stripANSI(line), lineLimit));
}

function messageOf({ supervised, absence }: AbsentPage): string {
  const { id, why, state, lastExit } = supervised;
  const exit = lastExit === undefined ? "" : ` (${exitText(lastExit)})`;
  const reason = why === undefined ? "" : `: ${sentence(why)}`;
  const now = `${word(id)} ${words[state]}`;
  switch (absence.kind) {
    case "soon":
      return `${now}${reason}`;
    case "waited":
      return `${now}${reason}; it was not ready within ${absence.seconds} s, try again`;
    case "too-large":
      return `${now}${reason}; a request with more than ${absence.limit / 1_048_576} MiB cannot wait for it, try again`;
    case "down":
      return `${now}${exit}${reason}; to start it: ${printable(startCommand(supervised))}`;
  }
}

function facts(supervised: Supervised): Html {
  const { state, why, status, lastExit, restarts, pid, port } = supervised;
  const rows: [string, string | undefined][] = [
    ["State", state],
    ["Why", why && sentence(why)],
    ["It says", status && sentence(status)],
    ["Last end", lastExit && exitText(lastExit)],
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
  if (lines.length === 0) return html`<p class="soft">It has printed nothing.</p>`;
  return html`<h2>Its last lines</h2>
    <pre>${new Html(lines.map((line) => html`${line}`.markup).join("\n"))}</pre>`;
}

function body(page: AbsentPage): Html {
  const { supervised, absence } = page;
  const lines = linesOf(page);
  const next =
    absence.kind === "down"
      ? html`<h2>Start it</h2>
          <pre>${printable(startCommand(supervised))}</pre>
          <p class="soft">This page shows it as soon as it is ready.</p>`
      : html`<p>This page shows it as soon as it is ready.</p>`;
  return html`<h1>${word(supervised.id)} ${words[supervised.state]}</h1>
    ${facts(supervised)}${next}${output(lines)}`;
}

function inForm(page: AbsentPage): Reply {
  const { supervised, absence, wants } = page;
  const message = messageOf(page);
  if (wants === "text") return textReply(503, `localhostess: ${message}`);
  if (wants === "json") {
    const { id, project, service, state, why = null, lastExit, restarts } = supervised;
    return jsonReply(503, {
      error: {
        code: absence.kind === "down" ? `service-${state}` : "service-starting",
        message,
        status: 503,
        id,
        project,
        service,
        state,
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
        command: absence.kind === "down" ? startCommand(supervised) : null,
      },
    });
  }
  return pageReply({
    status: 503,
    title: `${word(supervised.id)} ${words[supervised.state]}`,
    aside: html`<span>503 ${reasonOf(503)}</span>`,
    body: body(page),
    refresh: absence.kind === "down" ? 2 : refreshSeconds,
  });
}

export function absentPage(page: AbsentPage): Reply {
  const reply = inForm(page);
  // RFC 9110 section 10.2.3: what stays down comes back when a person says so, which no number tells.
  return page.absence.kind === "down"
    ? reply
    : { ...reply, fields: [...reply.fields, ["Retry-After", String(refreshSeconds)]] };
}
