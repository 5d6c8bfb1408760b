/** A server -> what the guard has refused for it since the daemon started; nothing where it has refused nothing. */
import { ask } from "../../control/found/client.ts";
import type { ServiceDetail } from "../../routes/service-report.ts";
import { counted } from "../../text/counted.ts";
import { shownDuration } from "../../text/duration.ts";
import { passed, type Step } from "./step.ts";

/** Milliseconds for an answer, without which nothing is said. */
const patience = 1000;

/** A refused request is no failure on the way: the person's own come through. */
export async function guarded(
  name: string,
  { socket, configFile }: { socket: string; configFile: string },
): Promise<Step | undefined> {
  const request = { Service: { name } };
  const asked = await ask<{ Service?: ServiceDetail } | null>(socket, request, {
    deadline: patience,
  });
  const all = (asked.kind === "reply" ? asked.value?.Service?.denials : undefined) ?? [];
  const [last] = all;
  if (last === undefined) return undefined;
  const count = all.reduce((sum, its) => sum + its.count, 0);
  const [what] = last.message.split("; to allow it: ");
  const age = shownDuration(Math.max(0, Date.now() - Date.parse(last.last_at)));
  const detail = `${counted(count, "request")} of other sites' pages; the last, ${age} ago, was ${what}`;
  const file = last.file.replace(/(?<= of )config\.toml$/, configFile);
  return passed("guard", detail, `${last.allow} in ${file} allows it`);
}
