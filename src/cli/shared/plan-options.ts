/** A project and the world -> what every part of planning is given, and the words that it says. */
import type { Plans, WrittenService } from "../../manifest/planned.ts";
import type { CallOutcome } from "../../plugins/call.ts";
import type { Plugin } from "../../plugins/installed.ts";
import { type Capability, type PluginRequest, usualCapabilities } from "../../plugins/plan.ts";
import type { ReadProject } from "../../supervisor/project/read-project.ts";
import { printable } from "../../text/printable.ts";
import type { World } from "./world.ts";

/** The world, as far as plans need it. */
export type PlanEffects = {
  stateDirectory: string;
  /** The file in which capabilities are granted. */
  configFile: string;
  /** By name, a project's before a person's. */
  plugins: readonly Plugin[];
  /** Capabilities that config.toml grants: none to a project's plugin with the name of the person's own. */
  grantedInConfig(plugin: Plugin): readonly Capability[];
  call(plugin: Plugin, request: PluginRequest): Promise<CallOutcome>;
  /** Lets a project's plugin run. @returns a clause where it cannot; undefined: it may. */
  agree(plugin: Plugin): Promise<string | undefined>;
  /** Keeps what a person has granted. */
  grant(plugin: Plugin, capabilities: readonly Capability[]): Promise<void>;
  isFree(port: number): boolean;
  /** Whether a service of this project listens there now. */
  isOwn(port: number): Promise<boolean>;
};

export type PlannedOptions = {
  /** Absolute: the project's folder. */
  directory: string;
  /** As it was read without new plans. */
  read: ReadProject;
  /** Reads it with these plans. */
  again(plans: Plans): Promise<ReadProject>;
  world: Pick<World, "err" | "json" | "prompt">;
  effects: PlanEffects;
  /** A plan that lacks a grant fails alone, in the place of all. */
  some?: boolean;
};

export function writtenIn(read: ReadProject): readonly WrittenService[] {
  return read.kind === "none" ? [] : (read.written ?? []);
}

export type Calling = Pick<PlannedOptions, "directory" | "read" | "effects">;

export function callsOf({ directory, read, effects }: Calling) {
  const name = read.kind === "project" ? read.project.name : read.kind === "none" ? "" : read.name;
  const root = directory;
  const workspaceId = name ?? directory.slice(directory.lastIndexOf("/") + 1);
  const standing = read.kind === "project" ? read.project.services : [];
  // Services of plans are not declared: they may be those that are made again.
  const own = standing.filter(({ plugin }) => plugin === undefined);
  const declared = own.map(({ name: its, instance }) => instance?.of ?? its);
  return {
    context: { workspaceId, root },
    declared: [...new Set([...declared, ...writtenIn(read).map((its) => its.name)])],
    call: effects.call,
    grantedTo: (plugin: Plugin): Capability[] => [
      ...new Set([...usualCapabilities, ...plugin.granted, ...effects.grantedInConfig(plugin)]),
    ],
  };
}

/** `nobody`: no person is at a terminal. */
export type Answer = "yes" | "no" | "nobody";

export async function answerTo(
  question: string,
  { json, prompt }: PlannedOptions["world"],
): Promise<Answer> {
  const answer = json === undefined ? await prompt(question) : undefined;
  if (answer === undefined) return "nobody";
  return /^y(?:es)?$/i.test(answer.trim()) ? "yes" : "no";
}

export function tell(text: string, { err }: Pick<World, "err">): void {
  for (const line of text.split("\n")) err.write(`${printable(line, 2_000)}\n`);
}
