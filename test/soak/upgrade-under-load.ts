/**
 * `upgrade` to another version, again and again, under load: our own clients (TLS, HTTP/2, the API, new and kept
 * connections), WebSockets, uploads that span upgrades, and a supervised project. By hand:
 * `bun test/soak/upgrade-under-load.ts [rounds, 100] [MiB of an upload, 1024] [seconds of each, 12]`. With
 * `--every 10`, one round of ten is by `upgrade`, the others by the new program's `server restart`. With
 * `--crash <seconds>`, each new daemon fails so long after it has taken over, and the one before goes on; whatever a
 * failed one had accepted is lost then, and only connections that are refused count. Exits 1 where something was lost.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { underUpgrades } from "../support/under-upgrades.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    crash: { type: "string" },
    trial: { type: "string", default: "2s" },
    every: { type: "string", default: "1" },
  },
});
const [rounds = 100, mebibytes = 1024, seconds = 12] = positionals.map(Number);
const prefix = await mkdtemp(join(tmpdir(), "localhostess-upgrades-"));
try {
  const report = await underUpgrades({
    prefix,
    rounds,
    upgradeEvery: Number(values.every),
    upload: { size: mebibytes * 1024 * 1024, least: seconds * 1000 },
    trial: values.trial,
    crash: values.crash === undefined ? undefined : Number(values.crash) * 1000,
    tell: (text) => console.log(new Date().toISOString(), text),
  });
  console.log(JSON.stringify(report, undefined, 2));
  process.exitCode = report.lost.length === 0 ? 0 : 1;
} finally {
  await rm(prefix, { recursive: true, force: true });
}
