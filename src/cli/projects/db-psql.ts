/** `localhostess db psql [service]` -> psql at a managed PostgreSQL, which is started where it is not up. */
import { clientFor, howToGetClients, installedClients } from "../../stores/postgres/clients.ts";
import type { StoreReport } from "../../control/commands/store-commands.ts";
import { definedOf } from "../shared/defined.ts";
import { Failure } from "../shared/failure.ts";
import { printJsonLine } from "../shared/json-output.ts";
import type { World } from "../shared/world.ts";
import { runInPlace } from "./child.ts";
import { type DbFlags, postgresOnly, readyStore, storeHere } from "./db-store.ts";

export async function dbPsql(
  typed: { service: string | undefined; args: readonly string[] },
  flags: DbFlags,
  world: World,
): Promise<number> {
  // Behind --, where no service stands before it.
  const isArgument = typed.service?.startsWith("-") === true;
  const service = isArgument ? undefined : typed.service;
  const args = isArgument ? [typed.service!, ...typed.args] : typed.args;
  const here = await storeHere(service, world);
  postgresOnly(here.store, "psql");
  const { id, version } = here.store;
  const server = Number(version);
  const psql = clientFor(server, {
    all: await installedClients("psql", { env: world.env }),
    older: true,
  });
  if (psql === undefined) {
    const how = howToGetClients(server, world.platform);
    const besides = `any other client finds it by: localhostess db url ${id}`;
    throw new Failure("not_found", `psql is not installed: ${how}; ${besides}`);
  }
  const { err } = world;
  if (psql.major < server) {
    const note = `psql ${psql.major} is older than the server (${server}): some of its commands may not work`;
    err.write(`${err.colors.dim(note)}\n`);
  }
  const store = await readyStore(here, world);
  if (flags.json) printJsonLine(world, { service: id, command: [psql.path, ...args] });
  return await runInPlace([psql.path, ...args], { env: clientEnv(store, world), world });
}

/** Where the server is, and its password: in variables, as arguments are for everybody to see. */
export function clientEnv({ variables }: StoreReport, world: World): Record<string, string> {
  const own = Object.entries(definedOf(world.env)).filter(
    // Others would lead to another server, or be taken before these.
    ([name]) => !/^PG(?:HOSTADDR|SERVICE|SERVICEFILE|PASSFILE|OPTIONS|SSL\w+)$/.test(name),
  );
  const its = Object.entries(variables).filter(([name]) => name.startsWith("PG"));
  return Object.fromEntries([...own, ...its]);
}
