/** `depends_on` and the references of a service -> the services that it waits for, or the errors in them. Pure. */
import { cycleText, inheritedText, unsetText } from "../fill.ts";
import { cycles } from "../graph.ts";
import { didYouMean } from "../../text/nearest.ts";
import { counted } from "../../text/counted.ts";
import { listed } from "../../text/list.ts";
import {
  type Reference,
  readTemplate,
  referencesIn,
  referenceText,
  templateText,
} from "../reference.ts";
import { shown } from "../../text/shown.ts";
import type { Node } from "../layer.ts";
import type { Condition } from "../project.ts";
import type { Known } from "./fields.ts";
import type { At } from "./mistakes.ts";
import type { Reading } from "./reading.ts";
import { giftVariables } from "../types/gifts.ts";
import { typeIn } from "./own.ts";
import { given, type Variable } from "./variables.ts";

/** A service that `depends_on` names. `until`: as a table has it; a list does not say it. */
export type Need = Known<string> & { until?: Condition };

/** A service that another one waits for, and where that is written. */
export type Edge = At & {
  to: string;
  /** `depends_on`, or the reference. */
  why: string;
  /** Set where `depends_on` says it. */
  need?: Need;
};

export type Edges = {
  hard: Edge[];
  /** From variables that all services share: they never make a cycle. */
  soft: Edge[];
  /** All of them, those to the service itself included. */
  references: (At & { reference: Reference & { kind: "service" }; inCommand: boolean })[];
};

export type Referring = {
  name: string;
  needs: readonly Need[];
  env: ReadonlyMap<string, Variable>;
  /** The command, those of hooks, and that of the health check. */
  commands: readonly Known<string>[];
};

export function edgesOf({ name, needs, env, commands }: Referring, reading: Reading): Edges {
  const { mistakes } = reading;
  const edges: Edges = { hard: [], soft: [], references: [] };
  const offered = offeredBy({ name, needs, env, commands }, reading);
  for (const need of needs) {
    const { value: to, source, path } = need;
    edges.hard.push({ to, source, path, why: "depends_on", need });
  }
  const refer = (
    { value, source, path }: Known<string>,
    { key, shared, shell }: { key?: string; shared: boolean; shell: boolean },
  ): void => {
    const at = { source, path };
    const template = readTemplate(value, { shell });
    for (const what of template.mistakes) mistakes.add(at, what);
    if (key !== undefined && value === inheritedText(key)) return;
    for (const part of template.parts) {
      if (typeof part === "string" || part.kind !== "env") continue;
      if (offered.has(part.name) || !isUnset(part, { env, key, reading })) continue;
      mistakes.add(at, unsetText(part, templateText(part.otherwise?.word ?? [])));
    }
    for (const part of referencesIn(template.parts)) {
      if (part.kind !== "service" || !exists(part.name, { at, reading })) continue;
      const those = reading.plans.standIns.get(part.name);
      if (those !== undefined) {
        const names = listed(those, { conjunction: "or", most: 20 });
        const what = `a plugin has made ${counted(those.length, "service")} of ${part.name}; name one`;
        mistakes.add(at, `${referenceText(part)}: ${what}: ${names}`);
        continue;
      }
      edges.references.push({ ...at, reference: part, inCommand: shell });
      if (part.name === name) continue;
      const edge = { to: part.name, ...at, why: referenceText(part) };
      (shared ? edges.soft : edges.hard).push(edge);
    }
  };
  for (const [key, variable] of env) {
    refer(variable, { key, shared: variable.shared, shell: false });
  }
  reportCycles(env, reading);
  for (const command of commands) refer(command, { shared: false, shell: true });
  return edges;
}

/** The services of a list, each with its place; one that does not exist is reported. */
export function existing(list: Known<string[]> | undefined, reading: Existing): Known<string>[] {
  if (list === undefined) return [];
  return list.value
    .map((value, index) => ({ value, source: list.source, path: [...list.path, index] }))
    .filter((its) => exists(its.value, { at: its, reading }));
}

