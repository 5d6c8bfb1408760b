/** Services that were found and services that are supervised -> the rows of `Status`. */
import type { ServiceSpec } from "../../manifest/project.ts";
import { ownText } from "../../manifest/types/own-text.ts";
import type { DenialReport } from "../../routes/denial.ts";
import { isoTime, jsonForm } from "../../routes/json-form.ts";
import type { FoundStatus, StatusRow, SupervisedStatus } from "../../routes/project-report.ts";
import type { Service } from "../../routes/service.ts";
import { serviceRow } from "../../routes/service-row.ts";
import { stateSentence } from "../../routes/state-sentence.ts";
import { isAddressed, type Supervised, type SupervisedState } from "../../routes/supervised.ts";
import type { Taken } from "../../supervisor/family/usage-gauge.ts";
import type { Backend } from "./command.ts";

/** Services of projects first, then services that were started by hand. */
export async function statusRows({
  facts,
  services,
  projects,
  traffic,
}: Pick<Backend, "facts" | "services" | "projects" | "traffic">): Promise<StatusRow[]> {
  const usage = (await projects?.usage.read()) ?? new Map<string, Taken>();
  const supervised = projects?.snapshots() ?? [];
  // By what is known of each alone: while a daemon takes services over it has their snapshots, and no more.
  const addressIn = (domain: string, routeName: string | undefined) =>
    routeName === undefined ? undefined : projects?.addressOf(routeName, domain);
  const rows = supervised.map((its) =>
    supervisedStatus(its, {
      spec: projects?.specOf(its.id),
      age: projects?.ageOf(its.id),
      taken: usage.get(its.id),
      address: addressIn(its.domain, its.routeName),
      shared: addressIn(its.domain, its.instance?.routeName),
      denied: its.routeName === undefined ? 0 : traffic.counts(its.routeName).denied,
      denials: its.routeName === undefined ? [] : traffic.denials(its.routeName),
    }),
  );
  const ours = new Set(
    supervised.flatMap(({ routeName, pid }) =>
      routeName !== undefined && pid !== undefined ? [routeName] : [],
    ),
  );
  const { httpPort, port } = facts();
  return [
    ...rows,
    ...services()
      .filter((its) => !ours.has(its.name))
      .map((its) => statusOf(its, httpPort ?? port)),
  ];
}

function statusOf(service: Service, proxyPort: number): FoundStatus {
  const { name, url, port, pid, cwd, command, started_at, warnings } = serviceRow(
    service,
    proxyPort,
  );
  return {
    name,
    pid,
    port,
    status: "running",
    url,
    domain: url === null ? null : `${name}.localhost`,
    health_status: "Unknown",
    health_source: "None",
    path: cwd,
    workspace: null,
    constellation: null,
    warnings,
    started_at,
    command,
  };
}

const healthOf: Record<SupervisedState, SupervisedStatus["health_status"]> = {
  stopped: "Unknown",
  starting: "Starting",
  running: "Starting",
  ready: "Healthy",
  unready: "Unhealthy",
  stopping: "Unknown",
  exited: "Unknown",
  completed: "Unknown",
  backoff: "Unhealthy",
  failed: "Unhealthy",
};

type Known = {
  spec: ServiceSpec | undefined;
  /** Milliseconds. */
  age: number | undefined;
  taken: Taken | undefined;
  address: { url: string; domain: string } | undefined;
  /** The address of all instances. */
  shared: { url: string } | undefined;
  denied: number;
  denials: readonly DenialReport[];
};

function supervisedStatus(
  its: Supervised,
  { spec, age, taken, address, shared, denied, denials }: Known,
): SupervisedStatus {
  // A site has no process.
  const running = its.pid !== undefined || its.socket !== undefined;
  // The process here is the engine's client: its own use says nothing of the container.
  const isMeasured = running && spec?.own?.kind !== "container";
  return {
    name: its.id,
    pid: its.pid ?? null,
    port: its.port ?? null,
    status: running ? "running" : "stopped",
    // Nobody is sent to one that need not listen, and does not.
    url: isAddressed(its) ? (address?.url ?? null) : null,
    domain: address?.domain ?? null,
    health_status: healthOf[its.state],
    health_source: sourceOf(spec),
    path: its.directory,
    workspace: null,
    constellation: null,
    warnings: its.warnings,
    started_at: isoTime(its.startedAt),
    command: spec?.own === undefined ? (spec?.command ?? "") : ownText(spec.own, spec.command),
    project: its.project,
    service: its.service,
    route_name: its.routeName ?? null,
    type: its.type,
    state: its.state,
    why: its.why ?? null,
    message: stateSentence(its),
    says: its.status ?? null,
    ready: its.state === "ready",
    ready_at: isoTime(its.readyAt),
    uptime: its.startedAt === undefined || age === undefined ? null : Math.round(age),
    restarts: its.restarts,
    exit: its.lastExit === undefined ? null : jsonForm(its.lastExit),
    cpu: isMeasured ? (taken?.cpu ?? null) : null,
    memory: isMeasured ? (taken?.memory ?? null) : null,
    memory_limit: spec?.limits.memory ?? null,
    denied,
    denials: jsonForm(denials),
    lazy: its.lazy,
    next_run: isoTime(its.nextRun),
    instance: instanceOf(its, shared),
    plugin: its.plugin ?? null,
    pending: its.pending ?? null,
  };
}

function instanceOf(
  { instance }: Supervised,
  shared: { url: string } | undefined,
): SupervisedStatus["instance"] {
  if (instance === undefined) return null;
  const { of, number, routeName } = instance;
  return { of, number, route_name: routeName ?? null, url: shared?.url ?? null };
}

function sourceOf(spec: ServiceSpec | undefined): SupervisedStatus["health_source"] {
  const kind = spec?.health?.ask.kind;
  // A store is asked in its own protocol.
  if (kind === undefined && (spec?.own?.kind === "postgres" || spec?.own?.kind === "store")) {
    return "Tcp";
  }
  if (kind === "http" || kind === "https") return "Http";
  if (kind === "tcp") return "Tcp";
  if (kind === "command") return "Command";
  return spec?.readyPattern === undefined ? "None" : "Log";
}
