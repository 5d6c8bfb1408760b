/** `localhostess why <url|name>` -> the way from a URL to its server, step by step, up to the first that fails. */
import { configFile } from "../../system/paths.ts";
import { jsonText } from "../../text/json-text.ts";
import { seenTarget, type WantedTarget } from "../shared/reach.ts";
import { type Flags, settingsOf } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import { passed, type Step, tellStep, type Walk } from "./step.ts";
import { answers } from "./step-answers.ts";
import { certificate } from "./step-certificate.ts";
import { guarded } from "./step-guard.ts";
import { hop } from "./step-hop.ts";
import { listens } from "./step-listens.ts";
import { resolves } from "./step-resolves.ts";
import { dials, owner, routes } from "./step-routes.ts";

export async function why(text: string, flags: Flags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world);
  const { sight, target } = await seenTarget(text, { settings, world });
  const byPac = target.kind === "name" && target.domain !== "localhost";
  const located = configFile(world);
  const walk: Walk = {
    target,
    sight,
    // A name without a URL has no port.
    port: byPac ? sight.port : (target.port ?? sight.urlPorts[target.scheme]),
    host: hostOf(target),
    byPac,
    settings,
    configFile: located.kind === "path" ? located.path : "config.toml",
  };
  const steps: Step[] = [];
  for await (const step of walkAlong(walk)) {
    steps.push(step);
    if (!settings.json) tellStep(step, world);
  }
  if (settings.json) world.out.write(`${jsonText(steps, 2)}\n`);
  return steps.every((step) => step.ok) ? 0 : 1;
}

function hostOf(target: WantedTarget): string {
  if (target.kind === "own") return "localhost";
  return target.domain === "" ? target.name : `${target.name}.${target.domain}`;
}

/** Ends with the first step that fails. */
async function* walkAlong(walk: Walk): AsyncGenerator<Step> {
  const resolved = await resolves(walk);
  yield resolved;
  if (!resolved.ok) return;
  const listening = await listens(walk);
  yield listening.step;
  if (listening.address === undefined) return;
  const { address } = listening;
  let pid: number | undefined;
  if (walk.target.kind === "own") {
    yield passed("routes", "localhost is the proxy itself, which lists the servers");
  } else {
    const routed = await routes(walk.target.name, walk);
    yield routed.step;
    if (routed.service === undefined) return;
    pid = routed.service.process?.pid;
    yield owner(routed.service);
    const hopped = hop(routed.service, walk);
    if (hopped !== undefined) yield hopped;
    if (hopped?.ok === false) return;
    const dialled = await dials(routed.service);
    yield dialled;
    if (!dialled.ok) return;
    if (walk.target.scheme === "https") {
      const certified = await certificate(walk, routed.service);
      yield certified.step;
      if (!certified.ours) return;
    }
    const { settings, configFile } = walk;
    const refused = await guarded(routed.service.name, { socket: settings.socket, configFile });
    if (refused !== undefined) yield refused;
  }
  yield await answers(walk, { address, pid });
}
