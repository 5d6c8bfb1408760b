/** Containers that run once -> who waits for each, so that those of the dead are removed. */
import { processNow } from "../../system/process-now.ts";
import { type At, removeLabelled } from "./container-calls.ts";
import { labelNames } from "./container-plan.ts";

/** Milliseconds that such a container is given to end. */
const timeout = 3_000;

export type OneOffLabels = { run: string; owner: string };

/** `name`: the one by which its ports are reached; undefined: it has none. */
export type NamedOneOff = OneOffLabels & { name?: string | undefined };

/** `client`: the pid of the process that waits for it. */
export function oneOffLabels(
  { run, owner, name = "-" }: NamedOneOff,
  client: number = process.pid,
): Record<string, string> {
  const its = { [labelNames.run]: run, [labelNames.owner]: owner };
  return { ...its, [labelNames.client]: clientOf(client), [labelNames.name]: name };
}

/** Removes those of clients that have ended without doing so. */
export async function removeAbandoned(at: At, owner: string): Promise<void> {
  await removeLabelled(at, {
    ...{ labels: { [labelNames.owner]: owner }, timeout },
    isWanted({ labels }) {
      const client = labels[labelNames.client];
      return client !== undefined && !isAlive(client);
    },
  });
}

/** Whether a process at a terminal waits for a build, of which no daemon knows. */
export function isPersonsBuild(labels: Readonly<Record<string, string>>): boolean {
  const client = labels[labelNames.client];
  return labels[labelNames.builds] !== undefined && client !== undefined && isAlive(client);
}

/** Removes the one of a run, whoever waits for it. */
export async function removeRun(at: At, { run, owner }: OneOffLabels): Promise<void> {
  const labels = { [labelNames.owner]: owner, [labelNames.run]: run };
  const isWanted = (its: { labels: Readonly<Record<string, string>> }): boolean =>
    its.labels[labelNames.client] !== undefined;
  await removeLabelled(at, { labels, timeout, isWanted });
}

/** The words of its label. */
export function clientOf(pid: number): string {
  return `${pid}:${processNow(pid)?.startTicks ?? 0}`;
}

function isAlive(client: string): boolean {
  const [pid = "0"] = client.split(":");
  if (clientOf(Number(pid)) !== client) return false;
  if (process.platform === "linux") return processNow(Number(pid))?.zombie === false;
  try {
    return process.kill(Number(pid), 0);
  } catch {
    // ESRCH: there is none.
    return false;
  }
}
