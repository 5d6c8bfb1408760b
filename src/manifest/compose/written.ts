/** The keys of one service as they are found, and what has no counterpart -> its part of a locald.toml. Pure. */
import { cut } from "../../text/cut.ts";
import { tomlKey, tomlString, tomlValue } from "../write-toml.ts";
import { type At, type Node, placeText } from "./yaml.ts";

/** Keys that readers of TOML in JavaScript refuse, ours too. */
export const unsafeKeys: readonly string[] = ["__proto__", "constructor"];

/** A part of a compose file that is a comment here: `compose.yaml:14: networks: [back]`. */
export type Note = { at: At; text: string };

export type Pair = { key: string; value: unknown };

/** Characters of a comment's value: enough to recognize it. */
const longestNote = 160;

export class WrittenService {
  readonly notes: Note[] = [];
  readonly env = new Map<string, string>();
  /** A sentence for a person who may want it otherwise. */
  readonly advice: string[] = [];
  readonly #values = new Map<string, unknown>();

  set(key: string, value: unknown): void {
    this.#values.set(key, value);
  }

  get(key: string): unknown {
    return this.#values.get(key);
  }

  note(at: At, text: string): void {
    this.notes.push({ at, text });
  }

  /** The table, with comments between its keys and its variables. */
  toml(name: string): string {
    const pairs = keyOrder.flatMap((key) => {
      const value = this.#values.get(key);
      return value === undefined ? [] : [`${key} = ${tomlValue(value)}`];
    });
    const notes = [...this.notes]
      .sort((one, other) => one.at.line - other.at.line)
      .map(({ at, text }) => comment(`${placeText(at)}: ${text}`));
    const advice = this.advice.map(comment);
    const env =
      this.env.size === 0
        ? []
        : [
            `[services.${tomlKey(name)}.env]`,
            ...[...this.env].map(([key, value]) => `${tomlKey(key)} = ${tomlString(value)}`),
          ];
    return [`[services.${tomlKey(name)}]`, ...pairs, ...advice, ...notes, ...env, ""].join("\n");
  }
}

/** The order in which a person reads them. */
const keyOrder = [
  ...["type", "image", "build", "entrypoint", "command", "workdir", "user", "pull"],
  ...["port", "container_port", "ports", "volumes", "depends_on", "restart_with"],
  ...["health_check", "start_timeout", "restart", "stop_signal", "stop_timeout", "limits"],
  ...["profiles", "disabled", "env_file"],
];

/** One line, whatever it holds. */
export function comment(text: string): string {
  return `# ${oneLine(text)}`;
}

export function oneLine(text: string): string {
  return text.toWellFormed().replace(/[\p{Cc}\u2028\u2029]/gu, " ");
}

/** A node as a person would write it in one line, cut where it is long. */
export function inlineText(node: Node): string {
  return cut(oneLine(inline(node, 0)), longestNote);
}

function inline(node: Node, depth: number): string {
  if (node.kind === "scalar") return node.value === null ? "" : node.text;
  if (depth > 2) return "...";
  if (node.kind === "list") {
    return `[${node.items
      .slice(0, 10)
      .map((item) => inline(item, depth + 1))
      .join(", ")}]`;
  }
  const pairs = [...node.entries].slice(0, 10);
  return `{ ${pairs.map(([key, its]) => `${key}: ${inline(its.node, depth + 1)}`).join(", ")} }`;
}
