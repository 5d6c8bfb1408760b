/** Scores -> the page of scores in Markdown: a row a suite, a column a proxy, then each case of ours that failed. */
import { reasons } from "./reasons.ts";
import type { Score, Suite, Target } from "./suite.ts";

export type Row = {
  suite: Suite;
  /** By the proxy's name: its score, or why it has none. */
  scores: Map<string, Score | string>;
};

type Page = { rows: readonly Row[]; notes: readonly string[]; targets: readonly Target[] };

const ours = "localhostess";

const intro = `# Scores of the field's suites

Made by \`bun test/suites/main.ts\`: each suite runs against localhostess and against the peers that are installed, in
front of the same server, in one session. Nothing is fetched: the folders of the field's suites are given.

    bun test/suites/main.ts --h2spec DIR --h1spec DIR --http11probe DIR --autobahn DIR --out docs/suites.md
    bun test/suites/main.ts --only desync --only tls --quick    # own suites need no folder
    bun test/suites/main.ts --proxy localhostess --only h2-semantics

- **h2spec** (summerwind/h2spec): the folder with its program, which runs with \`--strict\`.
- **h1spec** (uNetworking/h1spec) and **Http11Probe** (MDA2AV/Http11Probe): the folders of their sources. h1spec's
  program runs on Bun; Http11Probe's cases are read from its tables in C#. Its score is of the 161 that it scores.
- **Autobahn** (crossbario/autobahn-testsuite): the folder with its program \`wstest\`; all cases except those of
  performance and compression. TLS and HTTP/2 are put between it and the proxy by \`test/suites/bridges.ts\`.
- **Desync payloads**: every octet in every place of the fields and lines that frame a request, and known obfuscations.
  A payload is clean if the server behind the proxy sees no request that a strict reader does not find in the client's
  bytes, nothing that is not well-formed, and if the next client gets its own answer.
- **h2 semantics**: what a request of HTTP/2 may not become in HTTP/1.1, and RFC 9113's rules of frames and fields.
- **TLS probes**: versions, suites, extensions, keys and records of a ClientHello, and what is none.

The server behind all of them reads by RFC 9112's letter and answers 400 to what is not well-formed, which helps the
scores of proxies that pass such things on. Peers run with their defaults, except that WebSockets are passed on and
nothing is buffered (nginx), and that HTTP/2 is accepted without TLS and a client may name no server (Caddy). A proxy
has 400 ms for its first answer to a payload, so the number of dirty ones varies between runs (nginx: 688 to 865).
h2spec and Autobahn resolve names by the system's resolver, so they run with a hosts file of their own, which needs
root. A third of the own cases runs with the tests (\`test/suites/own.test.ts\`).`;

export function page({ rows, notes, targets }: Page): string {
  const names = targets.map(({ name }) => name);
  const cells = rows.map(({ suite, scores }) => [
    suite.title,
    ...names.map((name) => cell(scores.get(name))),
  ]);
  const versions = targets.map(({ name, version }) => `${name} ${version}`).join(", ");
  const failures = rows.flatMap(failuresOf);
  return [
    intro,
    tableOf([["suite", ...names], ...cells]),
    `Versions: ${versions}.`,
    notes.length === 0 ? "" : notes.map((note) => `- ${note}`).join("\n"),
    "## Cases of ours that did not pass",
    failures.length === 0 ? "None." : failures.join("\n\n"),
  ]
    .filter((part) => part !== "")
    .join("\n\n")
    .concat("\n");
}

/** Columns as wide as their widest cell. */
function tableOf(table: readonly (readonly string[])[]): string {
  const [head = []] = table;
  const widths = head.map((_, at) => Math.max(...table.map((row) => row[at]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, at) => text.padEnd(widths[at]!)).join(" | ")} |`;
  const rule = line(widths.map((width) => "-".repeat(width)));
  return [line(head), rule, ...table.slice(1).map(line)].join("\n");
}

function cell(score: Score | string | undefined): string {
  // The proxy cannot be put in front of the server that the suite needs.
  if (score === undefined) return "not spoken";
  return typeof score === "string" ? score : `${score.passed} of ${score.total}`;
}

function failuresOf({ suite, scores }: Row): string[] {
  const score = scores.get(ours);
  if (score === undefined || typeof score === "string" || score.failures.length === 0) return [];
  const known = reasons[suite.label] ?? {};
  const lines = score.failures.map(({ name, why }) => [cut(name), cut(why), known[name] ?? ""]);
  return [`${suite.title}:`, tableOf([["case", "what came", "reason"], ...lines])];
}

/** In one cell of a table. */
function cut(text: string): string {
  return text.slice(0, 160).replaceAll("|", "\\|");
}
