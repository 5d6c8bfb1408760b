/** Scores -> the page of scores in Markdown: a row a suite, a column a proxy, then each case of ours that failed. */
import type { Failure, Score, Suite, Target } from "./suite.ts";

export type Row = {
  suite: Suite;
  /** By the proxy's name: its score, or why it has none. */
  scores: Map<string, Score | string>;
};

type Page = { rows: readonly Row[]; notes: readonly string[]; targets: readonly Target[] };

const ours = "localhostess";

export function page({ rows, notes, targets }: Page): string {
  const names = targets.map(({ name }) => name);
  const head = `| suite | ${names.join(" | ")} |`;
  const rule = `| --- |${" --- |".repeat(names.length)}`;
  const lines = rows.map(({ suite, scores }) => {
    const cells = names.map((name) => cell(scores.get(name)));
    return `| ${suite.title} | ${cells.join(" | ")} |`;
  });
  const versions = targets.map(({ name, version }) => `${name} ${version}`).join(", ");
  const parts = [
    `${[head, rule, ...lines].join("\n")}\n`,
    `Versions: ${versions}.\n`,
    ...notes.map((note) => `- ${note}\n`),
    "## Cases of ours that did not pass\n",
    ...rows.map((row) => failuresOf(row)),
  ];
  return parts.join("\n");
}

function cell(score: Score | string | undefined): string {
  if (score === undefined) return "";
  return typeof score === "string" ? score : `${score.passed} of ${score.total}`;
}

function failuresOf({ suite, scores }: Row): string {
  const score = scores.get(ours);
  if (score === undefined || typeof score === "string" || score.failures.length === 0) return "";
  return `${suite.title}:\n\n${score.failures.map(line).join("\n")}\n`;
}

function line({ name, why }: Failure): string {
  return `- ${name}: ${why}`;
}
