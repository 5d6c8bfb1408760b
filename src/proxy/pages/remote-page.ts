/** A name of another machine that nothing answers -> the body of a page that says why, and what to do. Pure. */
import { type RemoteReport, remoteStateText, remoteText } from "../../routes/remote-report.ts";
import { serviceUrl } from "../../routes/service-row.ts";
import { html, type Html } from "../../text/html.ts";
import type { RemoteAway, UnknownName } from "./problem.ts";
import { longSentence, word } from "./words.ts";

type Told = { title: string; awaits: string; body: Html };

/** Limit on the list of names, so that the page stays readable. */
const mostNames = 100;

function why(name: string): Html {
  return html`<p>For every step between this page and the server, run:</p>
    <pre>localhostess why ${word(name)}</pre>`;
}

/** The machine is not connected. */
export function remoteAwayPage({ name, remote }: RemoteAway): Told {
  const { fix } = remote;
  return {
    title: `${word(remote.name)} is not connected`,
    awaits: "This page shows the server when its machine is connected.",
    body: html`<p>
        <code>${word(name)}</code> is on <strong>${remoteText(remote)}</strong>, another machine,
        which is ${longSentence(remoteStateText(remote))}.
      </p>
      ${
        fix === undefined
          ? html`<p>Another attempt follows by itself. Now:</p>
              <pre>localhostess remote retry ${word(remote.name)}</pre>`
          : html`<h2>What helps</h2>
              <p>${longSentence(fix)}</p>`
      }
      ${why(name)}`,
  };
}

/** The machine is connected, and has no such name. */
export function unknownTherePage(
  { name, port }: UnknownName,
  remote: RemoteReport,
  guess: Html | undefined,
): Told {
  const names = remote.services.map((its) => its.name);
  const label = word(name.slice(0, Math.max(0, name.length - remote.name.length - 1)));
  return {
    title: `No server on ${word(remote.name)} is named ${label}`,
    awaits: "This page shows the server when it listens.",
    body: html`${guess}
      <p><strong>${remoteText(remote)}</strong> is another machine, and is connected.</p>
      ${
        names.length === 0
          ? html`<p>No server with a name runs there.</p>`
          : html`<h2>Running there</h2>
              <ul class="names">
                ${names
                  .slice(0, mostNames)
                  .map(
                    (its) => html`<li><a href="${serviceUrl(its, port)}/">${word(its)}</a></li> `,
                  )}
              </ul>`
      }
      <h2>Start a server there under this name</h2>
      <pre>NAME=${label} bun dev</pre>
      ${
        remote.by === "script"
          ? html`<p class="soft">
              Names there are those in <code>NAME</code>. For servers without one, install
              localhostess there.
            </p>`
          : undefined
      }
      ${why(name)}`,
  };
}
