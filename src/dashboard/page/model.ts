/** The daemon's reports and events -> the values that the page shows. Pure. */

import type { JsonForm } from "../../routes/json-form.ts";
import type { ServiceChange, ServiceCounts, ServiceReport } from "../../routes/service-report.ts";
import type { RecordedRequest } from "../../routes/traffic.ts";

/** A request as the daemon reports it. */
export type SeenRequest = JsonForm<RecordedRequest>;

/** Requests that the detail view lists. */
export const shownRequests = 100;

/** A row keeps its key for as long as its process lives. A name that cannot be routed may occur twice. */
export function keyOf(service: ServiceReport): string {
  return service.url === null ? `${service.name} ${service.pid}` : service.name;
}

export function sorted(services: readonly ServiceReport[]): readonly ServiceReport[] {
  return [...services].sort(
    (a, b) => Number(a.url === null) - Number(b.url === null) || compare(a.name, b.name),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function afterChange(
  services: readonly ServiceReport[],
  { change, service }: ServiceChange,
): readonly ServiceReport[] {
  const others = services.filter((other) => keyOf(other) !== keyOf(service));
  return change === "gone" ? others : sorted([...others, service]);
}

/** Whether a request counts as an error. A stream that ends is none. */
export function isBad({ status, stream }: Pick<RecordedRequest, "status" | "stream">): boolean {
  return status >= 500 || (status === 0 && !stream);
}

/** A request has ended. The median of its service stays until the next refresh. */
export function afterRequest(
  services: readonly ServiceReport[],
  request: SeenRequest,
): readonly ServiceReport[] {
  return services.map((service) => {
    if (service.name !== request.service) return service;
    const { traffic } = service;
    const per_second = [...traffic.per_second];
    per_second[per_second.length - 1]! += 1;
    const failed = isBad(request);
    return {
      ...service,
      traffic: {
        ...traffic,
        requests: traffic.requests + 1,
        errors: traffic.errors + (failed ? 1 : 0),
        median_milliseconds:
          traffic.median_milliseconds ?? (request.stream ? null : request.milliseconds),
        per_second,
      },
    };
  });
}

export function afterCounts(
  services: readonly ServiceReport[],
  { service: name, counts }: JsonForm<ServiceCounts>,
): readonly ServiceReport[] {
  return services.map((service) =>
    service.name === name ? { ...service, traffic: counts } : service,
  );
}

/** Seconds go by. Services without recent requests stay the same value. */
export function afterSeconds(
  services: readonly ServiceReport[],
  seconds: number,
): readonly ServiceReport[] {
  if (seconds <= 0) return services;
  return services.map((service) => {
    const { per_second } = service.traffic;
    if (per_second.every((count) => count === 0)) return service;
    const passed = Math.min(seconds, per_second.length);
    const forward = [...per_second.slice(passed), ...Array<number>(passed).fill(0)];
    return { ...service, traffic: { ...service.traffic, per_second: forward } };
  });
}

/** Searches all parts of a row. Several words must all match. */
export function matching(
  services: readonly ServiceReport[],
  query: string,
): readonly ServiceReport[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return services;
  return services.filter((service) => {
    const { name, command, cwd, ports, pids } = service;
    const text = [name, command, cwd ?? "", ...ports, ...pids].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** The newest first, each once. */
export function withRequests(
  known: readonly SeenRequest[],
  more: readonly SeenRequest[],
): readonly SeenRequest[] {
  const byId = new Map<number, SeenRequest>();
  for (const request of [...known, ...more]) byId.set(request.id, request);
  return [...byId.values()].sort((a, b) => b.id - a.id).slice(0, shownRequests);
}
