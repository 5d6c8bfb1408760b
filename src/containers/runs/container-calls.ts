/** An engine and the id or the labels of containers -> what is done to them, each within its time. Never rejects. */
import type { Clock } from "../../system/clock.ts";
import { labelNames } from "./container-plan.ts";
import { type Called, engineCall, type Unreached } from "./engine-calls.ts";

export type At = {
  socket: string;
  clock: Clock;
  signal?: AbortSignal | undefined;
};

export type Done = { kind: "done" } | { kind: "absent" } | Exclude<Called, { kind: "answer" }>;

export type ContainerState = {
  kind: "state";
  running: boolean;
  exitCode: number;
  /** Killed because it took more memory than it may. */
  outOfMemory: boolean;
};

export type Listed = {
  id: string;
  name: string;
  running: boolean;
  labels: Readonly<Record<string, string>>;
};

export type ListedAll =
  { kind: "list"; containers: Listed[] } | Exclude<Called, { kind: "answer" }>;

/** Milliseconds for answers that need no program to end. Docker's vfs driver copies an image to make a container. */
const quick = 30_000;
const makes = 120_000;

/** Milliseconds on top of a container's own time to stop, in which the engine kills and unmounts it. */
const stopGrace = 15_000;

/** Milliseconds between two looks at a container that the engine removes already, and how many there are. */
const removalPeriod = 200;
const removalLooks = 50;

export async function createContainer(
  { socket, clock, signal }: At,
  { name, body }: { name: string; body: object },
): Promise<
  { kind: "created"; id: string; warnings: string[] } | Exclude<Called, { kind: "answer" }>
> {
  const path = `/containers/create?name=${encodeURIComponent(name)}`;
  const answer = await engineCall(socket, {
    ...{ method: "POST", path, body, clock, deadline: makes, signal },
  });
  if (answer.kind !== "answer") return answer;
  const { Id, Warnings } = (answer.value ?? {}) as { Id?: unknown; Warnings?: unknown };
  if (typeof Id !== "string" || !/^[0-9a-f]{12,64}$/.test(Id)) {
    return { kind: "failed", why: "its answer to a new container has no id" };
  }
  const warnings = Array.isArray(Warnings)
    ? Warnings.filter((its): its is string => typeof its === "string" && its !== "")
    : [];
  return { kind: "created", id: Id, warnings };
}

/** A container that runs already is done. */
export function startContainer(at: At, id: string): Promise<Done> {
  return done(at, { method: "POST", path: `/containers/${id}/start`, deadline: makes });
}

/** Sends its stop signal, and SIGKILL after `timeout` milliseconds. Resolves when it has ended. */
export function stopContainer(
  at: At,
  { id, timeout }: { id: string; timeout: number },
): Promise<Done> {
  const seconds = Math.ceil(timeout / 1000);
  const path = `/containers/${id}/stop?t=${seconds}`;
  return done(at, { method: "POST", path, deadline: seconds * 1000 + stopGrace });
}

/** With the volumes that have no name. Resolves once the engine no longer knows it. */
export async function removeContainer(at: At, id: string): Promise<Done> {
  for (let look = 0; ; look++) {
    const path = `/containers/${id}?force=true&v=true`;
    const result = await done(at, { method: "DELETE", path, deadline: makes });
    if (result.kind === "absent") return { kind: "done" };
    // 409: it is being removed, perhaps by somebody else.
    if (result.kind !== "refused" || result.status !== 409 || look >= removalLooks) return result;
    await new Promise<void>((resume) => void at.clock.after(removalPeriod, resume));
  }
}

