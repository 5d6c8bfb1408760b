/** The services -> one table, by project, that is walked by the arrow keys; and what else a search finds. */
/** @jsxImportSource preact */
import { useEffect } from "preact/hooks";
import { secureUrl, serviceUrl } from "../../routes/service-row.ts";
import { shownSize } from "../../text/size.ts";
import { Actions, ProjectActions } from "./actions.tsx";
import { countText, durationText, latencyText } from "./format.ts";
import { Hits, hitCount } from "./hits.tsx";
import { Links } from "./links.tsx";
import { daemon, entries, isKnown, left, matches, namelessMatches, now } from "./live.ts";
import { deniedOf, detailAddress, type Entry, type Group, groupsOf, shownText } from "./model.ts";
import { Pendings } from "./pendings.tsx";
import { query } from "./search.ts";
import { Sparkline } from "./sparkline.tsx";

/** A heading stands over the name and the state; narrow windows have fewer columns than the rest of these. */
const columns = 12;
const headingColumns = 2;

export function List() {
  // A person who comes back from a service is where that is.
  useEffect(() => {
    const id = left.value;
    left.value = undefined;
    // Whoever types is in the field that a search begins in.
    if (id === undefined || document.activeElement !== document.body) return;
    const links = [...document.querySelectorAll<HTMLElement>("a.detail")];
    const row = links.find((link) => link.dataset.id === id);
    (row ?? document.getElementById("main"))?.focus();
  }, []);
  if (!isKnown.value) return null;
  if (entries.value.length === 0 && query.value === "") {
    return (
      <>
        <Empty />
        <Nameless />
      </>
    );
  }
  const rows = matches.value;
  const groups = groupsOf(rows);
  // Without a project, there is nothing to tell apart.
  const isPlain = groups.length === 1 && groups[0]!.key === "";
  return (
    <>
      {rows.length + hitCount() + namelessMatches.value.length === 0 ? <Nothing /> : null}
      {rows.length === 0 ? null : (
        <table class="services" aria-label="Services" onKeyDown={walk}>
          <thead>
            <tr>
              <Column>Name</Column>
              <Column wide>State</Column>
              <Column>Links</Column>
              <Column number>Port</Column>
              <Column number>Up</Column>
              <Column number>Requests</Column>
              <Column number>Errors</Column>
              <Column number>Latency</Column>
              <Column>Last minute</Column>
              <Column number>CPU</Column>
              <Column number>Memory</Column>
              <Column hidden>Actions</Column>
            </tr>
          </thead>
          {groups.map((group) => (
            <tbody key={group.key}>
              {isPlain ? null : <Heading group={group} />}
              {isPending(group) ? (
                <tr class="group">
                  <td colSpan={columns}>
                    <Pendings of={group.key} />
                  </td>
                </tr>
              ) : null}
              {group.entries.map((entry) => (
                <Row key={entry.id} entry={entry} />
              ))}
            </tbody>
          ))}
        </table>
      )}
      <Hits />
      <Nameless />
    </>
  );
}

/** Servers that run and that no name leads to, each with the command that helps. */
function Nameless() {
  const all = namelessMatches.value;
  if (all.length === 0) return null;
  return (
    // Below a list, they are a side matter; where there is no list, or where they are searched, they are not.
    <details class="nameless" open={entries.value.length === 0 || query.value !== ""}>
      <summary>
        {countText(all.length)} more {all.length === 1 ? "server has" : "servers have"} no name that
        leads to {all.length === 1 ? "it" : "them"}
      </summary>
      <ul>
        {all.map(({ pid, message }) => (
          <li key={pid}>{message}</li>
        ))}
      </ul>
    </details>
  );
}

function Column(props: { children: string; number?: boolean; wide?: boolean; hidden?: boolean }) {
  const look = props.number ? "number" : props.wide ? "wide" : undefined;
  return (
    <th scope="col" class={look}>
      {props.hidden ? <span class="hidden">{props.children}</span> : props.children}
    </th>
  );
}

function isPending({ entries: its }: Group): boolean {
  return its.some(({ declared }) => declared?.pending != null);
}

function Heading({ group }: { group: Group }) {
  const { key, name, entries: its } = group;
  const ready = its.filter(({ tone }) => tone === "good" || tone === "warn").length;
  return (
    <tr class="group">
      <th scope="rowgroup" colSpan={headingColumns}>
        <span class="title">
          <h2>{name}</h2>
          <span class="soft count">
            {ready} of {its.length} up
          </span>
          {key === "" ? null : <code class="soft path">{key}</code>}
        </span>
      </th>
      <td colSpan={columns - headingColumns}>
        {key === "" ? null : <ProjectActions group={group} />}
      </td>
    </tr>
  );
}

/** A state that a person has to do something about is shown with its cause, and with the command that helps. */
function messageOf({ declared, found, tone }: Entry): string | undefined {
  if (tone !== "bad" && tone !== "warn") return declared?.says ?? undefined;
  if (declared === undefined) return found?.warnings[0];
  return tone === "bad" || declared.state !== "ready" ? declared.message : declared.warnings[0];
}

