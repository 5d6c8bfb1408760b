/** A project's containers -> the network on which they reach each other by the names of their services. */
import type { At } from "./container-calls.ts";
import { labelFilter } from "./container-calls.ts";
import { networkBody, projectLabels } from "./container-body.ts";
import type { ContainerPlan, RunLabels } from "./container-plan.ts";
import { engineCall, type Called } from "./engine-calls.ts";

export type NetworkMade = { kind: "network"; id: string } | Exclude<Called, { kind: "answer" }>;

const deadline = 30_000;

/** The one with the project's labels, or a new one. Several services may ask at the same moment. */
export async function projectNetwork(at: At, plan: ContainerPlan): Promise<NetworkMade> {
  for (let attempt = 0; ; attempt++) {
    const found = await networksOf(at, plan.labels);
    if (found.kind !== "networks") return found;
    const [first] = found.ids;
    if (first !== undefined) return { kind: "network", id: first };
    const { socket, clock, signal } = at;
    const body = networkBody(plan);
    const made = await engineCall(socket, {
      ...{ method: "POST", path: "/networks/create", body, clock, deadline, signal },
    });
    // Somebody else has just made it.
    if (made.kind === "refused" && made.status === 409 && attempt === 0) continue;
    if (made.kind !== "answer") return made;
    const { Id } = (made.value ?? {}) as { Id?: unknown };
    if (typeof Id === "string" && Id !== "") return { kind: "network", id: Id };
    return { kind: "failed", why: "its answer to a new network has no id" };
  }
}

/** Removes it where no container is on it: an engine refuses that for one that is in use. */
export async function leaveNetwork(
  at: At,
  labels: Pick<RunLabels, "owner" | "directory">,
): Promise<void> {
  const found = await networksOf(at, labels);
  if (found.kind !== "networks") return;
  const { socket, clock, signal } = at;
  for (const id of found.ids) {
    await engineCall(socket, {
      ...{ method: "DELETE", path: `/networks/${id}`, clock, deadline, signal },
    });
  }
}

async function networksOf(
  { socket, clock, signal }: At,
  of: Pick<RunLabels, "owner" | "directory">,
): Promise<{ kind: "networks"; ids: string[] } | Exclude<Called, { kind: "answer" }>> {
  const labels = projectLabels(of);
  const path = `/networks?filters=${labelFilter(labels)}`;
  const answer = await engineCall(socket, { method: "GET", path, clock, deadline, signal });
  if (answer.kind !== "answer") return answer;
  const all = Array.isArray(answer.value) ? answer.value : [];
  const ids = all.flatMap((entry) => {
    const { Id, Labels } = (entry ?? {}) as { Id?: unknown; Labels?: unknown };
    const its = (Labels ?? {}) as Record<string, unknown>;
    const isOurs = Object.entries(labels).every(([key, value]) => its[key] === value);
    return typeof Id === "string" && isOurs ? [Id] : [];
  });
  return { kind: "networks", ids: ids.sort() };
}
