/** `localhostess plugin inspect <name>` -> what a plugin says of a service, and the plan that it would make of it. */
import { extname } from "node:path";
import { claimsOf } from "../../plugins/claims.ts";
import { callPluginEach, type Component } from "../../plugins/call.ts";
import {
  capabilities,
  type Capability,
  irVersions,
  isCapability,
  type PluginRequest,
  usualCapabilities,
  type Value,
} from "../../plugins/plan.ts";
import { planForm } from "../../plugins/plan-form.ts";
import { type Applied, readApplied } from "../../plugins/read-plan.ts";
import { jsonLines } from "../../text/json-lines.ts";
import { listed } from "../../text/list.ts";
import { didYouMean } from "../../text/nearest.ts";
import { printable } from "../../text/printable.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { type Flags, UsageError } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import { componentBytes } from "./component-bytes.ts";
import { whyNotReady } from "./list.ts";
import {
  type GrantingPlace,
  pluginNamed,
  type PluginPlace,
  pluginPlace,
  pluginsAt,
} from "../shared/plugin-place.ts";

export type InspectFlags = Flags & {
  kind?: string;
  name?: string;
  dependsOn?: string;
  config?: readonly string[];
  grant?: readonly string[];
};

export async function pluginInspect(
  word: string,
  flags: InspectFlags,
  world: World,
): Promise<number> {
  const granted = grantedIn(flags.grant ?? []);
  const config = (flags.config ?? []).map(configOf);
  const place = await pluginPlace(flags, world);
  const its = await inspected(word, { place, world });
  const type = flags.kind ?? its.name;
  const spec = {
    ...{ name: flags.name ?? type, type, config },
    dependsOn: (flags.dependsOn ?? "").split(",").filter(Boolean),
  };
  const all = [...new Set([...usualCapabilities, ...its.granted, ...granted])];
  const context = { workspaceId: "localhostess", root: place.project ?? world.cwd };
  const requests: PluginRequest[] = [
    { kind: "detect", context, spec },
    { kind: "apply", context, spec, irVersions, granted: all },
  ];
  const asked = await callPluginEach(its.component, requests, place.effects);
  if (asked.kind === "ended") throw new Failure("failed", `${its.name} ${asked.why}`);
  const [detect, applied] = asked.values as [string | null, unknown];
  const answer = readApplied(applied);
  const claims = await claimsHere(its, place);
  if (flags.json) {
    const { sha256 } = its.component;
    printJson(world, { name: its.name, sha256, claims, detect, ...answerForm(answer) });
  } else {
    world.out.write(`detect: ${detect === null ? "none" : printable(detect)}\n`);
    if (detect === null && flags.kind === undefined) {
      world.err.write(`it does not know the type ${printable(type, 100)}; --kind names another\n`);
    }
    if (answer.kind === "plan") world.out.write(`${jsonLines(planForm(answer.plan))}\n`);
    else for (const line of linesOf(answer)) world.err.write(`${printable(line)}\n`);
  }
  return answer.kind === "plan" ? 0 : 1;
}

type Inspected = {
  name: string;
  component: Component;
  claims: readonly string[] | undefined;
  granted: readonly Capability[];
};

type InspectedOptions = { place: GrantingPlace; world: World };

/** A file that is not installed can be looked at, too. */
async function inspected(word: string, { place, world }: InspectedOptions): Promise<Inspected> {
  if (extname(word) === ".wasm" || word.includes("/")) {
    const { source, sha256, name } = await componentBytes(word, world);
    if (/^https?:/.test(source)) throw new UsageError(["only a file, or a plugin's name"]);
    return { name, component: { path: source, sha256 }, claims: undefined, granted: [] };
  }
  const plugin = await pluginNamed(word, place);
  const why = whyNotReady(plugin);
  if (why !== undefined) throw new Failure("failed", why);
  return { ...place.withGrants(plugin, await pluginsAt(place)), component: plugin };
}

async function claimsHere(its: Inspected, { effects }: PluginPlace): Promise<readonly string[]> {
  if (its.claims !== undefined) return its.claims;
  const asked = await claimsOf(its.component, effects);
  if (asked.kind === "ended") throw new Failure("failed", `${its.name} ${asked.why}`);
  return asked.types;
}

function answerForm(answer: Applied): object {
  const none = { plan: null, errors: [], warnings: [] };
  if (answer.kind === "plan") return { ...none, plan: planForm(answer.plan) };
  if (answer.kind === "mistakes") return { ...none, errors: answer.mistakes };
  return { ...none, ...answer.diagnostics };
}

function linesOf(answer: Exclude<Applied, { kind: "plan" }>): string[] {
  if (answer.kind === "mistakes") return answer.mistakes.map((its) => `error: ${its}`);
  const { errors, warnings } = answer.diagnostics;
  return [
    ...errors.map((its) => `error: ${its}`),
    ...warnings.map((its) => `warning: ${its}`),
    ...(errors.length + warnings.length === 0 ? ["it has given no plan, and no reason"] : []),
  ];
}

function grantedIn(words: readonly string[]): Capability[] {
  const all = words.flatMap((its) => its.split(",")).map((its) => its.replaceAll("_", "-"));
  const unknown = all.filter((its) => !isCapability(its));
  if (unknown.length > 0) {
    throw new UsageError(
      unknown.map((its) => {
        const help = didYouMean(its, capabilities, {
          otherwise: `; there are ${listed(capabilities)}`,
        });
        return `--grant ${printable(its, 100)}: no such capability${help}`;
      }),
    );
  }
  return all.filter(isCapability);
}

/** `port=6379`: numbers and `true` as locald.toml would have them; anything else is a text. */
function configOf(text: string): readonly [string, Value] {
  const at = text.indexOf("=");
  if (at <= 0) {
    throw new UsageError([
      `--config ${printable(text, 100)}: expected a key and a value: port=6379`,
    ]);
  }
  return [text.slice(0, at), literalOf(text.slice(at + 1))];
}

function literalOf(text: string): Value {
  if (text === "true" || text === "false") return { kind: "boolean", value: text === "true" };
  if (/^[+-]?\d{1,18}$/.test(text)) return { kind: "signed", value: BigInt(text) };
  if (/^[+-]?\d+\.\d+$/.test(text)) return { kind: "float", value: Number(text) };
  return { kind: "text", value: text };
}
