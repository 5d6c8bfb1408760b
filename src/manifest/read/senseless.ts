/** Keys of a service that its type has no use for -> the reason why, at each. Pure. */
import type { Node, Table } from "../layer.ts";
import { settingKeys } from "../name-settings.ts";
import { hookNames, type ServiceSpec } from "../project.ts";
import type { BuiltSpec } from "../types/build.ts";
import { storeNames } from "../types/own.ts";
import type { Mistakes } from "./mistakes.ts";

type Reasons = Readonly<Record<string, string>>;

const noAddress = "it has no address, so that no request reaches it";

function forEach(keys: readonly string[], why: string): Reasons {
  return Object.fromEntries(keys.map((key) => [key, why]));
}

/** The keys that say how requests to a name are treated. */
const ofName: Reasons = forEach(Object.keys(settingKeys), noAddress);

const ofWorker: Reasons = {
  ...ofName,
  port: "a worker has no port; only an exec service has one",
  lazy: "a worker has no address, so that no request could start it",
  idle_timeout: "a worker receives no requests, so that it is never idle",
  inputs: "only a task or a build has inputs; watch restarts a worker when a file changes",
};

const ofServer: Reasons = {
  inputs: "only a task has inputs; watch restarts a service when a file changes",
};

/** A command that is no task; one that is built first may have inputs. */
const ofCommand: Reasons = {
  inputs: "only a task or a build has inputs; watch restarts a service when a file changes",
};

/** A store with a page of its own, to which requests go by its name. */
const ofStoreWithPage: Reasons = {
  ...ofServer,
  ...forEach(["command", "args"], "its program is not declared; settings says how it runs"),
  workdir: "it runs where its data is",
  stop_signal: "it is ended by the signal that its program ends cleanly by",
  instances: "two of it would share their data",
};

/** A store that speaks something else than HTTP. */
const ofStore: Reasons = {
  ...ofName,
  ...ofStoreWithPage,
  lazy: "it has no address, so that no request could start it",
  idle_timeout: "it receives no requests, so that it is never idle",
};

const noProcess = "a site has no process: the daemon itself answers with its files";

const ofSite: Reasons = {
  ...ofServer,
  ...forEach(
    [
      ...["restart", "instances", "health_check", "ready_pattern"],
      // The first runs before the build.
      ...hookNames.filter((name) => name !== "before_start"),
    ],
    noProcess,
  ),
  ...forEach(["command", "args"], `${noProcess}; build is the command that makes them`),
};

const byType: Record<ServiceSpec["type"], Reasons> = {
  exec: ofCommand,
  process: ofCommand,
  worker: ofWorker,
  postgres: ofStore,
  ...(Object.fromEntries(storeNames.map((name) => [name, ofStore])) as Record<
    (typeof storeNames)[number],
    Reasons
  >),
  minio: ofStoreWithPage,
  mailpit: ofStoreWithPage,
  container: ofServer,
  site: ofSite,
  unknown: {},
  task: {
    ...ofName,
    port: "a task has no port; only an exec service has one",
    lazy: "a task has no address, so that no request could start it",
    idle_timeout: "a task receives no requests, so that it is never idle",
    health_check: "a task has no check: it is completed when it ends with exit code 0",
    ready_pattern: "a task is never ready: it is completed when it ends with exit code 0",
    restart: "a task is not restarted: up runs it again after a failure",
    instances: "a task is run once; several of it would do the same work",
    restart_with: "a task ends by itself, so that no restart of another service concerns it",
    watch: "no change of a file runs a task; with inputs, the next up runs it again",
  },
};

/** Keys that a container has no use for where it has no port. */
const ofPortless: Reasons = {
  ...ofName,
  lazy: "without a port it has no address, so that no request could start it",
  idle_timeout: "without a port it receives no requests, so that it is never idle",
};

/** Keys that a container has no use for where several of it run. */
const ofInstances: Reasons = {
  volumes: "several instances would share their data; leave out instances, or the volumes",
};

const ofBuildpacks: Reasons = {
  inputs:
    "buildpacks look at the whole folder by themselves; project.toml says what is not part of it",
};

/** A build that is a command has inputs, whatever runs after it. */
function ofBuilt(type: ServiceSpec["type"], { build }: BuiltSpec): Reasons {
  const { inputs: _, ...others } = byType[type];
  return build.kind === "command" || type === "task" ? others : { ...others, ...ofBuildpacks };
}

/** Key -> why a service of that kind has no use for it. */
export function senseless({ type, own }: Pick<ServiceSpec, "type" | "own">): Reasons {
  if (own?.kind === "built") return ofBuilt(type, own);
  if (own?.kind !== "container" || own.inside !== undefined) return byType[type];
  return { ...byType[type], ...ofPortless };
}

export function reportSenseless(
  { entries }: Table,
  { type, own, mistakes }: Pick<ServiceSpec, "type" | "own"> & { mistakes: Mistakes },
): void {
  const several = own?.kind === "container" && entries.has("instances") ? ofInstances : {};
  for (const [key, why] of Object.entries({ ...senseless({ type, own }), ...several })) {
    const node = entries.get(key);
    if (node !== undefined && node.kind !== "bad" && !isOff(node)) mistakes.add(node, why);
  }
}

/** `lazy = false` is what it is anyway. */
function isOff(node: Node): boolean {
  return node.kind === "leaf" && node.value === false;
}
