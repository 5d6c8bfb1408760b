/** Labels of a service or a project -> the volumes and images that builds have made for it, and their end. */
import type { At } from "./container-calls.ts";
import { labelFilter, removeLabelled } from "./container-calls.ts";
import { hashOf, projectLabels, serviceFilters } from "./container-body.ts";
import { labelNames, type RunLabels } from "./container-plan.ts";
import { engineCall } from "./engine-calls.ts";

const deadline = 30_000;

/** A volume of one service that keeps what builds use again. */
export type CacheVolume = { name: string; labels: Record<string, string> };

export async function makeCache(
  at: At,
  { name, labels }: CacheVolume,
): Promise<string | undefined> {
  const body = { Name: name, Labels: labels };
  const made = await engineCall(at.socket, {
    ...{ method: "POST", path: "/volumes/create", body, deadline },
    ...{ clock: at.clock, signal: at.signal },
  });
  return made.kind === "answer" ? undefined : `its cache ${name} cannot be made: ${made.why}`;
}

export function cacheLabels(labels: RunLabels): Record<string, string> {
  return { ...serviceFilters(labels), [labelNames.cache]: "build" };
}

/** The containers of builds of the service that are under way, or whose client has ended without a word. */
export async function removeBuilds(at: At, labels: RunLabels): Promise<void> {
  await removeLabelled(at, {
    labels: { ...serviceFilters(labels), [labelNames.builds]: "yes" },
    timeout: 0,
  });
}

/** Caches with these labels. One that a container uses stays. */
export async function removeCaches(
  at: At,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  const path = `/volumes?filters=${labelFilter({ ...labels, [labelNames.cache]: "build" })}`;
  const found = await got(at, path);
  const { Volumes } = (found ?? {}) as { Volumes?: unknown };
  for (const its of Array.isArray(Volumes) ? Volumes : []) {
    const { Name, Labels } = (its ?? {}) as { Name?: unknown; Labels?: Record<string, unknown> };
    const isOurs = Object.entries(labels).every(([key, value]) => Labels?.[key] === value);
    if (typeof Name === "string" && isOurs && Labels?.[labelNames.cache] === "build") {
      await removed(at, `/volumes/${encodeURIComponent(Name)}`);
    }
  }
}

/** The tags of an image's name, without it: `b3c1…`, `latest`. Undefined: the engine does not say. */
export async function tagsOf(at: At, name: string): Promise<string[] | undefined> {
  const all = await ownNames(at);
  return all?.flatMap((its) => (its.startsWith(`${name}:`) ? [its.slice(name.length + 1)] : []));
}

export async function removeTag(at: At, name: string): Promise<void> {
  await removed(at, `/images/${name}`);
}

/** Images and caches of all services of a project's folder. */
export async function removeBuilt(
  at: At,
  of: Pick<RunLabels, "owner" | "directory">,
): Promise<void> {
  await removeCaches(at, projectLabels(of));
  const hash = hashOf(of);
  const its = (await ownNames(at))?.filter((name) => name.includes(`-${hash}-`)) ?? [];
  for (const name of its) await removeTag(at, name);
}

/** Names of images that we have made, as we have named them: Podman has a registry in front. */
async function ownNames(at: At): Promise<string[] | undefined> {
  const found = await got(at, "/images/json");
  if (!Array.isArray(found)) return undefined;
  return found.flatMap(({ RepoTags }: { RepoTags?: unknown }) => {
    const tags = Array.isArray(RepoTags) ? RepoTags : [];
    return tags
      .map((its) => String(its).replace(/^(?:docker\.io|localhost)\//, ""))
      .filter((its) => its.startsWith("localhostess/"));
  });
}

async function got({ socket, clock, signal }: At, path: string): Promise<unknown> {
  const answer = await engineCall(socket, { method: "GET", path, clock, deadline, signal });
  return answer.kind === "answer" ? answer.value : undefined;
}

/** A refusal (409: it is used) or no answer leaves it there for the next time. */
async function removed({ socket, clock, signal }: At, path: string): Promise<void> {
  await engineCall(socket, { method: "DELETE", path, clock, deadline, signal });
}
