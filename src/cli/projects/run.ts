/** `localhostess run <service> -- command` -> the command, with the environment of the service. */
import { listed } from "../../text/list.ts";
import { realpath } from "node:fs/promises";
import { runInPlace } from "./child.ts";
import { tellPending } from "./pending-note.ts";
import { Failure } from "../shared/failure.ts";
import { printJsonLine } from "../shared/json-output.ts";
import { type Flags, settingsOf, UsageError } from "../shared/settings.ts";
import { ensureDaemon, tellStarted } from "../shared/daemon-here.ts";
import { definedOf } from "../shared/defined.ts";
import { answerOf, knownOf, type Row } from "./asking.ts";
import { folderHere, projectHere } from "./here.ts";
import { NotUp, rowsNamed } from "./named.ts";
import { nameWithin } from "./short-name.ts";
import type { World } from "../shared/world.ts";

export async function run(
  { service, command }: { service: string; command: readonly string[] },
  flags: Flags,
  world: World,
): Promise<number> {
  if (command.length === 0) {
    throw new UsageError([`a command is required: localhostess run ${service} -- bun test`]);
  }
  const settings = await settingsOf(flags, world);
  const daemon = await ensureDaemon({ flags: {}, settings, world });
  tellStarted(daemon, world);
  const { socket } = daemon.registration;
  const env = await environmentOf(service, { socket, world });
  if (flags.json) printJsonLine(world, { service, command });
  return await runInPlace(command, { env: { ...definedOf(world.env), ...env }, world });
}

/** @throws an Error that lists the services. */
async function environmentOf(
  service: string,
  { socket, world }: { socket: string; world: World },
): Promise<Record<string, string>> {
  const { rows, servers } = await knownOf(socket);
  tellPending(rows, world);
  const env = definedOf(world.env);
  const ask = async (request: Record<string, unknown>) => {
    const asked = { GetServiceEnv: { ...request, env } };
    return (await answerOf<{ ServiceEnv: Record<string, string> }>(socket, asked)).ServiceEnv;
  };
  let named: Row[];
  try {
    named = await rowsNamed([service], { rows, servers, world });
  } catch (mistake) {
    // The daemon does not know the project yet.
    const directory = await realpath(await folderHere(world, rows));
    if (mistake instanceof NotUp)
      return await ask({ name: nameWithin(mistake.ids[0]!), project_path: directory });
    const isKnown = rows.some((row) => row.path === directory);
    // Outside every project there is none to ask for.
    const isNowhere = rows.length > 0 && (await projectHere({ rows, world })) === undefined;
    if (isKnown || isNowhere) throw mistake;
    return await ask({ name: service, project_path: directory });
  }
  const of = named[0]!.instance?.of;
  // For a name that instances share, the first of them.
  const one = of !== undefined && named.every((row) => row.instance?.of === of);
  if (named.length > 1 && !one) {
    const names = listed(
      named.map((row) => row.name),
      { conjunction: "or" },
    );
    throw new Failure("ambiguous", `${service} is a project; name one of its services: ${names}`);
  }
  return await ask({ name: named[0]!.name });
}