export async function inspectContainer(
  { socket, clock, signal, deadline = quick }: At & { deadline?: number },
  id: string,
): Promise<ContainerState | { kind: "absent" } | Exclude<Called, { kind: "answer" }>> {
  const path = `/containers/${id}/json`;
  const answer = await engineCall(socket, { method: "GET", path, clock, deadline, signal });
  if (answer.kind === "refused" && answer.status === 404) return { kind: "absent" };
  if (answer.kind !== "answer") return answer;
  const { State } = (answer.value ?? {}) as { State?: Record<string, unknown> };
  if (typeof State !== "object" || State === null || typeof State.Running !== "boolean") {
    return { kind: "failed", why: "its answer about the container has no state" };
  }
  const code = State.ExitCode;
  return {
    kind: "state",
    running: State.Running || State.Status === "restarting" || State.Status === "paused",
    exitCode: typeof code === "number" && Number.isInteger(code) ? code : 255,
    outOfMemory: State.OOMKilled === true,
  };
}

/** Those with all of these labels, whether they run or not. The engine's own filter is not relied on. */
export async function listContainers(
  { socket, clock, signal }: At,
  labels: Readonly<Record<string, string>>,
): Promise<ListedAll> {
  const path = `/containers/json?all=true&filters=${labelFilter(labels)}`;
  const answer = await engineCall(socket, { method: "GET", path, clock, deadline: quick, signal });
  if (answer.kind !== "answer") return answer;
  if (!Array.isArray(answer.value)) {
    return { kind: "failed", why: "it answered with something that is no list of containers" };
  }
  const containers = answer.value
    .flatMap((entry) => listedIn(entry) ?? [])
    .filter((its) => Object.entries(labels).every(([key, value]) => its.labels[key] === value));
  return { kind: "list", containers };
}

export function labelFilter(labels: Readonly<Record<string, string>>): string {
  const label = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return encodeURIComponent(JSON.stringify({ label }));
}

function listedIn(entry: unknown): Listed | undefined {
  const { Id, Names, State, Labels } = (entry ?? {}) as Record<string, unknown>;
  if (typeof Id !== "string" || !/^[0-9a-f]{12,64}$/.test(Id)) return undefined;
  if (typeof Labels !== "object" || Labels === null) return undefined;
  const [name] = Array.isArray(Names) ? Names : [];
  return {
    id: Id,
    name: typeof name === "string" ? name.replace(/^\/+/, "") : Id.slice(0, 12),
    running: State === "running" || State === "paused" || State === "restarting",
    labels: Labels as Record<string, string>,
  };
}

export type Removed = {
  names: string[];
  /** A clause about the engine, where some could not be removed. */
  trouble: string | undefined;
  /** The engine did not answer. */
  isUnreached: boolean;
};

export type RemoveAll = {
  labels: Readonly<Record<string, string>>;
  /** Milliseconds that those which still run are given. */
  timeout: number;
  /** Decides on each of them, once the list has come; by default all. */
  isWanted?(container: Listed): boolean;
};

/** Stops and removes all that have these labels. */
export async function removeLabelled(
  at: At,
  { labels, timeout, isWanted = () => true }: RemoveAll,
): Promise<Removed> {
  const list = await listContainers(at, labels);
  if (list.kind !== "list") {
    return { names: [], trouble: list.why, isUnreached: list.kind !== "refused" };
  }
  const names: string[] = [];
  const failures: (Exclude<Called, { kind: "answer" }> | Unreached)[] = [];
  await Promise.all(
    list.containers.filter(isWanted).map(async ({ id, name, running, labels: its }) => {
      if (running && its[labelNames.builds] === undefined) await stopContainer(at, { id, timeout });
      const result = await removeContainer(at, id);
      if (result.kind === "done" || result.kind === "absent") names.push(name);
      else failures.push(result);
    }),
  );
  return {
    names,
    trouble: failures[0]?.why,
    isUnreached: failures.some(({ kind }) => kind !== "refused"),
  };
}

async function done(
  { socket, clock, signal }: At,
  request: { method: "POST" | "DELETE"; path: string; deadline: number },
): Promise<Done> {
  const answer = await engineCall(socket, { ...request, clock, signal });
  if (answer.kind === "answer") return { kind: "done" };
  return answer.kind === "refused" && answer.status === 404 ? { kind: "absent" } : answer;
}
