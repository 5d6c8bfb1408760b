/** A look at the machine -> sentences for a person, beside the table. Pure. */
import { commonNameText } from "../../routes/common-name.ts";
import { remoteStateText, remoteText } from "../../routes/remote-report.ts";
import { dotenvText, folderText } from "../../routes/unusable.ts";
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
  else if (sight.services.length === 0) {
    lines.push("no server has a NAME yet; try: NAME=api bun dev");
  }
  lines.push(...(sight.scan.common ?? []).map(commonNameText));
  lines.push(...absentNotes(sight.supervised), ...remoteNotes(sight));
  if (sight.proxy === undefined && !sight.trouble) {
    lines.push("the proxy is not running; start it with: localhostess server start");
  }
  return lines;
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
