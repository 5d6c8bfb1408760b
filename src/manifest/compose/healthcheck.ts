/** `healthcheck` of a compose service -> `health_check`. Pure. */
import { type Context, isAbsent } from "./context.ts";
import { durationText, goDuration } from "./durations.ts";
import { scalarText } from "./load.ts";
import { shellText } from "./words.ts";
import type { Entry, Node } from "./yaml.ts";

/** Compose's own defaults, where ours are shorter. Milliseconds. */
const usualCheckTimeout = 30_000;
const usualStart = 60_000;

export function readHealthcheck(entry: Entry, { out, facts, text, none }: Context) {
  const { node } = entry;
  if (node.kind !== "mapping") return none("healthcheck", entry);
  const part = (key: string): Node | undefined => {
    const its = node.entries.get(key)?.node;
    return its === undefined || isAbsent(its) ? undefined : its;
  };
  const test = part("test");
  const first = test?.kind === "list" ? scalarText(test.items[0]) : undefined;
  if (text(part("disable")) === "true" || first === "NONE") {
    return none("healthcheck", entry, "a check of the image goes on");
  }
  if (test === undefined) return none("healthcheck", entry, "the image's own check stays as it is");
  const words =
    test.kind === "list"
      ? { ...test, items: test.items.slice(first?.startsWith("CMD") ? 1 : 0) }
      : test;
  const isShell = test.kind !== "list" || first === "CMD-SHELL";
  const one = isShell && words.kind === "list" ? words.items[0] : words;
  const written = one === undefined ? undefined : shellText({ node: one, isShell }, facts);
  if (written === undefined || written.trim() === "") return none("healthcheck", entry);
  const check: Record<string, unknown> = { command: written };
  const duration = (key: string): number | undefined => {
    const its = part(key);
    if (its === undefined) return undefined;
    const value = goDuration(text(its) ?? "");
    if (value === undefined) none(`healthcheck.${key}`, { at: its, node: its });
    // Compose takes 0 for its default.
    return value === 0 && key !== "start_period" ? undefined : value;
  };
  const interval = duration("interval");
  const timeout = duration("timeout") ?? usualCheckTimeout;
  const startPeriod = duration("start_period");
  if (interval !== undefined) check.interval = durationText(interval);
  check.timeout = durationText(timeout);
  const retries = Number(text(part("retries")) ?? "3");
  if (Number.isInteger(retries) && retries > 0 && retries <= 1000) {
    if (retries !== 3) check.retries = retries;
  } else if (retries !== 0) none("healthcheck.retries", node.entries.get("retries")!);
  if (startPeriod !== undefined && startPeriod > 0) check.start_period = durationText(startPeriod);
  const later = node.entries.get("start_interval");
  if (later !== undefined) none("healthcheck.start_interval", later);
  for (const [key, its] of node.entries) {
    const known = [
      "test",
      "disable",
      "interval",
      "timeout",
      "retries",
      "start_period",
      "start_interval",
    ];
    if (!known.includes(key) && !key.startsWith("x-")) none(`healthcheck.${key}`, its);
  }
  out.set("health_check", check);
  const longest = (startPeriod ?? 0) + (interval ?? 1_000) * Math.max(1, retries || 3);
  if (longest > usualStart) out.set("start_timeout", durationText(longest));
}
