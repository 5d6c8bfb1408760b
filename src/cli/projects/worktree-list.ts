/** `localhostess worktree list` -> the checkouts of the repository here, each with its projects and their state. */
import { printable } from "../../text/printable.ts";
import { runningDaemon } from "../shared/daemon-here.ts";
import { printJson } from "../shared/json-output.ts";
import { shownFolder } from "../shared/rows.ts";
import { type Flags, settingsOf } from "../shared/settings.ts";
import { type Column, tableLines } from "../shared/table.ts";
import type { World } from "../shared/world.ts";
import { type Row, rowsOf } from "./asking.ts";
import { checkoutAround, repositoryHere } from "../shared/repository-here.ts";

/** As `--json` prints it. */
export type WorktreeRow = {
  /** Null: HEAD is detached. */
  branch: string | null;
  /** Null: the main checkout, which has none. */
  label: string | null;
  folder: string;
  projects: readonly { name: string; up: boolean; services: number; ready: number }[];
};

export async function worktreeList(flags: Flags, world: World): Promise<number> {
  const { all } = await repositoryHere(world);
  const daemon = await runningDaemon(await settingsOf(flags, world), world);
  const known = daemon === undefined ? [] : await rowsOf(daemon.socket);
  const rows = all.map(({ root, branch = null, label = null }): WorktreeRow => {
    const here = known.filter((row) => checkoutAround(row.path, all)?.root === root);
    return { branch, label, folder: root, projects: projectsIn(here) };
  });
  if (flags.json) {
    printJson(world, rows);
    return 0;
  }
  const columns = world.out.columns();
  const home = columns === undefined ? undefined : world.home;
  for (const line of tableLines(rows, columnsFor(home), { columns, colors: world.out.colors })) {
    world.out.write(`${line}\n`);
  }
  return 0;
}

function projectsIn(rows: readonly Row[]): WorktreeRow["projects"] {
  return [...Map.groupBy(rows, ({ project }) => project)].map(([name, its]) => ({
    name,
    up: its.some(({ state }) => state !== "stopped"),
    services: its.length,
    ready: its.filter(({ ready, state }) => ready || state === "completed").length,
  }));
}

function columnsFor(home: string | undefined): Column<WorktreeRow>[] {
  const each = (text: (its: WorktreeRow["projects"][number]) => string) => (row: WorktreeRow) =>
    row.projects.length === 0 ? "-" : row.projects.map(text).join(", ");
  return [
    {
      title: "BRANCH",
      text: ({ branch }) => printable(branch ?? "(detached)"),
      cut: "end",
      most: 40,
    },
    {
      title: "PROJECT",
      text: each(({ name }) => printable(name)),
      paint: (_, colors) => colors.bold,
      ...{ cut: "end", most: 40 },
    },
    {
      title: "STATE",
      text: each(({ up, ready, services }) => (up ? `${ready} of ${services} ready` : "stopped")),
      goes: 1,
    },
    {
      title: "FOLDER",
      text: ({ folder }) => printable(shownFolder(folder, home)),
      ...{ below: () => true, most: 48 },
    },
  ];
}
