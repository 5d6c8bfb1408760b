/** A service -> the JSON row that `ls --json` and the front page show. */
import type { Service } from "./service.ts";

export type ServiceRow = {
  name: string;
  /** Null where the name cannot be an address; `warnings` says why. */
  url: string | null;
  address: string;
  port: number;
  pid: number;
  pids: readonly number[];
  ports: readonly number[];
  command: string;
  cwd: string | null;
  /** ISO 8601, UTC. */
  startedAt: string;
  source: Service["source"];
  warnings: readonly string[];
};

/** `http://api.localhost:9090`, no final slash, so that a path can follow. `port` is the proxy's. */
export function serviceUrl(name: string, port: number): string {
  return `http://${name}.localhost${port === 80 ? "" : `:${port}`}`;
}

/** The same by https. */
export function secureUrl(name: string, port: number): string {
  return `https://${name}.localhost${port === 443 ? "" : `:${port}`}`;
}

/** `port` is the proxy's. */
export function serviceRow(service: Service, port: number): ServiceRow {
  const { pid, startedAt } = service.process;
  return {
    name: service.name,
    url: service.routable ? serviceUrl(service.name, port) : null,
    address: service.endpoint.address,
    port: service.endpoint.port,
    pid,
    pids: service.pids,
    ports: service.ports,
    command: service.command,
    cwd: service.cwd ?? null,
    startedAt: new Date(startedAt).toISOString(),
    source: service.source,
    warnings: service.warnings,
  };
}
