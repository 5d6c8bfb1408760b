/** The places where engines may be -> the one that runs a project's containers, or how to get one. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { whereIs } from "../../system/search-path.ts";
import type { Clock } from "../../system/clock.ts";
import { enginePlaces } from "../engine-places.ts";
import { engineSocket } from "../engine-socket.ts";
import { engineCall } from "./engine-calls.ts";
import { type EngineFacts, engineRemedy, type EngineRefusal } from "./engine-remedy.ts";

export type Engine = {
  /** Absolute. */
  socket: string;
  /** The user that it runs as. */
  owner: number;
  kind: "docker" | "podman";
};

export type ChosenEngine =
  | { kind: "engine"; engine: Engine }
  /** `why` is a sentence, with what helps. `isThere`: one is there, and does not answer. */
  | { kind: "none"; why: string; isThere: boolean };

export type ChooseOptions = {
  /** `containers` of config.toml; undefined: the usual places. */
  only: readonly string[] | undefined;
  env: Readonly<Record<string, string | undefined>>;
  home: string;
  uid: number;
  clock: Clock;
  signal?: AbortSignal | undefined;
};

/** Milliseconds in which an engine that listens has to answer; one that systemd starts by a question takes seconds. */
const patience = 10_000;

/** The first that answers. DOCKER_HOST is first where it is set, and then alone: a person has chosen. */
export async function chooseEngine(options: ChooseOptions): Promise<ChosenEngine> {
  const { only, env, home, uid, clock, signal } = options;
  const chosen = env.DOCKER_HOST || env.CONTAINER_HOST;
  const list = chosen ? [chosen] : only;
  const { sockets, notes } = enginePlaces({ env, home, uid, only: list });
  const refused: string[] = [...notes];
  const refusals: EngineRefusal[] = [];
  let isThere = false;
  for (const path of sockets) {
    const found = engineSocket(path, { uid });
    if (found.kind === "absent") {
      refusals.push({ path, kind: "absent" });
      if (list !== undefined) refused.push(`${path}: there is no such socket`);
      continue;
    }
    if (found.kind === "refused") {
      refused.push(`${path}: ${found.why}`);
      refusals.push({ path, kind: refusalOf(found.why) });
      continue;
    }
    const ping = { method: "GET", path: "/_ping", clock, deadline: patience, signal } as const;
    const answer = await engineCall(path, ping);
    if (answer.kind === "answer") {
      const kind = /libpod|podman/i.test(answer.server ?? "") ? "podman" : "docker";
      return { kind: "engine", engine: { socket: path, owner: found.owner, kind } };
    }
    isThere ||= answer.kind === "late" || answer.kind === "refused";
    refused.push(`${path}: ${answer.why}`);
    refusals.push({ path, kind: answer.kind === "late" ? "silent" : "dead" });
  }
  const remedy = engineRemedy({
    ...{ refusals, has: installed(options), platform: process.platform },
    chosenBy: !chosen && only !== undefined ? "containers in config.toml" : chosenBy(env),
  });
  const seen = refused.length === 0 ? "" : ` (${refused.slice(0, 3).join("; ")})`;
  return { kind: "none", isThere, why: `no container engine answers${seen}; ${remedy}` };
}

/** By the words of `engineSocket`. */
function refusalOf(why: string): EngineRefusal["kind"] {
  if (why.startsWith("permission denied")) return "denied";
  return why.startsWith("systemd") ? "asleep" : "other";
}

function chosenBy(env: ChooseOptions["env"]): string | undefined {
  return ["DOCKER_HOST", "CONTAINER_HOST"].find((name) => env[name]);
}

function installed({ env, home }: ChooseOptions): EngineFacts["has"] {
  const has = (name: string): boolean => whereIs(name, env.PATH) !== undefined;
  const desktop = existsSync(join(home, ".docker/desktop")) || existsSync(desktopOfMac);
  return { docker: has("docker"), podman: has("podman"), desktop };
}

const desktopOfMac = "/Applications/Docker.app";
