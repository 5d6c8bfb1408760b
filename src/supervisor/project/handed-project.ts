/** A daemon's description of its projects for the next one, from memory to memory -> checked values. */
import * as v from "valibot";
import { forwardings, guards } from "../../manifest/name-settings.ts";
import {
  conditions,
  hookNames,
  type ProjectSpec,
  type ServiceSpec,
} from "../../manifest/project.ts";
import { type Own, serviceTypes, stopSignals, storeNames } from "../../manifest/types/own.ts";
import { handedLifecycle } from "../service/handed-life.ts";
import { wishStates } from "./wishes.ts";

/** Raised where a value keeps its name and its type, and means something else. */
export const form = 1;

const text = v.string();
const texts = v.array(text);
const number = v.number();
const index = v.pipe(number, v.integer(), v.minValue(0));
const path = v.pipe(text, v.startsWith("/"));

/** JSON has no undefined: it is null there, and a key that is missing is a mistake. */
function maybe<T>(schema: v.GenericSchema<unknown, T>) {
  return v.pipe(
    v.nullable(schema),
    v.transform((value): T | undefined => value ?? undefined),
  );
}

const ask = v.variant("kind", [
  v.object({ kind: v.picklist(["http", "https"]), path: text }),
  v.object({ kind: v.literal("tcp") }),
  v.object({ kind: v.literal("command"), command: text }),
  v.object({ kind: v.literal("store"), store: v.picklist(["postgres", ...storeNames]) }),
]);

const health = v.object({
  ask,
  interval: number,
  timeout: number,
  retries: number,
  startPeriod: number,
});

const settings = v.object({
  guard: v.exactOptional(v.picklist(guards)),
  allowOrigins: v.exactOptional(texts),
  allowPosts: v.exactOptional(texts),
  forwarded: v.exactOptional(v.picklist(forwardings)),
  strictSubdomains: v.exactOptional(v.boolean()),
});

const own: v.GenericSchema<unknown, Own> = v.variant("kind", [
  v.object({
    kind: v.literal("postgres"),
    major: number,
    database: text,
    init: texts,
    settings: v.record(text, text),
    extensions: texts,
  }),
  v.object({
    kind: v.literal("store"),
    store: v.picklist(storeNames),
    version: maybe(text),
    from: maybe(v.picklist(["program", "container"])),
    image: maybe(text),
    database: maybe(text),
    buckets: texts,
    settings: v.record(text, text),
  }),
  v.object({
    kind: v.literal("container"),
    image: maybe(text),
    build: maybe(
      v.union([
        v.object({
          kind: v.literal("builder"),
          builder: text,
          buildpacks: texts,
          context: path,
        }),
        v.object({
          // A daemon that knew no other has not said it.
          kind: v.optional(v.literal("dockerfile"), "dockerfile"),
          context: path,
          dockerfile: text,
          target: maybe(text),
          args: v.record(text, text),
        }),
      ]),
    ),
    entrypoint: maybe(texts),
    user: maybe(text),
    workdir: maybe(text),
    inside: maybe(number),
    ports: v.array(
      v.object({
        inside: number,
        outside: maybe(number),
        protocol: v.picklist(["tcp", "udp"]),
      }),
    ),
    volumes: v.array(
      v.object({
        source: text,
        kind: v.picklist(["named", "bind"]),
        target: text,
        readOnly: v.boolean(),
      }),
    ),
    stopSignal: maybe(v.picklist(stopSignals)),
    pull: v.picklist(["missing", "always", "never"]),
  }),
  v.object({
    kind: v.literal("site"),
    path,
    fallback: maybe(text),
    listing: v.boolean(),
    reload: v.boolean(),
  }),
  v.object({
    kind: v.literal("built"),
    build: v.variant("kind", [
      v.object({
        kind: v.literal("buildpacks"),
        buildpacks: texts,
        context: path,
        process: maybe(text),
      }),
      v.object({
        kind: v.literal("command"),
        command: text,
        inputs: texts,
        written: v.optional(maybe(text)),
      }),
    ]),
  }),
]);

/**
 * All keys of the type: one that is added there has to be added here, and the value of a daemon without it is refused,
 * so that its services are started again.
 */