function Row({ entry }: { entry: Entry }) {
  const { id, declared, found, state, tone } = entry;
  const open = (event: MouseEvent) => {
    // A link or a button in the row does what it says, and text that is being selected is not a click.
    if ((event.target as Element).closest("a, button") !== null) return;
    if (getSelection()?.type !== "Range") location.hash = detailAddress(id);
  };
  const message = messageOf(entry);
  const since = declared?.started_at ?? found?.started_at;
  const port = found?.port ?? declared?.port;
  const traffic = found?.traffic;
  const restarts = declared?.restarts ?? 0;
  const denied = deniedOf(entry);
  const shown = shownText(entry);
  // A project's heading has its name, and the label is in that.
  const worktree = declared || found?.checkout?.label == null ? undefined : found.checkout;
  const [project, service] = declared === undefined ? ["", found!.name] : id.split(/(?<=^[^:]*:)/);
  return (
    // The link in the first cell does the same by keyboard.
    <tr onClick={open}>
      <th scope="row" class="name">
        <span class={`dot ${tone}`} aria-hidden="true" />
        <a class="detail" href={detailAddress(id)} data-id={id} title={commandOf(entry)}>
          <span class="prefix">{project}</span>
          {service}
        </a>
      </th>
      <td data-label="State" class="wide">
        <span class={`state ${tone}`}>{state}</span>{" "}
        {declared?.lazy && tone === "off" ? (
          <span class="soft aside" title="It starts with its first request.">
            lazy{" "}
          </span>
        ) : null}
        {denied > 0 ? (
          <span class="soft aside" title="Requests of other sites’ pages that the guard refused.">
            {countText(denied)} refused{" "}
          </span>
        ) : null}
        {worktree === undefined ? null : (
          <span class="soft aside" title={`A linked worktree: ${worktree.root}`}>
            worktree {worktree.label}{" "}
          </span>
        )}
        {restarts > 0 ? <span class="soft aside">{restarts}× restarted </span> : null}
        {shown === undefined ? null : <span class="message shown">{shown}</span>}
        {message === undefined ? null : (
          <span class="message" title={message}>
            {message}
          </span>
        )}
      </td>
      <Links entry={entry} />
      <Cell label="Port">{port}</Cell>
      <Cell label="Up">{since && durationText(now.value - Date.parse(since))}</Cell>
      <Cell label="Requests">{traffic && countText(traffic.requests)}</Cell>
      <Cell label="Errors" tone={(traffic?.errors ?? 0) > 0 ? "bad" : "soft"}>
        {traffic && countText(traffic.errors)}
      </Cell>
      <Cell label="Latency">
        {traffic?.median_milliseconds == null ? null : latencyText(traffic.median_milliseconds)}
      </Cell>
      <td data-label="Last minute" class="minute">
        {traffic === undefined ? null : <Sparkline counts={traffic.per_second} />}
      </td>
      <Cell label="CPU">{declared?.cpu == null ? null : `${declared.cpu.toFixed(1)} %`}</Cell>
      <Cell label="Memory">{declared?.memory == null ? null : shownSize(declared.memory)}</Cell>
      <td class="buttons">{declared === undefined ? null : <Actions row={declared} />}</td>
    </tr>
  );
}

/** A dash where there is no number; on a narrow screen, nothing. */
function Cell(props: {
  label: string;
  tone?: "bad" | "soft";
  children: string | number | null | undefined;
}) {
  const { label, tone = "", children } = props;
  const isNone = children === null || children === undefined;
  return (
    <td data-label={label} class={`number ${isNone ? "none soft" : tone}`}>
      {isNone ? "–" : children}
    </td>
  );
}

function commandOf({ declared, found }: Entry): string {
  return declared?.command ?? found?.command ?? "";
}

function Nothing() {
  return (
    <div class="empty">
      <h2>Nothing matches “{query.value}”</h2>
      <p>
        Names, projects, states, addresses, commands, folders, ports and process ids are searched,
        and the latest requests and lines of output. <kbd>Esc</kbd> shows all{" "}
        {countText(entries.value.length)} services again.
      </p>
    </div>
  );
}

function Empty() {
  const facts = daemon.value;
  const http = facts?.http_port ?? facts?.port ?? 9090;
  const https = facts?.https_port ?? facts?.port ?? 9090;
  return (
    <div class="empty">
      <h2>No named server is running</h2>
      <p>Start any server with a name, and it appears here by itself:</p>
      <pre>NAME=api bun dev</pre>
      <p>
        It is then at <code>{serviceUrl("api", http)}/</code> and{" "}
        <code>{secureUrl("api", https)}/</code>. Nothing has to be configured; anything that listens
        will do.
      </p>
      <p>In a folder with a locald.toml or a Procfile, this starts all its services:</p>
      <pre>localhostess up</pre>
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
