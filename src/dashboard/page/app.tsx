/** The signals -> the whole page: header, notices, services, and the daemon's facts. */
/** @jsxImportSource preact */
import { useEffect } from "preact/hooks";
import { shownSize } from "../../text/size.ts";
import { Refusal } from "./actions.tsx";
import { Detail } from "./detail.tsx";
import { countText, durationText } from "./format.ts";
import { List } from "./list.tsx";
import { connection, daemon, entries, matches, news, now, shown } from "./live.ts";
import { stateQuery, statesOf } from "./model.ts";
import { query } from "./search.ts";

export function App() {
  useEffect(() => {
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  return (
    <>
      <button type="button" class="skip" onClick={toMain}>
        Skip to the services
      </button>
      <header>
        <h1>
          <a href="#/">localhostess</a>
        </h1>
        <State />
        <search>
          <label class="hidden" for="search">
            Search services, requests and output
          </label>
          <input
            id="search"
            type="search"
            placeholder="Search everything"
            autocomplete="off"
            spellcheck={false}
            value={query.value}
            onInput={(event) => {
              search(event.currentTarget.value);
            }}
          />
          <kbd>/</kbd>
        </search>
      </header>
      <Lost />
      <Refusal />
      <main id="main" tabIndex={-1} class={connection.value === "live" ? undefined : "stale"}>
        <View />
      </main>
      <Facts />
      <div class="hidden" role="status" aria-live="polite">
        {news.value}
      </div>
    </>
  );
}

function View() {
  if (shown.value !== undefined) return <Detail />;
  return (
    <>
      <States />
      <List />
    </>
  );
}

function State() {
  const words = {
    connecting: "connecting",
    live: "live",
    lost: "reconnecting",
    ended: "signed out",
  };
  const count = entries.value.length;
  const some = query.value === "" ? "" : `${countText(matches.value.length)} of `;
  return (
    <p class="connection">
      <span class={`dot ${connection.value}`} aria-hidden="true" />
      <span>{words[connection.value]}</span>
      <span class="soft count">
        {some}
        {countText(count)} {count === 1 ? "service" : "services"}
      </span>
    </p>
  );
}

/** All services by their states, for one look. Each state is searched for by a click. */
function States() {
  const states = statesOf(entries.value);
  if (states.length === 0) return null;
  return (
    <ul class="states" aria-label="Services by state">
      {states.map(({ state, tone, count }) => (
        <li key={state}>
          <button
            type="button"
            aria-pressed={query.value === stateQuery(state)}
            aria-label={`${count} ${state}: show only these`}
            onClick={() => search(query.value === stateQuery(state) ? "" : stateQuery(state))}
          >
            <span class={`dot ${tone}`} aria-hidden="true" />
            {countText(count)} {state}
          </button>
        </li>
      ))}
    </ul>
  );
}

function search(text: string): void {
  query.value = text;
  if (shown.value !== undefined) location.hash = "#/";
}

/** Lies over the end of the page, so that nothing moves when it appears or disappears. */
function Lost() {
  if (connection.value === "ended") {
    return (
      <p class="notice" role="alert">
        This page is no longer signed in. Run <code>localhostess dashboard</code> to open it again.
      </p>
    );
  }
  if (connection.value !== "lost") return null;
  return (
    <p class="notice" role="alert">
      The daemon does not answer; what you see is as it was. This page goes on by itself as soon as
      it is back: <code>localhostess server start</code>
    </p>
  );
}

function Facts() {
  const facts = daemon.value;
  if (facts === undefined) return <footer />;
  return (
    <footer>
      <dl>
        <Fact word="Version">{facts.version}</Fact>
        <Fact word="Proxy">
          {facts.addresses
            .map((address) => (address.includes(":") ? `[${address}]` : address))
            .join(", ")}{" "}
          port {facts.port}
        </Fact>
        <Fact word="PID">{facts.pid}</Fact>
        <Fact word="Up">{durationText(now.value - Date.parse(facts.started_at))}</Fact>
        <Fact word="Memory">{shownSize(facts.memory)}</Fact>
        <Fact word="Connections">{countText(facts.connections.proxy)}</Fact>
        <Fact word="State">
          <code>{facts.state_directory}</code>
        </Fact>
      </dl>
    </footer>
  );
}

function Fact(props: { word: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{props.word}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

/** No link: the address belongs to the views. */
function toMain(): void {
  document.getElementById("main")?.focus();
}

function onKey(event: KeyboardEvent): void {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const search = document.getElementById("search") as HTMLInputElement;
  const typing = event.target === search;
  if (event.key === "/" && !typing) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "Escape") {
    leave(search);
  } else if (event.key === "ArrowDown" && (typing || event.target === document.body)) {
    event.preventDefault();
    document.querySelector<HTMLElement>("a.detail")?.focus();
  } else if (event.key === "Enter" && typing) {
    const first = document.querySelector<HTMLAnchorElement>("a.detail, .hits a");
    if (first !== null) location.hash = first.hash;
  }
}

/** Goes back from the detail to its row, or from a search to all rows. */
function leave(field: HTMLInputElement): void {
  if (shown.value !== undefined) location.hash = "#/";
  else {
    query.value = "";
    field.blur();
  }
}
