/** Projects in the forms of the first locald's examples: those that can run come up, with a real daemon. */
import { test } from "bun:test";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SupervisedStatus } from "../../src/routes/project-report.ts";
import { type Example, examples, standIns, written } from "../manifest/locald-examples.ts";
import { type ProjectPlace, projectPlace } from "../support/project-place.ts";
import { freePort } from "../support/servers.ts";

/** Numbers of ports that may be another program's here, each in the place of the same one everywhere. */
function onFreePorts(text: string): string {
  const ports = new Map<string, string>();
  return text.replace(/\b(?:3000|3001|4000|4444|5432|8000|8081)\b/g, (port) => {
    const free = ports.get(port) ?? String(freePort());
    ports.set(port, free);
    return free;
  });
}

async function comesUp(place: ProjectPlace, { states = {}, ...example }: Example, path: string) {
  const directory = join(place.daemon.directory, "examples", example.name);
  await mkdir(directory, { recursive: true });
  const { toml } = example;
  await written(directory, { ...example, ...(toml ? { toml: onFreePorts(toml) } : {}) });
  // What neither listens nor says that it is ready is not waited for.
  await place.up(directory, { env: { PATH: path }, patience: 500 });
  const wanted = Object.entries(states);
  const rowsHere = async () => {
    const rows = await place.rows();
    return rows.filter((row) => row.path?.endsWith(`/examples/${example.name}`));
  };
  const end = performance.now() + 120_000;
  for (;;) {
    const rows = await rowsHere();
    const isThere = ([name, state]: [string, string]): boolean =>
      rows.some((row) => row.service === name && row.state === state);
    if (wanted.every(isThere)) return rows;
    if (performance.now() > end) throw new Error(`${example.name}: ${told(rows)}`);
    await Bun.sleep(50);
  }
}

function told(rows: readonly SupervisedStatus[]): string {
  return rows.map((row) => `${row.name} ${row.state} (${row.message})`).join("; ");
}

const hasPostgres =
  (
    await Array.fromAsync(
      new Bun.Glob("15/bin/postgres").scan({ cwd: "/usr/lib/postgresql" }),
    ).catch(() => [])
  ).length > 0;

const able = examples.filter(
  ({ states, needs }) => states !== undefined && (needs === undefined || hasPostgres),
);

/** As many at once as a small machine starts in time. */
const together = 6;

test("all that need no image come up, each in its own folder", async () => {
  await using place = await projectPlace();
  const programs = join(place.daemon.directory, "programs");
  await mkdir(programs);
  for (const [name, text] of Object.entries(standIns)) {
    await writeFile(join(programs, name), text);
    await chmod(join(programs, name), 0o755);
  }
  const path = `${programs}:${process.env.PATH}`;
  for (let at = 0; at < able.length; at += together) {
    const these = able.slice(at, at + together);
    const rows = await Promise.all(these.map((example) => comesUp(place, example, path)));
    for (const { name } of rows.flat()) await place.send({ Stop: { name } });
  }
}, 300_000);
