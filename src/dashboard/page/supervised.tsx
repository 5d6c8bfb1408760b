/** The services of projects -> a table with actions; one of them -> its state and its output. */
/** @jsxImportSource preact */
import { useEffect, useRef } from "preact/hooks";
import type { SupervisedStatus } from "../../routes/project-report.ts";
import { shellCommand } from "../../text/shell-words.ts";
import { shownSize } from "../../text/size.ts";
import { durationText } from "./format.ts";
import { connection, now } from "./live.ts";
import { pendingText, upCommand } from "../../routes/pending.ts";
import { type Act, act, busy, lines, projects, refusal, waiting } from "./projects.ts";

export function Projects() {
  const rows = projects.value;
  if (rows.length === 0) return null;
  return (
    <section class="projects" aria-labelledby="projects">
      <h2 id="projects">Projects</h2>
      <Refusal />
      <Pendings />
      <table class="services" aria-label="Services of projects">
        <thead>
          <tr>
            {["Name", "State", "PID", "Port", "Up", "Restarts", "CPU", "Memory", ""].map((word) => (
              <th key={word} scope="col">
                {word}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.name} row={row} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Refusal() {
  if (refusal.value === "") return null;
  return (
    <p class="warning" role="alert">
      {refusal.value}
    </p>
  );
}

/** A line for each project with changes that wait for `up`. */
function Pendings() {
  return (
    <>
      {waiting.value.map(({ project, directory, services }) => (
        <p key={project} class="warning" role="status">
          {project}: {services[0]![1].why}. These wait:{" "}
          {services.map(([name, pending]) => pendingText(name, pending)).join(", ")}. To take them:{" "}
          <code>{upCommand(directory)}</code>
        </p>
      ))}
    </>
  );
}

function dotOf({ state, warnings }: SupervisedStatus): string {
  if (state === "ready") return warnings.length > 0 ? "dot warned" : "dot";
  if (state === "failed") return "dot failed";
  if (state === "completed") return "dot";
  return state === "stopped" || state === "exited" ? "dot ended" : "dot waiting";
}

function Row({ row }: { row: SupervisedStatus }) {
  const { name, state, message, pid, port, started_at: since, restarts, cpu, memory } = row;
  return (
    <tr>
      <th scope="row" class="name">
        <span class={dotOf(row)} aria-hidden="true" />
        <a class="detail" href={`#/${encodeURIComponent(name)}`}>
          {name}
        </a>
      </th>
      <td data-label="State" title={message}>
        {state}
      </td>
      <td data-label="PID" class="number-left">
        {pid ?? "–"}
      </td>
      <td data-label="Port" class="number-left">
        {port ?? "–"}
      </td>
      <td data-label="Up" class="number-left">
        {since === null ? "–" : durationText(now.value - Date.parse(since))}
      </td>
      <td data-label="Restarts" class="number-left">
        {restarts}
      </td>
      <td data-label="CPU" class="number-left">
        {cpu === null ? "–" : `${cpu.toFixed(1)} %`}
      </td>
      <td data-label="Memory" class="number-left">
        {memory === null ? "–" : shownSize(memory)}
      </td>
      <td data-label="Actions">
        <Actions row={row} />
      </td>
    </tr>
  );
}

const downStates: ReadonlySet<SupervisedStatus["state"]> = new Set([
  "stopped",
  "exited",
  "completed",
  "failed",
]);

const words: Record<Act, string> = { start: "Start", stop: "Stop", restart: "Restart" };

function Actions({ row }: { row: SupervisedStatus }) {
  const down = downStates.has(row.state);
  const possible: readonly Act[] = down ? ["start"] : ["stop", "restart"];
  const waits = busy.value.has(row.name) || connection.value !== "live";
  return (
    <span class="actions">
      {possible.map((what) => (
        <button
          key={what}
          type="button"
          disabled={waits}
          aria-label={`${words[what]} ${row.name}`}
          onClick={() => void act(row, what)}
        >
          {words[what]}
        </button>
      ))}
    </span>
  );
}

/** One service of a project, with its output as it is printed. */
export function Supervised({ id }: { id: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [id]);
  const row = projects.value.find(({ name }) => name === id);
  return (
    <article class="detail-view" aria-labelledby="detail-name">
      <p class="back">
        <a href="#/">← All services</a> <kbd>Esc</kbd>
      </p>
      <h2 id="detail-name" tabIndex={-1} ref={heading}>
        <span class={row === undefined ? "dot ended" : dotOf(row)} aria-hidden="true" />
        {id}
        <span class="state">{row?.state ?? ""}</span>
      </h2>
      <Refusal />
      {row === undefined ? (
        <p>No project that is known here has it.</p>
      ) : (
        <>
          <Actions row={row} />
          {row.pending ? <Pendings /> : null}
          <Facts row={row} />
        </>
      )}
      <Output />
    </article>
  );
}

export function Facts({ row }: { row: SupervisedStatus }) {
  const { name, pid, url, message, says, exit, path, warnings } = row;
  return (
    <>
      <p>{message}</p>
      {warnings.map((warning) => (
        <p key={warning} class="warning">
          {warning}
        </p>
      ))}
      <dl class="facts">
        {url !== null && /^https?:\/\/[^/]+$/.test(url) ? (
          <>
            <dt>Address</dt>
            <dd>
              <a href={`${url}/`} target="_blank" rel="noopener noreferrer">
                {url}
              </a>
            </dd>
          </>
        ) : null}
        {says === null ? null : (
          <>
            <dt>It says</dt>
            <dd>{says}</dd>
          </>
        )}
        {exit === null ? null : (
          <>
            <dt>Last end</dt>
            <dd>{exit.signal ?? `exit code ${exit.code}`}</dd>
          </>
        )}
        {pid === null ? null : (
          <>
            <dt>Type into it</dt>
            <dd>
              <code>{shellCommand(["localhostess", "attach", name])}</code>
            </dd>
          </>
        )}
        <dt>Project</dt>
        <dd>
          <code>{path}</code>
        </dd>
      </dl>
    </>
  );
}

function Output() {
  const box = useRef<HTMLPreElement>(null);
  const atEnd = useRef(true);
  const shown = lines.value;
  useEffect(() => {
    const its = box.current;
    // A person who has scrolled up is reading; the text must not move away.
    if (its !== null && atEnd.current) its.scrollTop = its.scrollHeight;
  }, [shown]);
  return (
    <div>
      <h3 id="output">Output</h3>
      <pre
        class="logs"
        ref={box}
        role="log"
        aria-labelledby="output"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled must be reachable by keyboard.
        tabIndex={0}
        onScroll={({ currentTarget: its }) => {
          atEnd.current = its.scrollTop + its.clientHeight >= its.scrollHeight - 20;
        }}
      >
        {shown.length === 0 ? "Nothing yet." : shown.join("\n")}
      </pre>
    </div>
  );
}
