/** A freshly started `server start` into the memory it holds once it has been idle for ten seconds. */
import { readFileSync } from "node:fs";
import type { Crew } from "./crew.ts";
import { startServer } from "./ours.ts";
import { ready } from "./ready.ts";
import type { Measured } from "./table.ts";

const idleMilliseconds = 10_000;

export async function measureMemory(crew: Crew): Promise<Measured> {
  const { program, port } = startServer(crew, { name: "idle", side: "any" });
  await ready(program, { port, host: `localhost:${port}` });
  await Bun.sleep(idleMilliseconds);
  const status = readFileSync(`/proc/${program.pid}/status`, "latin1");
  await program.stop();
  const mebibytes = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1_024;
  return {
    rows: [
      {
        label: "idle memory of server start (RSS)",
        unit: "MiB",
        ours: mebibytes("VmRSS"),
        target: { of: "ours", most: 60 },
      },
    ],
    notes: [
      `memory: ${mebibytes("RssAnon").toFixed(1)} MiB of it are its own, ${mebibytes("RssFile").toFixed(1)} MiB are pages of Bun's executable, which every Bun shares`,
    ],
  };
}
