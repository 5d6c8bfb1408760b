/** `localhostess registry list|pin|unpin|forget|clean` -> the projects that the daemon knows. */
import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { counted } from "../../text/counted.ts";
import { printable } from "../../text/printable.ts";
import type { RegisteredProject } from "../../routes/project-report.ts";
import { shownDuration } from "../../text/duration.ts";
import { listed } from "../../text/list.ts";
import { shownSize } from "../../text/size.ts";
import { tellPending } from "./pending-note.ts";
import { printJson } from "../shared/json-output.ts";
import { removePlansIn } from "../shared/own-files.ts";
import { projectFolderOf } from "../shared/project-files.ts";
import { type Flags, settingsOf } from "../shared/settings.ts";
import { ensureDaemon, tellStarted } from "../shared/daemon-here.ts";
import { shownFolder } from "../shared/rows.ts";
import { type Column, tableLines, type TableOptions } from "../shared/table.ts";
import { answerOf, rowsOf } from "./asking.ts";
import { isLeftOver, type KeptRow } from "./db-list.ts";
import type { World } from "../shared/world.ts";

/** Milliseconds. Services of a folder that is gone end first. */
const patience = 300_000;

async function socketOf(flags: Flags, world: World): Promise<string> {
  const settings = await settingsOf(flags, world);
  const daemon = await ensureDaemon({ flags: {}, settings, world });
  tellStarted(daemon, world);
  const { socket } = daemon.registration;
  tellPending(await rowsOf(socket), world);
  return socket;
}

export async function registryList(flags: Flags, world: World): Promise<number> {
  const { out, err } = world;
  const socket = await socketOf(flags, world);
  const { RegistryList: known } = await answerOf<{ RegistryList: RegisteredProject[] }>(
    socket,
    "RegistryList",
  );
  if (flags.json) {
    printJson(world, known);
    return 0;
  }
  if (known.length === 0) {
    err.write(`${err.colors.dim("no projects yet; start one with: localhostess up")}\n`);
  }
  if (known.length === 0) return 0;
  const columns = out.columns();
  // In a pipe, another program reads it.
  const home = columns === undefined ? undefined : world.home;
  const options = { columns, colors: out.colors, home, now: Date.now() };
  for (const line of registryLines(known, options)) out.write(`${line}\n`);
  return 0;
}

export type RegistryOptions = TableOptions & {
  /** The person's own folder, shown as `~`; undefined: folders are shown in full. */
  home: string | undefined;
  /** Milliseconds since the Unix epoch. */
  now: number;
};

/** A header and a line for each project; a folder that finds no room stands below it, whole: it may be pasted. */
export function registryLines(
  known: readonly RegisteredProject[],
  { home, now, ...options }: RegistryOptions,
): string[] {
  const columns: Column<RegisteredProject>[] = [
    {
      title: "NAME",
      text: ({ name }) => printable(name),
      paint: (_, colors) => colors.bold,
      cut: "end",
      most: 32,
    },
    { title: "PINNED", text: ({ pinned }) => (pinned ? "pinned" : "-"), goes: 1 },
    {
      title: "SEEN",
      text: ({ last_seen: seen }) => `${shownDuration(Math.max(0, now - Date.parse(seen)))} ago`,
      goes: 2,
    },
    {
      title: "FOLDER",
      text: ({ path, folder }) => `${printable(shownFolder(path, home))}${meanings[folder] ?? ""}`,
      paint: ({ folder }, colors) => (folder === "here" ? String : colors.dim),
      below: () => true,
      most: 48,
    },
  ];
  return tableLines(known, columns, options);
}

/** Text behind the path. A daemon of another version may have other words, or none. */
const meanings: Readonly<Record<string, string>> = {
  here: "",
  replaced: "  (another folder is there now)",
  gone: "  (gone)",
  unmounted: "  (its file system is not mounted)",
};

export async function registryPin(
  path: string | undefined,
  { pinned, json = false }: { pinned: boolean; json?: boolean | undefined },
  world: World,
): Promise<number> {
  // A folder that is gone can still be unpinned.
  const folder = pinned
    ? await projectFolderOf(path, world)
    : resolve(world.cwd, path ?? (await projectFolderOf(undefined, world)));
  const directory = await realpath(folder).catch(() => folder);
  const socket = await socketOf({}, world);
  const command = pinned ? "RegistryPin" : "RegistryUnpin";
  await answerOf(socket, { [command]: { project_path: directory } });
  const meaning = pinned ? "pinned: it starts with the daemon" : "no longer pinned";
  if (json) printJson(world, { path: directory, pinned });
  else world.out.write(`${printable(directory)} is ${meaning}\n`);
  return 0;
}

export async function registryClean(flags: Flags, world: World): Promise<number> {
  const socket = await socketOf(flags, world);
  const { RegistryCleaned: count } = await answerOf<{ RegistryCleaned: number }>(
    socket,
    "RegistryClean",
  );
  const what = counted(count, "project whose folder is", "projects whose folders are");
  if (flags.json) printJson(world, { cleaned: count });
  else world.out.write(`forgot ${what} gone\n`);
  if (count > 0) await tellLeftOver(socket, world);
  const { RegistryList: left } = await answerOf<{ RegistryList: RegisteredProject[] }>(
    socket,
    "RegistryList",
  );
  for (const { name, path, pinned, folder } of left) {
    if (folder !== "gone" && folder !== "unmounted") continue;
    const [why, command] = pinned
      ? ["it is pinned", `registry unpin ${printable(path)}`]
      : folder === "gone"
        ? ["it is up", `stop ${name}`]
        : ["its file system is not mounted", `registry forget ${printable(path)}`];
    world.err.write(`${name} (${printable(path)}) stays, as ${why}: localhostess ${command}\n`);
  }
  return 0;
}

export async function registryForget(word: string, flags: Flags, world: World): Promise<number> {
  const socket = await socketOf({}, world);
  const forgotten = await answerOf<{ RegistryForgotten: { name: string; path: string } }>(
    socket,
    { RegistryForget: { name: word, project_path: resolve(world.cwd, word) } },
    { deadline: patience },
  );
  const { name, path } = forgotten.RegistryForgotten;
  if (flags.json) printJson(world, { name, path });
  else world.out.write(`forgot ${name} (${printable(path)})\n`);
  for (const text of await removePlansIn(path, world))
    world.err.write(`${printable(text, 2_000)}\n`);
  await tellLeftOver(socket, world);
  return 0;
}

/** Data is kept until somebody says otherwise. */
async function tellLeftOver(socket: string, { err }: World): Promise<void> {
  const { Stores: all } = await answerOf<{ Stores: KeptRow[] }>(socket, "Stores", {
    deadline: patience,
  });
  const left = all.filter(isLeftOver);
  if (left.length === 0) return;
  const names = listed(
    left.map(({ project, service }) => printable(`${project}:${service}`)),
    { most: 5 },
  );
  const size = shownSize(left.reduce((sum, its) => sum + its.size, 0));
  const what = `the data of ${names} is kept (${size}); localhostess db clean removes it`;
  err.write(`${err.colors.dim(what)}\n`);
}
