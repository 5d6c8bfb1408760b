/** The text of launch.toml -> processes that a buildpack declares; of build.toml -> entries it has not met. Pure. */
import { absolute } from "../../text/absolute.ts";
import { shown } from "../../text/shown.ts";
import type { LaunchProcess } from "./buildpack.ts";
import { isForEnv } from "./order.ts";
import { readTable, type Table } from "./read-table.ts";

export type LaunchToml = {
  processes: readonly LaunchProcess[];
  /** Those that are for other execution environments than ours. */
  elsewhere: readonly string[];
  labels: number;
  slices: number;
};

export type ReadLaunch = ({ kind: "launch" } & LaunchToml) | { kind: "mistake"; what: string };

export type ReadUnmet = { kind: "unmet"; names: string[] } | { kind: "mistake"; what: string };

export const noLaunch: LaunchToml = { processes: [], elsewhere: [], labels: 0, slices: 0 };

/** buildpack.md, launch.toml. `app`: absolute, where a process without a folder of its own begins. */
export function readLaunch(
  text: string,
  { app, execEnv }: { app: string; execEnv: string },
): ReadLaunch {
  const read = readTable(text);
  if (read.kind === "mistake") return read;
  const { processes = [], labels = [], slices = [] } = read.table;
  if (!isTables(processes)) return mistake("processes has to be written as [[processes]]");
  if (!isTables(labels)) return mistake("labels has to be written as [[labels]]");
  if (!isTables(slices)) return mistake("slices has to be written as [[slices]]");
  const done: LaunchProcess[] = [];
  const elsewhere: string[] = [];
  const types = new Set<string>();
  for (const [index, table] of processes.entries()) {
    const its = processOf(table, { app });
    if (typeof its === "string") return mistake(`processes[${index}]: ${its}`);
    const envs = table["exec-env"] ?? [];
    if (!isWords(envs)) return mistake(`processes[${index}]: exec-env has to be a list of words`);
    const isHere = isForEnv(envs, execEnv);
    // The same type may be declared once for each environment.
    if (!isHere) elsewhere.push(its.type);
    else if (types.has(its.type)) return mistake(`two processes have the type ${its.type}`);
    else {
      types.add(its.type);
      done.push(its);
    }
  }
  const defaults = done.filter((its) => its.isDefault).map((its) => its.type);
  if (defaults.length > 1) return mistake(`${defaults.join(" and ")} both have default = true`);
  return {
    kind: "launch",
    processes: done,
    elsewhere,
    labels: labels.length,
    slices: slices.length,
  };
}

/** A clause instead, where it is wrong. */
function processOf(table: Table, { app }: { app: string }): LaunchProcess | string {
  const { type, command, args = [], default: isDefault = false } = table;
  const workdir = table["working-dir"] ?? ".";
  if (typeof type !== "string" || !/^[\w.-]+$/.test(type)) {
    return `type is ${shown(type ?? "")}, and has to be of letters, digits, ., _ and -`;
  }
  if (typeof command === "string") {
    return `command of ${type} is a text; since Buildpack API 0.9 it is a list, such as ["bash", "-c", "…"]`;
  }
  if (!isWords(command) || command.length === 0 || command[0] === "") {
    return `command of ${type} has to be a list of words that begins with a program`;
  }
  if (!isWords(args)) return `args of ${type} has to be a list of words`;
  if (typeof isDefault !== "boolean") return `default of ${type} has to be true or false`;
  if (typeof workdir !== "string") return `working-dir of ${type} has to be a path`;
  return { type, command, args, isDefault, workdir: absolute(workdir, app) };
}

/** buildpack.md, build.toml: names of entries in the buildpack's plan. */
export function readUnmet(text: string, planned: ReadonlySet<string>): ReadUnmet {
  const read = readTable(text);
  if (read.kind === "mistake") return read;
  const { unmet = [] } = read.table;
  if (!isTables(unmet)) return mistake("unmet has to be written as [[unmet]]");
  const names: string[] = [];
  for (const { name } of unmet) {
    if (typeof name !== "string" || !planned.has(name)) {
      return mistake(`unmet names ${shown(name ?? "")}, which its plan does not have`);
    }
    names.push(name);
  }
  return { kind: "unmet", names };
}

/**
 * buildpack.md, launch.toml: of processes of one type the last buildpack's counts, and of those with default = true the
 * last. One that takes the place of the default and is none leaves the app without a default.
 */
export function combined(all: readonly (readonly LaunchProcess[])[]): LaunchProcess[] {
  const processes = new Map<string, LaunchProcess>();
  let chosen: string | undefined;
  for (const its of all.flat()) {
    processes.delete(its.type);
    processes.set(its.type, its);
    if (its.isDefault) chosen = its.type;
    else if (chosen === its.type) chosen = undefined;
  }
  return [...processes.values()].map((its) => ({ ...its, isDefault: its.type === chosen }));
}

function isTables(value: unknown): value is Table[] {
  return (
    Array.isArray(value) &&
    value.every((its) => typeof its === "object" && its !== null && !Array.isArray(its))
  );
}

function isWords(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((its) => typeof its === "string");
}

function mistake(what: string): { kind: "mistake"; what: string } {
  return { kind: "mistake", what };
}
