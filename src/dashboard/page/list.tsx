/** The services -> a table, a row each, that is walked by the arrow keys. */
/** @jsxImportSource preact */
import type { ServiceReport } from "../../routes/service-report.ts";
import { countText, durationText, latencyText } from "./format.ts";
import { Links } from "./links.tsx";
import { connection, found, now, query, services } from "./live.ts";
import { keyOf } from "./model.ts";
import { projects } from "./projects.ts";
import { Sparkline } from "./sparkline.tsx";

export function detailAddress(name: string): string {
  return `#/${encodeURIComponent(name)}`;
}

export function List() {
  const rows = found.value;
  if (services.value.length === 0) {
    return connection.value === "connecting" || projects.value.length > 0 ? null : <Empty />;
  }
  if (rows.length === 0) {
    return (
      <div class="empty">
        <h2>Nothing matches “{query.value}”</h2>
        <p>
          Names, commands, folders, ports and process ids are searched. <kbd>Esc</kbd> shows all{" "}
          {countText(services.value.length)} again.
        </p>
      </div>
    );
  }
  return (
    <table class="services" aria-label="Services" onKeyDown={walk}>
      <thead>
        <tr>
          <Column>Name</Column>
          <Column>Links</Column>
          <Column number>Port</Column>
          <Column number>PID</Column>
          <Column wide>Command</Column>
          <Column number>Up</Column>
          <Column number>Requests</Column>
          <Column number>Errors</Column>
          <Column number>Latency</Column>
          <Column>Last minute</Column>
        </tr>
      </thead>
      <tbody>
        {rows.map((service) => (
          <Row key={keyOf(service)} service={service} />
        ))}
      </tbody>
    </table>
  );
}

function Column(props: { children: string; number?: boolean; wide?: boolean }) {
  const look = props.number ? "number" : props.wide ? "wide" : undefined;
  return (
    <th scope="col" class={look}>
      {props.children}
    </th>
  );
}

function Row({ service }: { service: ServiceReport }) {
  const { name, port, pid, pids, command, started_at, traffic, warnings } = service;
  const open = (event: MouseEvent) => {
    // A link in the row goes where it says, and text that is being selected is not a click.
    if ((event.target as Element).closest("a") !== null || getSelection()?.type === "Range") return;
    location.hash = detailAddress(name);
  };
  return (
    // The link in the first cell does the same by keyboard.
    <tr onClick={open}>
      <th scope="row" class="name">
        <span class={warnings.length > 0 ? "dot warned" : "dot"} aria-hidden="true" />
        <a class="detail" href={detailAddress(name)}>
          {name}
        </a>
        <span class="state">running</span>
        {warnings.length > 0 ? <Warned count={warnings.length} /> : null}
      </th>
      <td data-label="Links">
        <Links service={service} />
      </td>
      <td data-label="Port" class="number">
        {port}
      </td>
      <td data-label="PID" class="number">
        {pid}
        {pids.length > 1 ? <span class="soft"> +{pids.length - 1}</span> : null}
      </td>
      <td data-label="Command" class="wide">
        <code title={command}>{command}</code>
      </td>
      <td data-label="Up" class="number">
        {durationText(now.value - Date.parse(started_at))}
      </td>
      <td data-label="Requests" class="number">
        {countText(traffic.requests)}
      </td>
      <td data-label="Errors" class={traffic.errors > 0 ? "number bad" : "number soft"}>
        {countText(traffic.errors)}
      </td>
      <td data-label="Latency" class="number">
        {latencyText(traffic.median_milliseconds)}
      </td>
      <td data-label="Last minute">
        <Sparkline counts={traffic.per_second} />
      </td>
    </tr>
  );
}

function Warned({ count }: { count: number }) {
  return (
    <span class="warned-count" title="see the detail view">
      {count} {count === 1 ? "warning" : "warnings"}
    </span>
  );
}

function Empty() {
  return (
    <div class="empty">
      <h2>No named server is running</h2>
      <p>Start any server with a name, and it appears here by itself:</p>
      <pre>NAME=api bun dev</pre>
      <p>
        It is then at <code>http://api.localhost</code> on the proxy’s port, and at{" "}
        <code>https</code> too. Nothing has to be configured; anything that listens will do.
      </p>
    </div>
  );
}

/** Up and down through the rows, and to their ends. */
function walk(event: KeyboardEvent): void {
  const table = event.currentTarget as HTMLElement;
  const links = [...table.querySelectorAll<HTMLElement>("a.detail")];
  const row = (event.target as Element).closest("tr");
  const at = links.findIndex((link) => row?.contains(link));
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
  if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  if (to < 0) document.getElementById("search")?.focus();
  else links[Math.min(to, links.length - 1)]?.focus();
}
