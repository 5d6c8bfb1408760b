/** The services found in a folder -> the text of a first locald.toml, with comments. Pure. */
import { serviceText } from "./edit.ts";
import type { ServiceType } from "./types/own.ts";
import { tomlString, tomlValue } from "./write-toml.ts";

export type FoundService = {
  name: string;
  type: ServiceType;
  command: string;
  disabled?: boolean | undefined;
  /** Relative to the project's folder. */
  workdir?: string | undefined;
  /** The source, for a comment: `package.json, "dev"`. */
  from: string;
};

/** A service of a compose file, as a table with comments. */
export type FoundContainer = {
  name: string;
  /** `compose.yaml:4`. */
  from: string;
  /** Undefined: it is built. */
  image: string | undefined;
  text: string;
};

export type FoundCompose = {
  files: readonly string[];
  services: readonly FoundContainer[];
  /** Lines of comments, for what no service of ours has. */
  comments: readonly string[];
};

export type Found = {
  name: string;
  services: readonly FoundService[];
  /** The containers of a compose file; undefined: there is none. */
  composed: FoundCompose | undefined;
  /** Sentences for whoever reads the file. */
  notes: readonly string[];
};

export function newManifest({ name, services, composed, notes }: Found): string {
  const parts = [
    `# What \`localhostess up\` starts here, and keeps running.
# Every key: \`localhostess config schema\`, and docs/locald-toml.md.

[project]
name = ${tomlString(name)}
# domain = ${tomlString(`${name}.localhost`)}
`,
    ...notes.map((note) => comment(note)),
    ...services.map((its) => serviceOf(its, composed)),
  ];
  if (services.length === 0 && (composed?.services ?? []).length === 0) {
    parts.push(
      `${comment("A server. PORT is given to it, and its address is the project's.")}${comment(serviceText({ name: "web", command: "bun dev" }))}`,
    );
  }
  if (composed !== undefined) parts.push(...composedParts(composed));
  return parts.map((part) => `${part.trimEnd()}\n`).join("\n");
}

function composedParts({ files, services, comments }: FoundCompose): string[] {
  const [main = "", ...others] = files;
  const over = others.length === 0 ? "" : `, with ${others.join(" and ")} over it`;
  const heading = `From ${main}${over}. A comment with a line of it is what has no counterpart here.`;
  const rest = comments.map((line) => `${line}\n`).join("");
  return [`${comment(heading)}${rest}`, ...services.map(({ text }) => text)];
}

function serviceOf(
  { from, workdir, ...service }: FoundService,
  composed: FoundCompose | undefined,
): string {
  const folder = workdir === undefined ? "" : `workdir = ${tomlString(workdir)}\n`;
  const names = composed?.services.map(({ name }) => name) ?? [];
  // Only a person knows which of them it needs.
  const needs = names.length === 0 ? "" : comment(`depends_on = ${tomlValue(names.slice(0, 8))}`);
  return `${comment(`From ${from}.`)}${serviceText(service)}${folder}${needs}`;
}

/** Every line of the text becomes a comment, whatever it holds. */
function comment(text: string): string {
  const lines = text.trimEnd().split("\n").map(printed);
  return lines.map((line) => (line === "" ? "#\n" : `# ${line}\n`)).join("");
}

function printed(text: string): string {
  return text.replace(/[\p{Cc}]/gu, "?");
}
