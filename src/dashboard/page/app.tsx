/** The signals -> the whole page: header, notices, services, and the daemon's facts. */
/** @jsxImportSource preact */
import { useEffect } from "preact/hooks";
import { Detail } from "./detail.tsx";
import { shownSize } from "../../text/size.ts";
import { countText, durationText } from "./format.ts";
import { detailAddress, List } from "./list.tsx";
import { Projects, Supervised } from "./supervised.tsx";
import { isSupervised } from "./projects.ts";
import { connection, daemon, found, news, now, query, services, shown } from "./live.ts";

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
            Search services
          </label>
          <input
            id="search"
            type="search"
            placeholder="Search"
            autocomplete="off"
            spellcheck={false}
            value={query.value}
            onInput={(event) => {
              query.value = event.currentTarget.value;
              if (shown.value !== undefined) location.hash = "#/";
            }}
          />
          <kbd>/</kbd>
        </search>
      </header>
      <Lost />
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
  const name = shown.value;
  if (isSupervised(name)) return <Supervised id={name} />;
  if (name !== undefined) return <Detail />;
  return (
    <>
      <List />
      <Projects />
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
  const count = services.value.length;
  const some = query.value === "" ? "" : `${countText(found.value.length)} of `;
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
  } else if (event.key === "Enter" && typing && found.value.length > 0) {
    location.hash = detailAddress(found.value[0]!.name);
  }
}

/** Goes back from the detail to its row, or from a search to all rows. */
function leave(search: HTMLInputElement): void {
  const name = shown.value;
  if (name === undefined) {
    query.value = "";
    search.blur();
    return;
  }
  location.hash = "#/";
  // After the list has been drawn again.
  setTimeout(() => {
    const links = [...document.querySelectorAll<HTMLElement>("a.detail")];
    links.find((link) => link.textContent === name)?.focus();
  }, 30);
}
