/** A dump in SQL, or of pg_restore -> the database of a managed PostgreSQL, replaced in one step once all is loaded. */
import { findLine } from "../../system/find-line.ts";
import { clientFor, howToGetClients, installedClients } from "../../stores/postgres/clients.ts";
import { Failure } from "../shared/failure.ts";
import type { World } from "../shared/world.ts";
import { runInPlace } from "./child.ts";
import { clientEnv } from "./db-psql.ts";
import { readyStore, type StoreHere } from "./db-store.ts";

/** Where it is loaded, and the former database for the moment until it is removed. */
const [loading, former] = ["localhostess_restore", "localhostess_before"];

/** Tries of the exchange: clients connect again meanwhile. */
const mostTries = 5;

export async function loaded(
  { kind, path }: { kind: "plain" | "custom"; path: string },
  { here, world }: { here: StoreHere; world: World },
): Promise<number> {
  const server = Number(here.store.version);
  const tools = async (name: "psql" | "pg_restore") =>
    clientFor(server, { all: await installedClients(name, { env: world.env }), older: false });
  const [psql, pgRestore] = await Promise.all([tools("psql"), tools("pg_restore")]);
  if (psql === undefined || pgRestore === undefined) {
    const how = howToGetClients(server, world.platform);
    throw new Failure("not_found", `psql and pg_restore are needed, and not installed: ${how}`);
  }
  // The file would leave the database that it is loaded into.
  const leaves =
    kind === "plain" ? await findLine(path, /^\\(?:c|connect)\s|^CREATE DATABASE\s/) : undefined;
  if (leaves !== undefined) {
    throw new Failure(
      "unsupported",
      "the file makes databases by itself (pg_dump --create); dump it again without that",
    );
  }
  const store = await readyStore(here, world);
  const { PGDATABASE: database = "postgres", ...where } = clientEnv(store, world);
  const env = { ...where, PGOPTIONS: "-c client_min_messages=warning" };
  const run = (words: readonly string[], its: Record<string, string> = {}): Promise<number> =>
    runInPlace(words, { env: { ...env, ...its }, world, aside: true });
  // A statement each, outside of a transaction, where CREATE and DROP DATABASE have to be.
  const told = (statements: readonly string[]): Promise<number> =>
    run([psql.path, ...quiet, ...statements.flatMap((its) => ["-c", its])], {
      PGDATABASE: database === "template1" ? "postgres" : "template1",
    });
  const asItWas = new Failure(
    "failed",
    `the dump could not be loaded, for the reason above; ${store.id} is as it was`,
  );
  const dropped = `DROP DATABASE IF EXISTS ${loading}`;
  if ((await told([dropped, `CREATE DATABASE ${loading} TEMPLATE template0`])) !== 0) throw asItWas;
  const into = { PGDATABASE: loading! };
  const code =
    kind === "plain"
      ? await run([psql.path, ...quiet, "--single-transaction", "-f", path], into)
      : await run([
          pgRestore.path,
          "--exit-on-error",
          "--single-transaction",
          "-d",
          loading!,
          path,
        ]);
  if (code !== 0) {
    await told([dropped]);
    throw asItWas;
  }
  await told([`DROP DATABASE IF EXISTS ${former}`]);
  for (let tries = 1; ; tries++) {
    if ((await told(exchanged(database))) === 0) break;
    if (tries < mostTries) continue;
    await told([dropped]);
    throw asItWas;
  }
  await told([`DROP DATABASE IF EXISTS ${former}`]);
  return 0;
}

/** Errors only. */
const quiet = ["-X", "-q", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1"];

/** Whoever is connected to the former is disconnected: a database with connections has no other name. */
function exchanged(database: string): string[] {
  const name = `"${database.replaceAll('"', '""')}"`;
  const text = `'${database.replaceAll("'", "''")}'`;
  return [
    `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = ${text}`,
    // One string is one transaction.
    `ALTER DATABASE ${name} RENAME TO ${former}; ALTER DATABASE ${loading} RENAME TO ${name};`,
  ];
}
