/** Wishes, runs and seen declarations -> state.json for the next daemon; and back. It holds no variable's value. */
import { join } from "node:path";
import * as v from "valibot";
import { stopSignals } from "../../manifest/types/own.ts";
import type { Clock } from "../../system/clock.ts";
import { type JsonFile, jsonFile } from "../../system/json-file.ts";
import { onlyVersioned } from "../../system/state-format.ts";
import type { Seen } from "./unseen-change.ts";

const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));
const hex = v.pipe(v.string(), v.regex(/^[0-9a-f]{16,128}$/));

const pid = v.pipe(v.number(), v.integer(), v.minValue(2));
const birth = v.pipe(v.number(), v.integer(), v.minValue(0));

const run = v.object({
  /** 2 and up: never an init, a whole group, or everybody. */
  pid,
  startedAt: v.number(),
  /** Both fields below are valid only within the boot of the state. */
  birth: v.optional(birth),
  members: v.optional(v.array(v.object({ pid, birth }))),
  runId: hex,
  signal: v.picklist(stopSignals),
  /** Milliseconds. */
  timeout: v.pipe(v.number(), v.minValue(0)),
});

const project = v.object({
  name: v.string(),
  directory: v.pipe(v.string(), v.startsWith("/")),
  /** A name in the folder; absent: locald.toml or a Procfile. */
  file: v.optional(v.pipe(v.string(), v.regex(/^[^/\0]+$/))),
  /** False: no shell has brought it up. Absent in files of older daemons. */
  shelled: v.optional(v.boolean()),
  whole: v.boolean(),
  wanted: v.array(v.string()),
  unwanted: v.array(v.string()),
  dozing: v.array(v.string()),
  /** Absent in files of older daemons. */
  profiles: v.optional(v.array(v.string()), []),
  runs: v.record(v.string(), run),
});

/** Pairs, as a service may be named like an object's own property. */
const code = v.array(v.tuple([v.string(), v.array(v.tuple([v.string(), v.string()]))]));

const seen = v.object({
  directory: v.pipe(v.string(), v.startsWith("/")),
  /** Null where it could not be read. */
  head: v.nullable(v.string()),
  reload: v.picklist(["auto", "ask", "git"]),
  /** Fingerprints by service and key. */
  code,
  waiting: code,
});

const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{16,128}$/));

/** Pairs, as a task may be named like an object's own property. */
const completed = v.object({
  directory: v.pipe(v.string(), v.startsWith("/")),
  tasks: v.array(
    v.tuple([v.string(), v.object({ declaration: hash, inputs: hash, time: v.number() })]),
  ),
});

const state = v.object({
  /** The prefix of every run id that a daemon of this state directory gave. */
  key: hex,
  /** The boot in which it was written. */
  boot: v.optional(v.string()),
  projects: v.array(project),
  /** Processes of services, it is not known which: they count within the boot only. */
  strays: v.optional(v.array(v.object({ pid, birth }))),
  /** Service id -> the port that it had last. */
  ports: v.record(v.string(), port),
  /** The declarations that a person has seen, by project. Absent in files of older daemons. */
  seen: v.optional(v.array(seen)),
  /** The last completed run of each task, by project. */
  completed: v.optional(v.array(completed)),
});

export type KeptRun = v.InferOutput<typeof run>;
export type KeptProject = v.InferOutput<typeof project>;
export type KeptState = v.InferOutput<typeof state>;

export type KeptSeen = v.InferOutput<typeof seen>;

export function keptSeen(directory: string, { head, reload, ...its }: Seen): KeptSeen {
  const pairs = (codes: Seen["code"]): KeptSeen["code"] =>
    [...codes].map(([service, keys]) => [service, [...keys]]);
  return {
    directory,
    head: head ?? null,
    reload,
    code: pairs(its.code),
    waiting: pairs(its.waiting),
  };
}

export function seenOf({ head, reload, code: its, waiting }: KeptSeen): Seen {
  const codes = (pairs: KeptSeen["code"]): Seen["code"] =>
    new Map(pairs.map(([service, keys]) => [service, new Map(keys)]));
  return {
    head: head ?? undefined,
    reload,
    code: codes(its),
    waiting: codes(waiting),
    specs: new Map(),
  };
}

export const stateFormat = onlyVersioned;

export function statePath(stateDirectory: string): string {
  return join(stateDirectory, "state.json");
}

export type StateFileOptions = { path: string; clock: Clock; note(text: string): void };

export function stateFile(options: StateFileOptions): JsonFile<KeptState> {
  return jsonFile({
    ...options,
    format: stateFormat,
    check(value) {
      const read = v.safeParse(state, value);
      return read.success ? read.output : undefined;
    },
  });
}
