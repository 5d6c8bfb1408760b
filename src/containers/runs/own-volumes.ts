/** The engines that we have used, and an owner -> the volumes and networks of ours in them, and their end. */
import type { Clock } from "../../system/clock.ts";
import { engineSocket } from "../engine-socket.ts";
import { labelNames } from "./container-plan.ts";
import { engineCall } from "./engine-calls.ts";
import { notedEngines } from "./engine-notes.ts";

export type OwnVolume = { socket: string; kind: "volumes" | "networks"; name: string };

export type OwnVolumesOptions = {
  /** The folder of the notes. */
  notes: string;
  owner: string;
  clock: Clock;
  uid?: number;
};

/** Milliseconds; an engine that does not answer keeps what it has. */
const deadline = 10_000;

/** Those of engines that answer. */
export async function ownVolumes(options: OwnVolumesOptions): Promise<OwnVolume[]> {
  const { notes, owner, clock, uid = process.getuid?.() ?? 0 } = options;
  const filters = encodeURIComponent(JSON.stringify({ label: [`${labelNames.owner}=${owner}`] }));
  const found: OwnVolume[] = [];
  for (const socket of notedEngines(notes)) {
    if (engineSocket(socket, { uid }).kind !== "socket") continue;
    for (const kind of ["volumes", "networks"] as const) {
      const path = `/${kind}?filters=${filters}`;
      const answer = await engineCall(socket, { method: "GET", path, clock, deadline });
      if (answer.kind !== "answer") continue;
      found.push(...namesIn(answer.value).map((name) => ({ socket, kind, name })));
    }
  }
  return found;
}

/** A list of networks, or an object with one of volumes. */
function namesIn(value: unknown): string[] {
  const list = (value as { Volumes?: unknown } | null)?.Volumes ?? value;
  if (!Array.isArray(list)) return [];
  return list.flatMap((its: { Name?: unknown }) =>
    typeof its?.Name === "string" ? [its.Name] : [],
  );
}

/** @throws Error with a sentence. One that is gone already is no error. */
export async function removeVolume({ socket, kind, name }: OwnVolume, clock: Clock): Promise<void> {
  const path = `/${kind}/${encodeURIComponent(name)}`;
  const answer = await engineCall(socket, { method: "DELETE", path, clock, deadline });
  if (answer.kind === "answer" || (answer.kind === "refused" && answer.status === 404)) return;
  throw new Error(`${name} could not be removed from the engine at ${socket}: ${answer.why}`);
}
