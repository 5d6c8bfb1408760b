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
front of the same server, in one session. A suite's own program or folder is given on the command line; nothing is
fetched. Where a proxy passes on what is not well-formed, the server behind it answers 400: that helps peers' scores.`;

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
  if (score === undefined) return "";
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
