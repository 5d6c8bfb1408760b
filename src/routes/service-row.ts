/** A service -> the JSON row that `ls --json` and the front page show. */
import type { ServiceCheckout } from "./checkout.ts";
import type { Service } from "./service.ts";

export type ServiceRow = {
  name: string;
  /** Null if the name cannot be used in an address; `warnings` says why. */
  url: string | null;
  address: string;
  port: number;
  pid: number;
  pids: readonly number[];
  ports: readonly number[];
  command: string;
  cwd: string | null;
  /** ISO 8601, UTC. */
  started_at: string;
  source: Service["source"];
  /** The git checkout that it runs in; null: none. */
  checkout: CheckoutRow | null;
  warnings: readonly string[];
};

export type CheckoutRow = {
  repository: string;
  root: string;
  /** Null in the main checkout. */
  label: string | null;
  branch: string | null;
};

export type Scheme = "http" | "https";

/** The proxy's port in URLs, for each scheme. */
export type UrlPorts = Readonly<Record<Scheme, number>>;

export const defaultPorts: UrlPorts = { http: 80, https: 443 };

/**
 * For example `https://api.localhost:9090`: without a trailing slash, so that a path can follow, and without a default
 * port.
 */
export function originOf(host: string, { scheme, port }: { scheme: Scheme; port: number }): string {
  return `${scheme}://${host}${port === defaultPorts[scheme] ? "" : `:${port}`}`;
}

/** For example `http://api.localhost:9090`. `port` is the proxy's port in http URLs. */
export function serviceUrl(name: string, port: number): string {
  return originOf(`${name}.localhost`, { scheme: "http", port });
}

/** `port` is the proxy's port in https URLs. */
export function secureUrl(name: string, port: number): string {
  return originOf(`${name}.localhost`, { scheme: "https", port });
}

function checkoutRow(checkout: ServiceCheckout | undefined): CheckoutRow | null {
  if (checkout === undefined) return null;
  const { repository, root, label = null, branch = null } = checkout;
  return { repository, root, label, branch };
}

/** `port` is the proxy's port in http URLs. */
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
    started_at: new Date(startedAt).toISOString(),
    source: service.source,
    checkout: checkoutRow(service.checkout),
    warnings: service.warnings,
  };
}
