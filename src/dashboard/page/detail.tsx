/** One service -> its facts, warnings, processes and latest requests. */
/** @jsxImportSource preact */
import { useEffect, useRef } from "preact/hooks";
import type { ServiceDetail, ServiceProcess } from "../../routes/service-report.ts";
import { shownSize } from "../../text/size.ts";
import { clockText, countText, durationText, latencyText } from "./format.ts";
import { Addresses } from "./links.tsx";
import { connection, detail, now, running, services, shown } from "./live.ts";
import type { SeenRequest } from "./model.ts";
import { Sparkline } from "./sparkline.tsx";

export function Detail() {
  const name = shown.value!;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [name]);
  const its = detail.value;
  const alive = running.value;
  return (
    <article class="detail-view" aria-labelledby="detail-name">
      <p class="back">
        <a href="#/">← All services</a> <kbd>Esc</kbd>
      </p>
      <h2 id="detail-name" tabIndex={-1} ref={heading}>
        <span class={alive ? "dot" : "dot ended"} aria-hidden="true" />
        {name}
        <span class="state">{alive || its === undefined ? "" : "has ended"}</span>
      </h2>
      {its === undefined ? <Unknown /> : <Known its={its} />}
    </article>
  );
}

function Unknown() {
  if (connection.value !== "live" || running.value) return null;
  return (
    <p>
      No server of this name is running. Started with <code>NAME={shown.value}</code> it appears
      here.
    </p>
  );
}

function Known({ its }: { its: ServiceDetail }) {
  // Counts change with every event; the rest is from the last refresh.
  const { traffic } = services.value.find(({ name }) => name === its.name) ?? its;
  return (
    <>
      {its.warnings.map((warning) => (
        <p key={warning} class="warning">
          {warning}
        </p>
      ))}
      <dl class="figures">
        <Figure word="Requests">{countText(traffic.requests)}</Figure>
        <Figure word="Errors" bad={traffic.errors > 0}>
          {countText(traffic.errors)}
        </Figure>
        <Figure word="Under way">{countText(traffic.active)}</Figure>
        <Figure word="Median">{latencyText(traffic.median_milliseconds)}</Figure>
        <div>
          <dt>Last minute</dt>
          <dd>
            <Sparkline counts={traffic.per_second} />
          </dd>
        </div>
      </dl>
      <dl class="facts">
        <dt>Addresses</dt>
        <dd>
          <Addresses service={its} />
        </dd>
        <dt>Listens on</dt>
        <dd>
          <code>
            {its.address.includes(":") ? `[${its.address}]` : its.address}:{its.port}
          </code>
          {its.ports.length > 1 ? <span class="soft"> of {its.ports.join(", ")}</span> : null}
        </dd>
        <dt>Command</dt>
        <dd>
          <code>{its.command}</code>
        </dd>
        <dt>Folder</dt>
        <dd>{its.cwd === null ? <span class="soft">unknown</span> : <code>{its.cwd}</code>}</dd>
        <dt>Up</dt>
        <dd>{durationText(now.value - Date.parse(its.started_at))}</dd>
        <dt>Name from</dt>
        <dd>{its.source}</dd>
      </dl>
      <Processes all={its.processes} />
      <Requests all={its.requests} />
    </>
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

function Requests({ all }: { all: readonly SeenRequest[] }) {
  return (
    <div>
      <h3 id="requests">Last requests</h3>
      {all.length === 0 ? (
        <p class="soft">None yet. What comes through the proxy is listed here as it happens.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled must be reachable by keyboard.
        <section class="scrolled" aria-labelledby="requests" tabIndex={0}>
          <table class="requests">
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">Method</th>
                <th scope="col">Path</th>
                <th scope="col" class="number">
                  Status
                </th>
                <th scope="col" class="number">
                  Took
                </th>
                <th scope="col" class="number">
                  Size
                </th>
                <th scope="col">Caller</th>
              </tr>
            </thead>
            <tbody>
              {all.map((request) => (
                <Request key={request.id} request={request} />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </div>
  );
}

function Request({ request }: { request: SeenRequest }) {
  const { time, method, target, status, milliseconds, received, sent, caller, scheme } = request;
  const bad = status === 0 || status >= 500;
  const size = received > 0 ? `${shownSize(received)} in, ` : "";
  return (
    <tr>
      <td class="time number-left soft">{clockText(Date.parse(time))}</td>
      <td class="method">{method}</td>
      <td class="path">
        <code title={`${scheme}: ${target}`}>{target === "" ? "/" : target}</code>
      </td>
      <td class={bad ? "number bad" : "number"}>{status === 0 ? "broken off" : status}</td>
      <td class="number">{latencyText(milliseconds)}</td>
      <td class="number" title={`${size}${shownSize(sent)} out`}>
        {shownSize(sent)}
      </td>
      <td class="caller soft" title={caller?.command}>
        {caller === undefined ? "–" : `${programOf(caller.command)} ${caller.pid}`}
      </td>
    </tr>
  );
}

/** `/usr/bin/curl -s http://...` -> `curl`. */
function programOf(command: string): string {
  return command.split(" ")[0]!.split("/").at(-1)!;
}