const service: v.GenericSchema<unknown, ServiceSpec> = v.object({
  name: text,
  type: v.picklist(serviceTypes),
  own: v.optional(maybe(own)),
  unusable: v.optional(maybe(text)),
  program: v.optional(maybe(texts)),
  command: text,
  hooks: v.record(v.picklist(hookNames), text),
  shell: texts,
  workdir: text,
  port: maybe(number),
  env: v.record(text, text),
  envFiles: texts,
  dependsOn: texts,
  conditions: v.record(text, v.picklist(conditions)),
  restartWith: texts,
  health: maybe(health),
  readyPattern: maybe(text),
  stopSignal: v.picklist(stopSignals),
  stopTimeout: number,
  startTimeout: maybe(number),
  restart: v.picklist(["on-failure", "always", "no"]),
  limits: v.object({ memory: maybe(number) }),
  schedule: maybe(text),
  disabled: v.boolean(),
  profiles: texts,
  lazy: v.boolean(),
  idleTimeout: maybe(number),
  watch: texts,
  inputs: texts,
  pty: v.boolean(),
  routeName: maybe(text),
  settings: v.optional(maybe(settings)),
  instance: v.optional(maybe(v.object({ of: text, number, routeName: maybe(text) }))),
  plugin: v.optional(maybe(text)),
});

const checkout = v.object({
  repository: path,
  root: path,
  label: v.optional(maybe(text)),
});

const project: v.GenericSchema<unknown, ProjectSpec> = v.object({
  name: text,
  domain: text,
  directory: path,
  services: v.array(service),
  reload: v.object({ value: v.picklist(["auto", "ask", "git"]), personal: v.boolean() }),
  checkout: v.optional(maybe(checkout)),
  freedPorts: v.optional(maybe(v.array(v.object({ service: text, port: number })))),
  foreign: v.optional(maybe(text)),
  files: texts,
  warnings: texts,
});

const pending = v.object({
  change: v.picklist(["added", "changed"]),
  keys: texts,
  before: v.nullable(text),
  after: text,
  why: text,
  held: v.boolean(),
});

const hash = v.pipe(text, v.regex(/^[0-9a-f]{16,128}$/));

/** An environment by its place in the list, or one that is not handed over: the next daemon has its own. */
const shell = v.union([index, v.picklist(["own", "lost"])]);

const unit = v.object({
  name: text,
  wish: v.object({ state: v.picklist(wishStates), because: v.optional(text) }),
  shell,
  unseen: v.optional(pending),
  granted: texts,
  attempt: v.optional(v.object({ declaration: hash, inputs: hash })),
  readyRun: v.optional(number),
  nextRun: v.optional(number),
  /** Undefined where it was never started, or has to be started again. */
  service: v.optional(
    v.object({
      /** With references filled. */
      spec: service,
      lifecycle: handedLifecycle,
      shell,
      /** Output that is no line yet, as base64. */
      rest: v.object({ stdout: text, stderr: text }),
    }),
  ),
});

const folder = v.object({
  directory: path,
  file: v.optional(text),
  spec: project,
  shell,
  /** A shell's environment was lost with an earlier daemon. */
  isLost: v.boolean(),
  whole: v.boolean(),
  /** Milliseconds since the Unix epoch: files that services watch and that change later are news to the next daemon. */
  watchedUntil: v.optional(number),
  profiles: texts,
  units: v.array(unit),
});

export const handedProjects = v.object({
  form: v.literal(form),
  /** The daemon's pid: it stays the parent of its services. 1: it is the first process of a container. */
  pid: v.pipe(number, v.integer(), v.minValue(1)),
  environments: v.array(v.record(text, text)),
  folders: v.array(folder),
  /** As `Supervised` is: shown until the services are taken over. */
  snapshots: v.array(v.looseObject({ id: text, state: text })),
});

export type HandedShell = v.InferOutput<typeof shell>;
export type HandedUnit = v.InferOutput<typeof unit>;
export type HandedFolder = v.InferOutput<typeof folder>;

/** A value as JSON can say it, where null is undefined. */
export function sayable(value: object): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, its: unknown) => (its === undefined ? null : its)),
  );
}
