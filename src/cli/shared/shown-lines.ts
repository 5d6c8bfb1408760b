/** Services -> the lines that say which worktree the plain names show, while one is chosen for all browsers. Pure. */
import type { Service } from "../../routes/service.ts";
import { listed } from "../../text/list.ts";
import { printable } from "../../text/printable.ts";
import { remarkLines } from "./remark.ts";
import type { RowOptions } from "./rows.ts";

/** Names in one line. */
const most = 6;

export function shownLines(
  services: readonly Service[],
  { columns, colors }: Pick<RowOptions, "columns" | "colors">,
): string[] {
  const shown = new Map<string, string[]>();
  const seen = new Set<string>();
  const hidden = new Set<string>();
  for (const { origin, checkout } of services) {
    if (origin === undefined) continue;
    const { label } = checkout ?? {};
    if (origin.shown) seen.add(origin.name);
    if (origin.shown && label !== undefined) {
      const names = shown.get(label) ?? [];
      shown.set(label, names);
      names.push(origin.name);
    } else if (!origin.shown) hidden.add(origin.name);
  }
  const lost = [...hidden.difference(seen)];
  const lines = [...shown].map(([label, names]) => {
    const verb = names.length === 1 ? "shows" : "show";
    return `${hosts(names)} ${verb} ${printable(label, 63)} in all browsers; localhostess use -- ends it`;
  });
  if (lost.length > 0) {
    const verb = lost.length === 1 ? "is" : "are";
    lines.push(
      `${hosts(lost)} ${verb} to show a worktree in which no such server runs; localhostess use -- ends it`,
    );
  }
  return lines.flatMap((line) => remarkLines(`* ${line}`, { columns, paint: colors.cyan }));
}

function hosts(names: readonly string[]): string {
  return listed(
    names.map((name) => `${name}.localhost`),
    { most },
  );
}
