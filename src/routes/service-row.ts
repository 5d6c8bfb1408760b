/** A service -> the JSON row that `ls --json` and the front page show. */
import type { ServiceCheckout } from "./checkout.ts";
import { isSocketPath } from "../text/place.ts";
import type { Service } from "./service.ts";

export type ServiceRow = {
  name: string;
  /** Null if the name cannot be used in an address; `warnings` says why. */
  url: string | null;
  /** An address, a host, or the path of a unix socket. */
  address: string;
  /** Null for a unix socket. */
  port: number | null;
  /** Null where no process of this machine is known. */
  pid: number | null;
  pids: readonly number[];
  ports: readonly number[];
  command: string;
  cwd: string | null;
  /** ISO 8601, UTC; null if nobody can tell. */
  started_at: string | null;
  source: Service["source"];
  /** A clause on where the name is from. */
  because: string | null;
  /** The git checkout that it runs in; null: none. */
  checkout: CheckoutRow | null;
  /** The plain name that can show it, beside other checkouts, and whether all browsers see it there; null: none. */
  origin: { name: string; shown: boolean } | null;
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
  const { process, endpoint } = service;
  const startedAt = process?.startedAt ?? service.startedAt;
  return {
    name: service.name,
    url: service.routable ? serviceUrl(service.name, port) : null,
    address: endpoint.address,
    port: isSocketPath(endpoint.address) ? null : endpoint.port,
    pid: process?.pid ?? null,
    pids: service.pids,
    ports: service.ports,
    command: service.command,
    cwd: service.cwd ?? null,
    started_at: startedAt === undefined ? null : new Date(startedAt).toISOString(),
    source: service.source,
    because: service.because ?? null,
    checkout: checkoutRow(service.checkout),
    origin: service.origin ?? null,
    warnings: service.warnings,
  };
}
