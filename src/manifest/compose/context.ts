/** Shapes: a compose service while it is read. */
import type { Port } from "./ports.ts";
import type { Variables } from "./interpolate.ts";
import type { WrittenService } from "./written.ts";
import type { Entry, Mapping, Node } from "./yaml.ts";

export type ServiceFacts = {
  /** The name that it has here. */
  name: string;
  /** The names that services of the file have here; undefined: they are only comments. */
  names: ReadonlyMap<string, string | undefined>;
  /** Services that are declared elsewhere, so that only `started` is known to come. */
  foreign: ReadonlySet<string>;
  /** Services that others await the end of. */
  ended: ReadonlySet<string>;
  /** As they are now: for values in which a variable has no counterpart. */
  variables: Variables;
  /** Variables of `.env`, which every service has here. */
  dotenv: ReadonlySet<string>;
  /** Whether a file of the project is there; the path is relative to its folder. */
  exists(path: string): boolean;
  /** Takes a port of this machine for the service, or says which other one has it. */
  claim(port: Pick<Port, "outside" | "protocol">, service: string): string | undefined;
  /** Top-level `secrets` and `configs`. */
  files: ReadonlyMap<string, Entry>;
};

export type Reader = (entry: Entry, context: Context) => void;

export type Context = {
  own: Mapping;
  out: WrittenService;
  facts: ServiceFacts;
  /** A text with its variables filled in now, which is noted. Undefined: no text. */
  text(node: Node | undefined): string | undefined;
  /** The whole key becomes a comment. */
  none(key: string, entry: Entry, why?: string): void;
};

export function isAbsent(node: Node): boolean {
  return node.tag === "reset" || (node.kind === "scalar" && node.value === null);
}

export function itemsOf(node: Node): readonly Node[] {
  return node.kind === "list" ? node.items : isAbsent(node) ? [] : [node];
}
