/** The references of all services -> the errors of those to what the other service does not give. Pure. */
import { listed } from "../../text/list.ts";
import { hasPort, type ServiceSpec } from "../project.ts";
import { referenceText } from "../reference.ts";
import { giftFields } from "../types/gifts.ts";
import { furtherField } from "../types/own.ts";
import type { Groups } from "./groups.ts";
import type { Mistakes } from "./mistakes.ts";
import type { Declared } from "./service.ts";

export function reportUnreachable(
  declared: readonly Declared[],
  { groups, mistakes, warnings }: { groups: Groups; mistakes: Mistakes; warnings: Mistakes },
): void {
  const byName = new Map(
    declared.flatMap(({ spec }) =>
      [spec.name, ...(groups.get(spec.name) ?? [])].map((name) => [name, spec] as const),
    ),
  );
  for (const { reference, inCommand, ...at } of declared.flatMap(({ references }) => references)) {
    const its = byName.get(reference.name);
    if (its === undefined) continue;
    const why = missing(its, reference);
    const report = (to: Mistakes, what: string): void =>
      to.add(at, `${referenceText(reference)}: ${what}`);
    if (why !== undefined) report(mistakes, why);
    else if (inCommand && isSecret(its, reference.field)) {
      report(warnings, "everybody on this machine can read the words of a command; use a variable");
    }
  }
}

/** True for a field with the password in it. */
function isSecret({ type }: ServiceSpec, field: string): boolean {
  if (!giftFields[type].includes("password")) return false;
  return field === "password" || (field === "url" && type !== "minio");
}

/** A service that cannot be started says so itself. */
function missing(
  { name, type, own, port, unusable }: ServiceSpec,
  { field }: { field: string },
): string | undefined {
  if (unusable !== undefined || field === "host") return undefined;
  const further = own?.kind === "container" ? own.ports.map(furtherField) : [];
  if (further.includes(field)) return undefined;
  const what = `${name} is ${/^[aeiou]/.test(type) ? "an" : "a"} ${type}`;
  // A site without a port of its own has the address that the proxy gives it.
  if (type !== "site" && !hasPort({ type, own, port })) return `${what} and has no port`;
  const fields = [...giftFields[type], ...further];
  return fields.includes(field)
    ? undefined
    : `${what}, which has no ${field}; its fields are ${listed(fields)}`;
}
