/** The places where engines may be -> the containers that run at this moment, or why an engine cannot be asked. */
import type { Claim } from "../routes/claim.ts";
import type { Clock } from "../system/clock.ts";
import type { Container } from "./container.ts";
import type { NamingContainers } from "./container-name.ts";
import { enginePlaces, type PlacesOptions } from "./engine-places.ts";
import { type EngineSocket, engineSocket } from "./engine-socket.ts";

export type EngineLook = {
  path: string;
  owner: number;
  /** `Docker/28.2.2 (linux)`. */
  server: string | undefined;
  containers: readonly Container[];
  /** A clause on why it could not be asked. */
  trouble: string | undefined;
  /** A socket that a killed engine has left behind. */
  isDead?: boolean;
};

export type OneLook = {
  /** One for each socket that is there. */
  engines: readonly EngineLook[];
  /** Sentences on engines that are configured, and not asked. */
  notes: readonly string[];
};

export type LookOptions = Omit<PlacesOptions, "only"> & {
  clock: Clock;
  /** `containers` of config.toml. */
  wanted: boolean | readonly string[];
  /** Milliseconds for all of them together. */
  deadline: number;
};

/** Never rejects. */
export async function lookOnce({
  clock,
  wanted,
  deadline,
  ...places
}: LookOptions): Promise<OneLook> {
  if (wanted === false) return { engines: [], notes: [] };
  const only = wanted === true ? undefined : wanted;
  const { sockets, notes } = enginePlaces({ ...places, only });
  const seen = new Set<string>();
  const asked = sockets.flatMap((path) => {
    const its = engineSocket(path, places);
    if (its.kind === "absent") return [];
    const key = its.kind === "socket" ? its.identity : path;
    if (seen.has(key)) return [];
    seen.add(key);
    return [lookAt(path, { its, clock, deadline })];
  });
  return { engines: await Promise.all(asked), notes };
}

async function lookAt(
  path: string,
  { its, clock, deadline }: { its: EngineSocket; clock: Clock; deadline: number },
): Promise<EngineLook> {
  const none = { path, owner: 0, server: undefined, containers: [] };
  if (its.kind !== "socket") {
    return { ...none, trouble: its.kind === "refused" ? its.why : undefined };
  }
  // Loaded where there is an engine: `ls` has 40 ms for everything.
  const [{ getFrom, listPath }, { readContainers }] = await Promise.all([
    import("./engine-api.ts"),
    import("./read-containers.ts"),
  ]);
  const answer = await getFrom(path, { path: listPath, clock, deadline });
  if (answer.kind !== "answer") {
    const isDead = answer.kind === "failed" && answer.code === "ECONNREFUSED";
    return { ...none, trouble: answer.why, isDead };
  }
  const { server } = answer;
  const read = readContainers(answer.text);
  if (read.kind === "bad") return { ...none, server, trouble: read.why };
  return { path, owner: its.owner, server, containers: read.containers, trouble: undefined };
}

export async function claimsOf({ engines }: OneLook, naming: NamingContainers): Promise<Claim[]> {
  if (engines.every(({ containers }) => containers.length === 0)) return [];
  return (await import("./container-claims.ts")).containerClaims(engines, naming);
}
