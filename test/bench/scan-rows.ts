/** The scan bench's figures into rows with their targets. */
import { benchScan } from "./scan.ts";
import type { Measured } from "./table.ts";

/** What that bench calls a scan -> what we call it here. */
const kinds: Record<string, string> = {
  "procfs, first scan": "first",
  "procfs, processes younger than 30 s": "later, all young",
  "procfs, settled": "later, settled",
};

export async function measureScan(): Promise<Measured> {
  const figures = new Map(
    (await benchScan()).map(({ label, value }) => [label, Number.parseFloat(value)]),
  );
  const portable = figures.get("portable (lsof and ps)");
  const rows: Measured["rows"] = [];
  for (const [label, kind] of Object.entries(kinds)) {
    const ours = figures.get(label);
    if (ours === undefined || portable === undefined) throw new Error(`scan.ts has no "${label}"`);
    rows.push(
      {
        label: `procfs scan, 500 more processes, ${kind}`,
        unit: "ms",
        ours,
        target: { of: "ours", most: 25 },
      },
      {
        label: `  times cheaper than lsof and ps`,
        unit: "ms",
        ours,
        theirs: portable,
        ratio: portable / ours,
        target: { of: "ratio", least: 10 },
      },
    );
  }
  return { rows, notes: [] };
}
