/** `localhostess db dump [service]` -> a file, or stdout, with all that is in a managed store. */
import { writeFileSync } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { BootEvent } from "../../routes/project-report.ts";
import { follow } from "../../control/found/client.ts";
import { clientFor, howToGetClients, installedClients } from "../../stores/postgres/clients.ts";
import { settleFile } from "../../system/settle-file.ts";
import { printable } from "../../text/printable.ts";
import { shownSize } from "../../text/size.ts";
import { definedOf } from "../shared/defined.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { UsageError } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import { runInPlace } from "./child.ts";
import { clientEnv } from "./db-psql.ts";
import { type DbFlags, readyStore, type StoreHere, storeHere } from "./db-store.ts";
import type { DumpFormat } from "./dump-formats.ts";

export type DbDumpFlags = DbFlags & { output?: string; format?: DumpFormat };

export async function dbDump(
  word: string | undefined,
  flags: DbDumpFlags,
  world: World,
): Promise<number> {
  const file = flags.output === undefined ? undefined : resolve(world.cwd, flags.output);
  if (file === undefined && (flags.json || world.out.columns() !== undefined)) {
    throw new UsageError(["where to: name a file with -o shop.sql, or redirect the output"]);
  }
  const here = await storeHere(word, world);
  const { store } = here;
  const isPostgres = store.type === "postgres";
  const server = Number(store.version);
  const pgDump = isPostgres
    ? clientFor(server, {
        all: await installedClients("pg_dump", { env: world.env }),
        older: false,
      })
    : undefined;
  const format = flags.format ?? formatFor(file, pgDump !== undefined);
  if (format === "files")
    return await written(file, { here, format, flags, world }, (path) =>
      archived(path, here, world),
    );
  if (!isPostgres) {
    const why = `${store.id} is ${store.type}, of which only its files can be dumped`;
    throw new Failure("unsupported", `${why}: leave out --format`);
  }
  if (pgDump === undefined) {
    const how = howToGetClients(server, world.platform);
    const besides = "--format files needs none, and can be read by the same version only";
    throw new Failure(
      "not_found",
      `pg_dump of version ${server} or newer is not installed: ${how}; ${besides}`,
    );
  }
  const env = clientEnv(await readyStore(here, world), world);
  return await written(file, { here, format, flags, world }, (path) =>
    runInPlace(
      [pgDump.path, `--format=${format}`, ...(path === undefined ? [] : [`--file=${path}`])],
      { env, world },
    ),
  );
}

function formatFor(file: string | undefined, hasPgDump: boolean): DumpFormat {
  if (file !== undefined && /\.t(?:ar\.)?gz$/.test(file)) return "files";
  if (!hasPgDump) return file?.endsWith(".sql") ? "plain" : "files";
  return file === undefined || file.endsWith(".sql") ? "plain" : "custom";
}

type Writing = { here: StoreHere; format: DumpFormat; flags: DbDumpFlags; world: World };

/** Nobody ever finds half of it in the file: that has its name once all of it is there. */
async function written(
  file: string | undefined,
  { here, format, flags, world }: Writing,
  write: (path: string | undefined) => Promise<number>,
): Promise<number> {
  if (file === undefined) return await write(undefined);
  const made = `${file}.${process.pid}.tmp`;
  try {
    // A dump holds all that the store does.
    writeFileSync(made, "", { flag: "wx", mode: 0o600 });
    const code = await write(made);
    if (code !== 0) {
      throw new Failure("failed", `${here.store.id} was not dumped: exit code ${code}`);
    }
    const { size } = await stat(made);
    await settleFile(made, file);
    if (flags.json) printJson(world, { name: here.store.id, file, format, size });
    else world.out.write(`${printable(file, 500)} has ${here.store.id} (${shownSize(size)})\n`);
    return 0;
  } finally {
    await rm(made, { force: true });
  }
}

/** A line of `StoreSnapshot`. */
type Said = BootEvent | { folder: string } | { Error: string } | { error: { message: string } };

/** The daemon keeps the copy for as long as it hears us: the store is up again while that is packed. */
async function archived(path: string | undefined, here: StoreHere, world: World): Promise<number> {
  const { socket, asked, store } = here;
  const { err } = world;
  for await (const line of follow(socket, { StoreSnapshot: asked })) {
    const said = JSON.parse(line) as Said;
    if ("folder" in said) {
      const words = ["tar", "-czf", path ?? "-", "-C", said.folder, "localhostess.json", "data"];
      return await runInPlace(words, { env: definedOf(world.env), world });
    }
    if ("Error" in said) throw new Failure("failed", said.Error);
    if ("error" in said) throw new Failure("failed", said.error.message);
    if (said.type === "StepProgress" && err.columns() !== undefined) {
      err.write(`${err.colors.dim(`${store.id}: ${printable(said.data.message, 100)}`)}\n`);
    }
  }
  throw new Failure("failed", "the daemon exited before it finished; its log may say why");
}
