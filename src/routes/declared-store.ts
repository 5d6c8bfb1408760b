/** A project's store -> the name that it would have if it spoke HTTP, and the protocol that it speaks instead. Pure. */
import type { Supervised } from "./supervised.ts";

const protocols: Partial<Record<Supervised["type"], string>> = {
  postgres: "PostgreSQL",
  redis: "Redis",
  valkey: "Redis",
  mysql: "MySQL",
  mariadb: "MySQL",
  mongodb: "MongoDB",
};

/** Undefined: a service of another kind. */
export function storeProtocol({ type }: Pick<Supervised, "type">): string | undefined {
  return protocols[type];
}

/** `cache.shop`. Undefined: a service of another kind. */
export function storeName(its: Supervised): string | undefined {
  if (storeProtocol(its) === undefined || its.routeName !== undefined) return undefined;
  // The project's domain is its own name and a top-level domain.
  return `${its.service}.${its.domain.slice(0, its.domain.lastIndexOf("."))}`;
}
