/** A look at the machine -> sentences for a person, beside the table. Pure. */
import { counted } from "../../text/counted.ts";
import { listed } from "../../text/list.ts";
import { basename } from "node:path";
import { printable } from "../../text/printable.ts";
import { type Sight, unnamedOf } from "../shared/look.ts";
import type { Settings } from "../shared/settings.ts";

/** Unnamed servers that the hint names. */
const mostUnnamed = 5;

/** The sentences that go with the table. */
export function notes(sight: Sight, settings: Pick<Settings, "verbose" | "json">): string[] {
  const lines: string[] = [];
  if (settings.verbose) lines.push(...skippedNotes(sight));
  if (settings.json) return lines;
  if (sight.services.length === 0) {
    lines.push("no server has a NAME yet; try: NAME=api bun dev");
    const hint = unnamedNote(sight);
    if (hint !== undefined) lines.push(hint);
  }
  if (sight.proxy === undefined && !sight.unusable) {
    lines.push("the proxy is not running; start it with: localhostess server start");
  }
  return lines;
}

function skippedNotes({ scan }: Sight): string[] {
  return scan.skipped.map(({ pid, why }) =>
    printable(`skipped ${pid === undefined ? "a socket" : `process ${pid}`}: ${why}`),
  );
}

/** "2 servers listen without a NAME: node :3000 pid 17, python3 :8000 pid 23". */
function unnamedNote(sight: Sight): string | undefined {
  const unnamed = unnamedOf(sight);
  if (unnamed.length === 0) return undefined;
  const count = counted(unnamed.length, "server listens", "servers listen");
  const shown = unnamed.map(({ process, port }) => {
    const program = printable(basename(process.command.split(" ")[0] ?? ""), 30);
    return `${program} :${port} pid ${process.pid}`;
  });
  return `${count} without a NAME: ${listed(shown, { most: mostUnnamed })}`;
}
