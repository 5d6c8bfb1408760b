/** The requests and the output of one service -> two panes, side by side. */
/** @jsxImportSource preact */
import { useEffect, useRef } from "preact/hooks";
import { programOf } from "../../text/short-command.ts";
import { shownSize } from "../../text/size.ts";
import { clockText, durationText, latencyText } from "./format.ts";
import { requests } from "./live.ts";
import { type Entry, isBad, type SeenRequest } from "./model.ts";
import { lines } from "./projects.ts";

export function Requests({ entry }: { entry: Entry }) {
  const all = requests.value;
  const hasAddress = entry.found !== undefined || entry.declared?.route_name !== null;
  return (
    <section class="pane" aria-labelledby="requests">
      <h3 id="requests" tabIndex={-1}>
        Requests
      </h3>
      {all.length === 0 ? (
        <p class="soft">
          {hasAddress
            ? "None yet. What comes through the proxy is listed here as it happens."
            : "None: a worker has no address."}
        </p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled must be reachable by keyboard.
        <section class="scrolled" aria-label="The latest requests" tabIndex={0}>
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
    </section>
  );
}

function statusText({ status, stream, denied }: SeenRequest): string {
  if (denied === "refused") return `${status} by guard`;
  if (status !== 0) return String(status);
  return stream ? "closed" : "broken off";
}

function Request({ request }: { request: SeenRequest }) {
  const { time, method, target, milliseconds, received, sent, caller, scheme, stream } = request;
  const size = received > 0 ? `${shownSize(received)} in, ` : "";
  return (
    <tr>
      <td class="time number-left soft">{clockText(Date.parse(time))}</td>
      <td class="method">{method}</td>
      <td class="path">
        <code title={`${scheme}: ${target}`}>{target === "" ? "/" : target}</code>
      </td>
      <td class={isBad(request) ? "number bad" : "number"}>{statusText(request)}</td>
      <td class="number">
        {stream ? `open ${durationText(milliseconds)}` : latencyText(milliseconds)}
      </td>
      <td class="number" title={`${size}${shownSize(sent)} out`}>
        {shownSize(sent)}
      </td>
      <td class="caller soft" title={caller?.command}>
        {caller === undefined ? "–" : `${programOf(caller.command)} ${caller.pid}`}
      </td>
    </tr>
  );
}

export function Output({ entry }: { entry: Entry }) {
  return (
    <section class="pane" aria-labelledby="output">
      <h3 id="output" tabIndex={-1}>
        Output
      </h3>
      {entry.declared === undefined ? (
        <p class="soft">
          It goes to where the server was started
          {entry.found?.pid == null ? "" : ` (pid ${entry.found.pid})`}. The output of a project’s
          services is kept, and shown here.
        </p>
      ) : (
        <Lines />
      )}
    </section>
  );
}

function Lines() {
  const box = useRef<HTMLPreElement>(null);
  const atEnd = useRef(true);
  const shown = lines.value;
  useEffect(() => {
    const its = box.current;
    // A person who has scrolled up is reading; the text must not move away.
    if (its !== null && atEnd.current) its.scrollTop = its.scrollHeight;
  }, [shown]);
  return (
    <pre
      class="logs"
      ref={box}
      role="log"
      // A service may print faster than anyone can listen: whoever wants to hear the lines reads them.
      aria-live="off"
      aria-label="The last lines of output"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled must be reachable by keyboard.
      tabIndex={0}
      onScroll={({ currentTarget: its }) => {
        atEnd.current = its.scrollTop + its.clientHeight >= its.scrollHeight - 20;
      }}
    >
      {shown.length === 0 ? "Nothing yet." : shown.join("\n")}
    </pre>
  );
}
