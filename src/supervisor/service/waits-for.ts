/** A service that runs and is not ready -> what it waits for, as a predicate for a person. Pure. */
import type { HealthCheck, ServiceSpec } from "../../manifest/project.ts";
import { printable } from "../../text/printable.ts";

export type WaitFacts = {
  port: number | undefined;
  /** Its port is seen to listen. */
  listens: boolean;
  /** The service reports its own state. */
  speaks: boolean;
  /** Seconds in which a service that listens may still say READY=1. */
  patience: number;
  /** The reason of the last failed check. */
  illness: string | undefined;
};

/** Characters of a command or a pattern that are shown. */
const longest = 60;

/** Undefined where it is ready in a moment, a worker without another sign, and for a task. */
export function waitsFor(
  {
    type,
    own,
    health,
    readyPattern,
  }: Pick<ServiceSpec, "type" | "own" | "health" | "readyPattern">,
  { port, listens, speaks, patience, illness }: WaitFacts,
): string | undefined {
  // A task is awaited to its end, whatever it says before.
  if (type === "task") return undefined;
  if (health !== undefined) {
    const found = illness === undefined ? "" : `: ${illness}`;
    const { ask } = health;
    // Nobody has declared this one, and the store itself is what it is about.
    if (ask.kind === "store") return `waits for ${ask.store} to answer${found}`;
    return `waits for its health check: ${checkText(ask)}${found}`;
  }
  if (readyPattern !== undefined) {
    return `waits for a line that matches ${printable(`/${readyPattern}/`, longest)}`;
  }
  // Our own program tells what it does.
  if (own?.kind === "container") return undefined;
  if (speaks) return "waits for READY=1, as it notifies by NOTIFY_SOCKET";
  if (type !== "exec") return undefined;
  if (!listens) return `waits for its port ${port}`;
  return `waits ${patience} s for READY=1, because its command looks as if it would notify`;
}

function checkText(ask: Exclude<HealthCheck["ask"], { kind: "store" }>): string {
  switch (ask.kind) {
    case "http":
      return `GET ${printable(ask.path, longest)}`;
    case "https":
      return `GET ${printable(ask.path, longest)} by https`;
    case "tcp":
      return "a connection to its port";
    case "command":
      return printable(ask.command, longest);
  }
}
