/** What should run and what runs -> state.json, which the next daemon begins with; and back. No value of any variable is in it. */
import * as v from "valibot";
import type { Clock } from "../system/clock.ts";
import { type JsonFile, jsonFile } from "../system/json-file.ts";

const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));
const hex = v.pipe(v.string(), v.regex(/^[0-9a-f]{16,128}$/));
const signals = [
  ...["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGKILL"],
] as const;

const pid = v.pipe(v.number(), v.integer(), v.minValue(2));
const birth = v.pipe(v.number(), v.integer(), v.minValue(0));

const run = v.object({
  /** 2 and up: never an init, a whole group, or everybody. */
  pid,
  startedAt: v.number(),
  /** These two count within the boot of the state only. */
  birth: v.optional(birth),
  members: v.optional(v.array(v.object({ pid, birth }))),
  runId: hex,
  signal: v.picklist(signals),
  /** Milliseconds. */
  timeout: v.pipe(v.number(), v.minValue(0)),
});

const project = v.object({
  name: v.string(),
  directory: v.pipe(v.string(), v.startsWith("/")),
  whole: v.boolean(),
  wanted: v.array(v.string()),
  unwanted: v.array(v.string()),
  dozing: v.array(v.string()),
  runs: v.record(v.string(), run),
});

const state = v.object({
  version: v.literal(1),
  /** What every run id begins with that a daemon of this state directory has given. */
  key: hex,
  /** The boot in which it was written. */
  boot: v.optional(v.string()),
  projects: v.array(project),
  /** Processes of services, it is not known which: they count within the boot only. */
  strays: v.optional(v.array(v.object({ pid, birth }))),
  /** Service id -> the port that it had last. */
  ports: v.record(v.string(), port),
});

export type KeptRun = v.InferOutput<typeof run>;
export type KeptProject = v.InferOutput<typeof project>;
export type KeptState = v.InferOutput<typeof state>;

export type StateFileOptions = { path: string; clock: Clock; note(text: string): void };

export function stateFile(options: StateFileOptions): JsonFile<KeptState> {
  return jsonFile({
    ...options,
    check(value) {
      const read = v.safeParse(state, value);
      return read.success ? read.output : undefined;
    },
  });
}
