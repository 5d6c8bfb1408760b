/** A service's id, `shop:api` -> the name that is shown: without the project where that is clear. Pure. */
import type { Row } from "./asking.ts";

/** For the services of one project. */
export function nameWithin({ name }: { name: string }): (id: string) => string {
  return (id) => (id.startsWith(`${name}:`) ? id.slice(name.length + 1) : id);
}

/** For rows of any projects: the project is left out where all belong to the same one. */
export function nameAmong(rows: readonly Row[]): (id: string) => string {
  const one = new Set(rows.map((row) => row.project)).size === 1;
  return (id) => (one ? id.slice(id.indexOf(":") + 1) : id);
}
