/** A look at the machine -> sentences for a person, beside the table. Pure. */
import { commonNameText } from "../../routes/common-name.ts";
import { remoteStateText, remoteText } from "../../routes/remote-report.ts";
import { dotenvText, folderText } from "../../routes/unusable.ts";
import type { Supervised } from "../../routes/supervised.ts";
import { listed } from "../../text/list.ts";
import { printable } from "../../text/printable.ts";
import { type Sight, unusableIn } from "../shared/look.ts";
import type { Settings } from "../shared/settings.ts";
import { absentNotes } from "./absent-notes.ts";

/** The sentences that go with the table. */
export function notes(
  sight: Sight,
  settings: Pick<Settings, "verbose" | "json" | "infer">,
): string[] {
  const lines: string[] = [];
  if (settings.verbose) lines.push(...skippedNotes(sight));
  if (settings.json) return lines;
  const nameless = unusableIn(sight).some(({ fault }) => fault.kind !== "bad name");
  if (nameless) lines.push(settings.infer ? `${dotenvText}${folderText}` : dotenvText);
  else if (sight.services.length === 0 && elsewhere(sight).length === 0) {
    lines.push("no server has a NAME yet; try: NAME=api bun dev");
  }
  lines.push(...(sight.scan.common ?? []).map(commonNameText));
  const answered = elsewhere(sight);
  if (answered.length > 0) {
    const names = listed(
      answered.map(({ routeName }) => printable(routeName!, 100)),
      { most: 12 },
    );
    const are =
      answered.length === 1
        ? "runs in a container or in the daemon"
        : "run in containers or in the daemon";
    lines.push(`${names} ${are}, and so no process is listed; see: localhostess status --all`);
  }
  lines.push(...absentNotes(sight.supervised), ...remoteNotes(sight));
  if (sight.proxy === undefined && !sight.trouble) {
    lines.push("the proxy is not running; start it with: localhostess server start");
  }
  return lines;
}

/** Services of projects that answer by their name without a process of theirs that listens. */
function elsewhere({ supervised, services }: Sight): Supervised[] {
  const known = new Set(services.map(({ name }) => name));
  return supervised.filter(
    ({ type, state, routeName }) =>
      (type === "container" || type === "site") &&
      (state === "ready" || state === "running") &&
      routeName !== undefined &&
      !known.has(routeName),
  );
}

/** Machines whose servers are not in the table, because they are not connected. */
function remoteNotes({ remotes = [] }: Sight): string[] {
  return remotes
    .filter(({ state }) => state !== "up" && state !== "idle")
    .map((its) => {
      const fix = its.fix === undefined ? "" : `; ${its.fix}`;
      return printable(`${remoteText(its)}: ${remoteStateText(its)}${fix}`, 700);
    });
}

function skippedNotes({ scan }: Sight): string[] {
  return scan.skipped.map(({ pid, why }) =>
    printable(`skipped ${pid === undefined ? "a socket" : `process ${pid}`}: ${why}`),
  );
}
