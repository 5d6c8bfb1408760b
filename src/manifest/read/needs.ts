/** `depends_on`, a list or a table -> the services named there, with what is awaited of each; or the errors. Pure. */
import { listed } from "../../text/list.ts";
import type { Table } from "../layer.ts";
import { type Condition, isOneShot, type ServiceSpec } from "../project.ts";
import { serviceSchema } from "../schema.ts";
import type { Mistakes } from "./mistakes.ts";
import type { Reading } from "./reading.ts";
import { existing, exists, type Need } from "./references.ts";

export function readNeeds(name: string, table: Table, reading: Reading): Need[] {
  const { fields } = reading;
  const node = table.entries.get("depends_on");
  if (node?.kind !== "table") {
    const schema = serviceSchema;
    const list = fields.read<string[]>(table, { key: "depends_on", schema, service: name });
    return existing(list, reading);
  }
  return [...node.entries].flatMap(([to, its]): Need[] => {
    if (its.kind !== "leaf") return [];
    // One of a list that was joined to a table says nothing of what is awaited.
    if (its.value !== undefined) fields.noteLeaf(["services", name, "depends_on", to], its);
    const at = { source: its.source, path: its.path };
    if (!exists(to, { at, reading })) return [];
    return [{ value: to, until: its.value as Condition, ...at }];
  });
}

/** The condition that is awaited of a dependency. Where that can never come, the error is reported. */
export function conditionOf(
  need: Need | undefined,
  { needed, mistakes }: { needed: ServiceSpec; mistakes: Mistakes },
): Condition {
  const { name, type, restart } = needed;
  const until = need?.until;
  if (until === undefined) {
    // A reference to a service says nothing of its end.
    return type === "task" || (need !== undefined && isOneShot(needed)) ? "completed" : "ready";
  }
  const report = (what: string, others: readonly Condition[]): void => {
    const words = listed(
      others.map((other) => JSON.stringify(other)),
      { conjunction: "or" },
    );
    mistakes.add(need!, `${name} ${what}; use ${words}`);
  };
  if (until === "ready" && type === "task") {
    report("is a task, which is never ready: it ends", ["completed", "started"]);
  } else if (until === "completed" && type === "exec") {
    report("is a server, which does not end", ["ready", "started"]);
  } else if (until === "completed" && type === "worker" && restart === "always") {
    report('is started again whenever it ends, as restart is "always"', ["ready", "started"]);
  }
  return until;
}
