/** The daemon's state -> its reports: services with their traffic, the daemon itself, everything a scan found. */
import type { ObservedProcess, Scan } from "../../discovery/observation.ts";
import type { ConfiguredList } from "../../manifest/name-settings.ts";
import { isoTime, jsonForm } from "../../routes/json-form.ts";
import type { RemoteReport } from "../../routes/remote-report.ts";
import type { Service } from "../../routes/service.ts";
import type {
  NamelessReport,
  ServiceDetail,
  ServiceProcess,
  ServiceReport,
} from "../../routes/service-report.ts";
import { secureUrl, serviceRow } from "../../routes/service-row.ts";
import type { Supervised } from "../../routes/supervised.ts";
import { unusableText } from "../../routes/unusable.ts";
import type { WaitingName } from "../../routes/waiting-name.ts";
import type { Facts } from "../found/protocol.ts";
import type { Backend } from "./command.ts";
import type { DaemonReport, Snapshot } from "./daemon-report.ts";
import { noService } from "./no-service.ts";

export function report(
  service: Service,
  { facts, traffic }: Pick<Backend, "facts" | "traffic">,
): ServiceReport {
  const its = facts();
  const row = serviceRow(service, its.httpPort ?? its.port);
  const secured = service.routable ? secureUrl(service.name, its.httpsPort ?? its.port) : null;
  return { ...row, secure_url: secured, traffic: jsonForm(traffic.counts(service.name)) };
}

export function reports(backend: Backend): ServiceReport[] {
  return backend.services().map((service) => report(service, backend));
}

/** The servers that no name leads to, by port. */
export function namelessOf({ nameless }: Backend): NamelessReport[] {
  return (nameless?.() ?? []).map((its) => ({
    pid: its.pid,
    port: its.port,
    ports: its.ports,
    command: its.command,
    cwd: its.cwd ?? null,
    started_at: isoTime(its.startedAt),
    fault: its.fault.kind,
    message: unusableText(its),
  }));
}

export function snapshotOf(backend: Backend): Snapshot {
  const supervised = backend.projects?.snapshots() ?? [];
  return { daemon: daemonOf(backend), services: reports(backend), supervised };
}

export function daemonOf({ facts, gauges }: Backend): DaemonReport {
  const its = facts();
  return {
    ...its,
    log: its.log ?? null,
    uptime: Math.round(performance.now()),
    ...gauges(),
  };
}

/** Requests in the detail of a service. */
const requestsInDetail = 100;

export function detailOf(name: string, backend: Backend): ServiceDetail {
  const wanted = name.toLowerCase().replace(/\.localhost$/, "");
  const services = backend.services();
  const service = services.find((its) => its.name.toLowerCase() === wanted);
  if (service === undefined) throw noService(name, services);
  const { observations, processes } = backend.scan();
  return {
    ...report(service, backend),
    processes: service.pids.map((pid) => ({
      ...processOf(pid, processes),
      listening: observations
        .filter((seen) => seen.pids.includes(pid))
        .map(({ address, port }) => ({ address, port })),
    })),
    denials: jsonForm(backend.traffic.denials(service.name)),
    requests: jsonForm(backend.traffic.recent({ service: service.name, limit: requestsInDetail })),
  };
}

function processOf(
  pid: number,
  processes: ReadonlyMap<number, ObservedProcess>,
): Omit<ServiceProcess, "listening"> {
  const seen = processes.get(pid);
  return {
    pid,
    parent: seen?.parent ?? null,
    command: seen?.command ?? null,
    cwd: seen?.cwd ?? null,
    started_at: isoTime(seen?.startedAt),
  };
}

/** The answer to `Look`, before it has its form in JSON. `Map`s are lists here: JSON has none. */
export type SeenSight = {
  daemon: Facts;
  services: readonly Service[];
  /** Absent in the answer of an older daemon. */
  supervised?: readonly Supervised[];
  /** Absent in the same way. */
  remotes?: readonly RemoteReport[];
  /** The words of config.toml on names; absent as above. */
  configured?: ConfiguredList | undefined;
  waiting?: readonly WaitingName[];
  scan: {
    observations: Scan["observations"];
    processes: readonly ObservedProcess[];
    skipped: Scan["skipped"];
    unowned?: Scan["unowned"];
    common?: Scan["common"];
  };
};

export function sightOf(
  backend: Backend,
  { local = false }: { local?: boolean | undefined } = {},
): SeenSight {
  const { observations, processes, skipped, unowned, common } = backend.scan();
  const services = backend.services();
  return {
    daemon: backend.facts(),
    services: local ? services.filter(({ source }) => source !== "remote") : services,
    remotes: local ? [] : (backend.remotes?.reports() ?? []),
    supervised: backend.projects?.snapshots() ?? [],
    configured: backend.configured?.(),
    waiting: backend.waiting?.() ?? [],
    scan: { observations, processes: [...processes.values()], skipped, unowned, common },
  };
}
