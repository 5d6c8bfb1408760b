/** One service -> its state, its requests beside its output, its facts and processes. */
/** @jsxImportSource preact */
import { useEffect, useRef } from "preact/hooks";
import type { ServiceDetail, ServiceProcess } from "../../routes/service-report.ts";
import { placeText } from "../../text/place.ts";
import { shellCommand } from "../../text/shell-words.ts";
import { shownSize } from "../../text/size.ts";
import { Actions } from "./actions.tsx";
import { countText, durationText, latencyText } from "./format.ts";
import { Addresses } from "./links.tsx";
import { connection, denials, detail, entry, isKnown, isThere, now, shown } from "./live.ts";
import { deniedOf, type Entry, warningsOf } from "./model.ts";
import { Output, Requests } from "./panes.tsx";
import { Pendings } from "./pendings.tsx";
import { Sparkline } from "./sparkline.tsx";

export function Detail() {
  const id = shown.value!;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [id]);
  const its = entry.value;
  const there = isThere.value;
  const state = its === undefined ? "" : there ? its.state : "has ended";
  return (
    <article class="detail-view" aria-labelledby="detail-name">
      <nav class="jumps" aria-label="Parts of this view">
        <a href="#/">← All services</a>
        <kbd>Esc</kbd>
        {its === undefined ? null : (
          <span class="parts">
            <Jump to="requests">Requests</Jump>
            <Jump to="output">Output</Jump>
            <Jump to="facts">Facts</Jump>
          </span>
        )}
      </nav>
      <div class="head">
        <h2 id="detail-name" tabIndex={-1} ref={heading}>
          <span class={`dot ${there && its ? its.tone : "off"}`} aria-hidden="true" />
          {its === undefined ? id : (its.declared?.name ?? its.found?.name)}
          <span class="state">{state}</span>
        </h2>
        {its?.declared === undefined || !there ? null : <Actions row={its.declared} />}
      </div>
      {its === undefined ? <Unknown /> : <Known its={its} />}
    </article>
  );
}

/** On a narrow screen the parts lie below one another. No link: the address belongs to the views. */
function Jump({ to, children }: { to: string; children: string }) {
  return (
    <button
      type="button"
      onClick={() => {
        const part = document.getElementById(to);
        part?.scrollIntoView();
        part?.focus({ preventScroll: true });
      }}
    >
      {children}
    </button>
  );
}

function Unknown() {
  if (connection.value !== "live" || !isKnown.value) return null;
  return (
    <p>
      No server of this name is running, and no project that was up declares it. Started with{" "}
      <code>NAME={shown.value}</code> it appears here.
    </p>
  );
}

function Known({ its }: { its: Entry }) {
  const { declared } = its;
  const warnings = warningsOf(its);
  return (
    <>
      {declared === undefined ? null : <p class="sentence">{declared.message}</p>}
      {declared?.pending ? <Pendings of={declared.path} /> : null}
      {warnings.map((warning) => (
        <p key={warning} class="warning">
          {warning}
        </p>
      ))}
      <Figures its={its} />
      <div class="panes">
        <Requests entry={its} />
        <Output entry={its} />
      </div>
      <Denials />
      <Facts its={its} />
      {(detail.value?.processes ?? []).length === 0 ? null : (
        <Processes all={detail.value!.processes} />
      )}
    </>
  );
}

function Figures({ its }: { its: Entry }) {
  const { declared, found } = its;
  const traffic = found?.traffic;
  const denied = deniedOf(its);
  return (
    <dl class="figures">
      {traffic === undefined ? null : (
        <>
          <Figure word="Requests">{countText(traffic.requests)}</Figure>
          <Figure word="Errors" bad={traffic.errors > 0}>
            {countText(traffic.errors)}
          </Figure>
          <Figure word="Under way">{countText(traffic.active)}</Figure>
          <Figure word="Median">{latencyText(traffic.median_milliseconds)}</Figure>
        </>
      )}
      {denied === 0 ? null : <Figure word="Refused">{countText(denied)}</Figure>}
      {declared === undefined ? null : (
        <>
          <Figure word="Restarts">{countText(declared.restarts)}</Figure>
          {declared.cpu === null ? null : (
            <Figure word="CPU">{`${declared.cpu.toFixed(1)} %`}</Figure>
          )}
          {declared.memory === null ? null : (
            <Figure word="Memory">{shownSize(declared.memory)}</Figure>
          )}
        </>
      )}
      {traffic === undefined ? null : (
        <div>
          <dt>Last minute</dt>
          <dd>
            <Sparkline counts={traffic.per_second} />
          </dd>
        </div>
      )}
    </dl>
  );
}

