/** One entry of `depends_on` -> the service that is waited for, and how long. Pure. */
import type { Context } from "./context.ts";
import { entryOf, scalarText } from "./load.ts";
import type { Entry } from "./yaml.ts";

const conditionWords: Readonly<Record<string, string>> = {
  service_started: "started",
  service_healthy: "ready",
  service_completed_successfully: "completed",
};

export function dependency(name: string, { at, node }: Entry, { out, facts, none }: Context) {
  const ours = facts.names.get(name);
  if (ours === undefined) {
    const why = facts.names.has(name) ? "it is a comment here" : "there is no such service";
    return none(
      "depends_on",
      { at, node: { ...at, kind: "scalar", value: name, text: name } },
      why,
    );
  }
  const word = scalarText(entryOf(node, "condition")?.node) ?? "service_started";
  const needs = (out.get("depends_on") as Record<string, string> | undefined) ?? {};
  const condition = Object.hasOwn(conditionWords, word) ? conditionWords[word] : undefined;
  if (condition === undefined) out.note(at, `depends_on.${name}.condition: ${word}`);
  const isForeign = facts.foreign.has(ours);
  if (!Object.hasOwn(needs, ours) || condition !== "started") {
    needs[ours] = isForeign ? "started" : (condition ?? "started");
  }
  out.set("depends_on", needs);
  if (scalarText(entryOf(node, "restart")?.node) === "true" && !isForeign) {
    const others = (out.get("restart_with") as string[] | undefined) ?? [];
    out.set("restart_with", [...new Set([...others, ours])]);
  }
  if (scalarText(entryOf(node, "required")?.node) === "false") {
    out.note(at, `depends_on.${name}.required: false (it is started with this one)`);
  }
}