export function exists(name: string, { at, reading }: { at: At; reading: Existing }): boolean {
  const { services, mistakes } = reading;
  if (declaredAs(name, reading) !== undefined) return true;
  const known = [...services.entries.keys(), ...reading.plans.standIns.keys()];
  const otherwise =
    known.length === 0
      ? "; no services are declared"
      : `; the services are ${listed(known, { most: 20 })}`;
  mistakes.add(
    at,
    `no service ${shown(name)}${didYouMean(name, known, { quoted: true, otherwise })}`,
  );
  return false;
}

type Existing = Pick<Reading, "services" | "groups" | "mistakes" | "plans">;

/** The key under `[services]` of a service, or of an instance. */
function declaredAs(
  name: string,
  { services, groups }: Pick<Reading, "services" | "groups">,
): string | undefined {
  if (services.entries.has(name) || groups.has(name)) return name;
  return [...groups].find(([, instances]) => instances.includes(name))?.[0];
}

/** Variables that the services give of which one depends on another, by `depends_on` and by its references. */
function offeredBy(
  { name, needs, env, commands }: Referring,
  reading: Reading,
): ReadonlySet<string> {
  const templates = [
    ...[...env.values()].map(({ value }) => readTemplate(value, { shell: false })),
    ...commands.map(({ value }) => readTemplate(value, { shell: true })),
  ];
  const referred = templates.flatMap(({ parts }) =>
    referencesIn(parts).flatMap((its) => (its.kind === "service" ? [its.name] : [])),
  );
  const others = new Set([...needs.map(({ value }) => value), ...referred]);
  const offered = new Set<string>();
  // A set goes on with what is added while it is walked.
  for (const other of others) {
    const its = reading.services.entries.get(declaredAs(other, reading) ?? "");
    if (other === name || its?.kind !== "table") continue;
    for (const variable of giftVariables[typeIn(its)]) offered.add(variable);
    for (const needed of namedWithin(its)) others.add(needed);
  }
  return offered;
}

/** The services that a service's `depends_on` and references name, as far as its texts show. */
function namedWithin(node: Node, key = ""): string[] {
  if (node.kind === "table") {
    const keys = key === "depends_on" ? [...node.entries.keys()] : [];
    return [...keys, ...[...node.entries].flatMap(([its, part]) => namedWithin(part, its))];
  }
  if (node.kind === "bad") return [];
  const texts = [node.value].flat().filter((its) => typeof its === "string");
  if (key === "depends_on") return texts;
  return texts.flatMap((text) =>
    [...text.matchAll(/\$\{services\.([^.}]+)\./g)].map(([, its]) => its!),
  );
}

/** Whether a variable will have no value; where the shell's variables are not known, none is reported. */
function isUnset(
  { name, scope, otherwise }: Reference & { kind: "env" },
  {
    env,
    key,
    reading,
  }: { env: ReadonlyMap<string, Variable>; key: string | undefined; reading: Reading },
): boolean {
  const { shell } = reading.options;
  if (shell === undefined || given.includes(name)) return false;
  const { operator } = otherwise ?? {};
  if (operator !== undefined && !operator.endsWith("?")) return false;
  // Within its own value, a variable is the shell's.
  if (scope === "service" && name !== key && env.has(name)) return false;
  return operator === ":?" ? !shell[name] : shell[name] === undefined;
}

/** Variables that refer to each other in a cycle. */
function reportCycles(env: ReadonlyMap<string, Variable>, { mistakes }: Reading): void {
  const graph = new Map<string, string[]>();
  for (const [name, { value }] of env) {
    const { parts } = readTemplate(value, { shell: false });
    const others = referencesIn(parts).flatMap((its) =>
      its.kind === "env" && its.scope === "service" && its.name !== name ? [its.name] : [],
    );
    graph.set(name, others);
  }
  for (const path of cycles(graph)) {
    mistakes.add(env.get(path[0]!)!, cycleText("reference", path));
  }
}
