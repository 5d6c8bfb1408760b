/** The references of all services -> the errors of those to what the other service does not give. Pure. */
import { listed } from "../../text/list.ts";
import { hasPort, type ServiceSpec } from "../project.ts";
import { referenceText } from "../reference.ts";
import { giftFields } from "../types/gifts.ts";
import type { Groups } from "./groups.ts";
import type { Mistakes } from "./mistakes.ts";
import type { Declared } from "./service.ts";

export function reportUnreachable(
  declared: readonly Declared[],
  { groups, mistakes }: { groups: Groups; mistakes: Mistakes },
): void {
  const byName = new Map(
    declared.flatMap(({ spec }) =>
      [spec.name, ...(groups.get(spec.name) ?? [])].map((name) => [name, spec] as const),
    ),
  );
  for (const { reference, ...at } of declared.flatMap(({ references }) => references)) {
    const its = byName.get(reference.name);
    const why = its === undefined ? undefined : missing(its, reference);
    if (why !== undefined) mistakes.add(at, `${referenceText(reference)}: ${why}`);
  }
}

/** A service that cannot be started says so itself. */
function missing(
  { name, type, own, port, unusable }: ServiceSpec,
  { field }: { field: string },
): string | undefined {
  if (unusable !== undefined || field === "host") return undefined;
  const what = `${name} is ${/^[aeiou]/.test(type) ? "an" : "a"} ${type}`;
  // A site without a port of its own has the address that the proxy gives it.
  if (type !== "site" && !hasPort({ type, own, port })) return `${what} and has no port`;
  const fields = giftFields[type];
  return fields.includes(field)
    ? undefined
    : `${what}, which has no ${field}; its fields are ${listed(fields)}`;
}
