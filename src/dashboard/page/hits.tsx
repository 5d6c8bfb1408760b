/** A query -> the requests and the lines of output that it finds, each with its service. */
/** @jsxImportSource preact */
import { clockText } from "./format.ts";
import { entries } from "./live.ts";
import { detailAddress, isBad, marked, wordsOf } from "./model.ts";
import { lineHits, query, requestHits } from "./search.ts";

/** Hits of each kind that are shown: more than anyone reads, and little to draw. */
const mostHits = 50;

export function hitCount(): number {
  return requestHits.value.length + lineHits.value.length;
}

export function Hits() {
  if (hitCount() === 0) return null;
  return (
    <div class="hits">
      <Section word="requests" count={requestHits.value.length}>
        {requestHits.value.slice(0, mostHits).map((request) => (
          <li key={request.id}>
            <Service name={request.service} />
            <span class="soft">{clockText(Date.parse(request.time))}</span>
            <code>
              {request.method} <Marked text={request.target === "" ? "/" : request.target} />
            </code>
            <span class={isBad(request) ? "bad" : "soft"}>{request.status || "broken off"}</span>
          </li>
        ))}
      </Section>
      <Section word="output" count={lineHits.value.length}>
        {lineHits.value.slice(0, mostHits).map((line) => (
          <li key={`${line.service} ${line.time} ${line.text}`}>
            <Service name={line.service} />
            <span class="soft">{clockText(Date.parse(line.time))}</span>
            <code>
              <Marked text={line.text} />
            </code>
          </li>
        ))}
      </Section>
    </div>
  );
}

function Section(props: { word: string; count: number; children: preact.ComponentChildren }) {
  const { word, count, children } = props;
  if (count === 0) return null;
  const id = `hits-${word}`;
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>
        In {word}{" "}
        <span class="soft">{count > mostHits ? `the latest ${mostHits} of ${count}` : count}</span>
      </h2>
      <ul>{children}</ul>
    </section>
  );
}

/** The daemon has lines too, and no view of its own. A request may have reached nobody. */
function Service({ name }: { name: string }) {
  const its = entries.value.find(
    ({ id, found, declared }) =>
      id === name || found?.name === name || declared?.route_name === name,
  );
  if (its === undefined) return <span class="service soft">{name || "nobody"}</span>;
  return (
    <a class="service" href={detailAddress(its.id)}>
      {its.id}
    </a>
  );
}

function Marked({ text }: { text: string }) {
  return (
    <>
      {marked(text, wordsOf(query.value)).map((piece, at) =>
        at % 2 === 1 ? <mark key={at}>{piece}</mark> : piece,
      )}
    </>
  );
}
