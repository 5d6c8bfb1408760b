/** The services found in a folder -> the text of a first locald.toml, with comments. Pure. */
import { serviceText } from "./edit.ts";
import type { ServiceType } from "./types/own.ts";
import { tomlString } from "./write-toml.ts";

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

export type Found = {
  name: string;
  services: readonly FoundService[];
  /** Services of a compose file, written as comments: only a person knows whether they are wanted. */
  composed: { file: string; services: readonly string[] } | undefined;
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
    ...services.map(serviceOf),
  ];
  if (services.length === 0) {
    parts.push(
      `${comment("A server. PORT is given to it, and its address is the project's.")}${comment(serviceText({ name: "web", command: "bun dev" }))}`,
    );
  }
  if (composed !== undefined && composed.services.length > 0) {
    const { file } = composed;
    const what = `${file} has ${composed.services.map(printed).join(", ")}. To have one started with the rest:`;
    const each = composed.services.map((service) =>
      comment(
        serviceText({
          name: service,
          type: "worker",
          command: `docker compose -f ${file} up ${service}`,
        }),
      ),
    );
    parts.push(`${comment(what)}${each.join("#\n")}`);
  }
  return parts.join("\n");
}

function serviceOf({ from, workdir, ...service }: FoundService): string {
  const folder = workdir === undefined ? "" : `workdir = ${tomlString(workdir)}\n`;
  return `${comment(`From ${from}.`)}${serviceText(service)}${folder}`;
}

/** Every line of the text becomes a comment, whatever it holds. */
function comment(text: string): string {
  const lines = text.trimEnd().split("\n").map(printed);
  return lines.map((line) => (line === "" ? "#\n" : `# ${line}\n`)).join("");
}

function printed(text: string): string {
  return text.replace(/[\p{Cc}]/gu, "?");
}
