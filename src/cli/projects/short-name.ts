/** A service's id, `shop:api` -> the name that is shown: without the project where that is clear. Pure. */
import type { Row } from "./asking.ts";

/** For the services of one project, however it is named. */
export function nameWithin(id: string): string {
  return id.slice(id.indexOf(":") + 1);
}

/** For rows of any projects: the project is left out where all belong to the same one. */
export function nameAmong(rows: readonly Row[]): (id: string) => string {
  const one = new Set(rows.map((row) => row.project)).size === 1;
  return (id) => (one ? nameWithin(id) : id);
}