function Figure(props: { word: string; bad?: boolean; children: string }) {
  return (
    <div>
      <dt>{props.word}</dt>
      <dd class={props.bad ? "bad" : undefined}>{props.children}</dd>
    </div>
  );
}

/** Requests of other sites' pages, each with the line that allows it. */
function Denials() {
  const all = denials.value;
  if (all.length === 0) return null;
  return (
    <section aria-labelledby="denials">
      <h3 id="denials">Refused by the guard</h3>
      <ul class="denials">
        {all.map(({ kind, origin, refused, count, message, allow, file }) => (
          <li key={`${kind} ${refused} ${origin}`}>
            <span class="soft number-left">{countText(count)}×</span>{" "}
            {message.split("; to allow")[0]}
            <div>
              <code>{allow}</code> <span class="soft">in {file} allows it.</span>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Facts({ its }: { its: Entry }) {
  const { declared, found } = its;
  const since = declared?.started_at ?? found?.started_at;
  const folder = found?.cwd ?? declared?.path;
  const exit = declared?.exit;
  return (
    <section aria-labelledby="facts">
      <h3 id="facts" tabIndex={-1}>
        Facts
      </h3>
      <dl class="facts">
        <Fact word="Addresses">
          <Addresses entry={its} />
        </Fact>
        {found === undefined ? (
          declared?.port == null ? null : (
            <Fact word="Port">{declared.port}</Fact>
          )
        ) : (
          <Fact word="Listens on">
            <Listening of={found} />
          </Fact>
        )}
        <Fact word="Command">
          <code>{declared?.command ?? found?.command}</code>
        </Fact>
        {declared === undefined ? null : (
          <Fact word="Project">
            {declared.project} in <code>{declared.path}</code>
          </Fact>
        )}
        {declared?.plugin ? <Fact word="Made by">the plugin {declared.plugin}</Fact> : null}
        {folder == null || folder === declared?.path ? null : (
          <Fact word="Folder">
            <code>{folder}</code>
          </Fact>
        )}
        {since == null ? null : (
          <Fact word="Up">{durationText(now.value - Date.parse(since))}</Fact>
        )}
        {declared?.says ? <Fact word="It says">{declared.says}</Fact> : null}
        {exit ? <Fact word="Last end">{exit.signal ?? `exit code ${exit.code}`}</Fact> : null}
        {declared === undefined || declared.pid === null ? null : (
          <Fact word="Type into it">
            <code>{shellCommand(["localhostess", "attach", declared.name])}</code>
          </Fact>
        )}
        {found === undefined ? null : <Fact word="Name from">{found.because ?? found.source}</Fact>}
      </dl>
    </section>
  );
}

function Fact(props: { word: string; children: preact.ComponentChildren }) {
  return (
    <>
      <dt>{props.word}</dt>
      <dd>{props.children}</dd>
    </>
  );
}

function Listening({ of }: { of: Pick<ServiceDetail, "address" | "port" | "ports"> }) {
  const { address, port, ports } = of;
  return (
    <>
      <code>{placeText({ address, port: port ?? 0 })}</code>
      {ports.length > 1 ? <span class="soft"> of {ports.join(", ")}</span> : null}
    </>
  );
}

function Processes({ all }: { all: readonly ServiceProcess[] }) {
  return (
    <div>
      <h3 id="processes">Processes</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled must be reachable by keyboard. */}
      <section class="scrolled" aria-labelledby="processes" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col" class="number">
                PID
              </th>
              <th scope="col">Listens on</th>
              <th scope="col">Command</th>
            </tr>
          </thead>
          <tbody>
            {all.map(({ pid, listening, command }) => (
              <tr key={pid}>
                <td class="number">{pid}</td>
                <td class="number-left">{listening.map(({ port }) => port).join(", ") || "–"}</td>
                <td class="command">
                  <code>{command ?? "–"}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
}
