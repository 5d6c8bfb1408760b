/** A service that runs, is not ready, and has no deadline in its file -> how long `up` waits, and what it says then. */
import { type ServiceSpec, usualStartTimeout } from "../../manifest/project.ts";
import { shownDuration } from "../../text/duration.ts";

/** Milliseconds for which somebody waits for it: as long as for a start whose readiness is recognized. */
export const slowPatience = usualStartTimeout;

/** The keys of a file that help, after the name of the service. */
export function slowText(
  { type }: Pick<ServiceSpec, "type">,
  { waited, why }: { waited: number; why: string | undefined },
): string {
  const what = why === undefined ? "" : `: it ${why}`;
  const never = type === "exec" ? ', type = "worker" (it has no port)' : "";
  return (
    `runs and is not ready after ${shownDuration(waited)}${what}. It goes on, and what waits for it starts later. ` +
    `Keys that help: start_timeout = "5m" (up waits longer), health_check or ready_pattern (another sign)${never}`
  );
}
