/** A service's `health_check`, a command or a table -> the check, or the errors in it. Pure. */
import { emptyTable, type Table } from "../layer.ts";
import type { HealthCheck } from "../project.ts";
import { healthSchema } from "../schema.ts";
import type { Known } from "./fields.ts";
import type { Reading } from "./reading.ts";

type Kind = Exclude<HealthCheck["ask"]["kind"], "store">;

export function readHealth(
  service: string,
  its: Table,
  { fields, mistakes }: Pick<Reading, "fields" | "mistakes">,
): HealthCheck | undefined {
  const node = its.entries.get("health_check");
  if (node === undefined || node.kind === "bad") return undefined;
  // A text is the command of a check without other keys.
  const alone = node.kind === "leaf";
  if (alone) fields.noteLeaf(["services", service, "health_check"], node);
  const own = alone
    ? { ...emptyTable(node.source), path: node.path, entries: new Map([["command", node]]) }
    : node;
  const field = <Value>(key: string): Known<Value> | undefined =>
    fields.read<Value>(own, {
      key,
      schema: healthSchema,
      quiet: alone,
      service,
      within: "health_check",
    });
  const type = field<Kind>("type")?.value;
  const command = field<string>("command");
  const path = field<string>("path");
  const has = (key: string): boolean => own.entries.has(key);
  const kind = type ?? (has("command") ? "command" : has("path") ? "http" : undefined);
  if (kind === undefined) {
    mistakes.add(own, 'expected path = "/health", command = "..." or type = "tcp"');
  }
  if (kind === "command" && !has("command")) mistakes.add(own, "command is required");
  if (kind !== "command" && command !== undefined) {
    mistakes.add(command, `a check of type "${kind}" has no command; remove one of them`);
  }
  if ((kind === "tcp" || kind === "command") && path !== undefined && has("path")) {
    mistakes.add(path, `a check of type "${kind}" has no path; remove one of them`);
  }
  return {
    ask: askOf(kind, { command: command?.value ?? "", path: path?.value ?? "/" }),
    interval: field<number>("interval")?.value ?? 0,
    timeout: field<number>("timeout")?.value ?? 0,
    retries: field<number>("retries")?.value ?? 0,
    startPeriod: field<number>("start_period")?.value ?? 0,
  };
}

function askOf(
  kind: Kind | undefined,
  { command, path }: { command: string; path: string },
): HealthCheck["ask"] {
  if (kind === "command") return { kind, command };
  return kind === "tcp" ? { kind } : { kind: kind ?? "http", path };
}
