/** Keys of a service that its type has no use for -> the reason why, at each. Pure. */
import type { Node, Table } from "../layer.ts";
import { settingKeys } from "../name-settings.ts";
import type { ServiceSpec } from "../project.ts";
import type { Mistakes } from "./mistakes.ts";

type Reasons = Readonly<Record<string, string>>;

const noAddress = "it has no address, so that no request reaches it";

/** The keys that say how requests to a name are treated. */
const ofName: Reasons = Object.fromEntries(
  Object.keys(settingKeys).map((key) => [key, noAddress] as const),
);

const ofWorker: Reasons = {
  ...ofName,
  port: "a worker has no port; only an exec service has one",
  lazy: "a worker has no address, so that no request could start it",
  idle_timeout: "a worker receives no requests, so that it is never idle",
  inputs: "only a task has inputs; watch restarts a worker when a file changes",
};

const ofServer: Reasons = {
  inputs: "only a task has inputs; watch restarts a service when a file changes",
};

/** Reasons for a store that speaks something else than HTTP. */
const ofStore: Reasons = {
  ...ofName,
  lazy: "it has no address, so that no request could start it",
  idle_timeout: "it receives no requests, so that it is never idle",
  instances: "two of it would share their data",
  ...ofServer,
};

const byType: Record<ServiceSpec["type"], Reasons> = {
  exec: ofServer,
  process: ofServer,
  worker: ofWorker,
  postgres: ofStore,
  redis: ofStore,
  valkey: ofStore,
  mysql: ofStore,
  mariadb: ofStore,
  mongodb: ofStore,
  minio: ofServer,
  mailpit: ofServer,
  container: ofServer,
  site: ofServer,
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

export function reportSenseless(
  { entries }: Table,
  { type, mistakes }: { type: ServiceSpec["type"]; mistakes: Mistakes },
): void {
  for (const [key, why] of Object.entries(byType[type])) {
    const node = entries.get(key);
    if (node !== undefined && node.kind !== "bad" && !isOff(node)) mistakes.add(node, why);
  }
}

/** `lazy = false` is what it is anyway. */
function isOff(node: Node): boolean {
  return node.kind === "leaf" && node.value === false;
}
