/** The contexts of the docker command -> the hosts of their engines, that of the current one first. Reads files. */
import { readdirSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { readTextSync } from "../system/read-text.ts";
import { printable } from "../text/printable.ts";

export type ContextHost = {
  /** As it is written: `unix:///var/run/docker.sock`, `ssh://me@box`. */
  host: string;
  /** Where it is from, for a person. */
  from: string;
};

export type ContextsOptions = {
  env: Readonly<Record<string, string | undefined>>;
  home: string;
};

/** Bytes. A file of a few hundred; config.json may hold logins. */
const longestFile = 1024 * 1024;
const mostContexts = 32;

/** The folders are named by the SHA-256 of the context's name; the file in each has the name. */
export function dockerContexts({ env, home }: ContextsOptions): ContextHost[] {
  const own = env.DOCKER_CONFIG;
  const folder = own !== undefined && isAbsolute(own) ? own : join(home, ".docker");
  const current =
    env.DOCKER_CONTEXT || textAt(jsonOf(join(folder, "config.json")), "currentContext");
  const meta = join(folder, "contexts/meta");
  const contexts = namesIn(meta)
    .slice(0, mostContexts)
    .flatMap((name) => contextOf(jsonOf(join(meta, name, "meta.json"))) ?? []);
  return contexts
    .sort((a, b) => Number(b.name === current) - Number(a.name === current))
    .map(({ name, host }) => ({ host, from: `Docker's context ${printable(name, 80)}` }));
}

function contextOf(value: unknown): { name: string; host: string } | undefined {
  const name = textAt(value, "Name");
  const host = textAt(at(at(value, "Endpoints"), "docker"), "Host");
  return name === undefined || host === undefined ? undefined : { name, host };
}

function jsonOf(path: string): unknown {
  const read = readTextSync(path, { longest: longestFile });
  if (read.kind !== "text") return undefined;
  try {
    return JSON.parse(read.text);
  } catch {
    // The docker command itself would complain; we go by the usual places.
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    // Without contexts there is no folder.
    return [];
  }
}

function at(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as Record<string, unknown>)[key];
}

function textAt(value: unknown, key: string): string | undefined {
  const text = at(value, key);
  return typeof text === "string" && text !== "" ? text : undefined;
}
