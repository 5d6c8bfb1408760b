/** `localhostess run <service> -- command` -> the command, with the environment of the service. */
import { listed } from "../../text/list.ts";
import { realpath } from "node:fs/promises";
import { runInPlace } from "./child.ts";
import { tellPending } from "./pending-note.ts";
import { printJsonLine } from "../shared/json-output.ts";
import { type Flags, settingsOf, UsageError } from "../shared/settings.ts";
import { ensureDaemon } from "../shared/daemon-here.ts";
import { definedOf } from "../shared/defined.ts";
import { answerOf, rowsOf } from "./asking.ts";
import { folderHere } from "./here.ts";
import { rowsNamed } from "./named.ts";
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
  const { registration } = await ensureDaemon({ flags: {}, settings, world });
  const { socket } = registration;
  const env = await environmentOf(service, { socket, world });
  if (flags.json) printJsonLine(world, { service, command });
  return await runInPlace(command, { env: { ...definedOf(world.env), ...env }, world });
}

/** @throws an Error that lists the services. */
async function environmentOf(
  service: string,
  { socket, world }: { socket: string; world: World },
): Promise<Record<string, string>> {
  const rows = await rowsOf(socket);
  tellPending(rows, world);
  const directory = await realpath(await folderHere(world, rows));
  const ask = async (request: Record<string, unknown>) =>
    (await answerOf<{ ServiceEnv: Record<string, string> }>(socket, { GetServiceEnv: request }))
      .ServiceEnv;
  const env = definedOf(world.env);
  const here = rows.some((row) => row.path === directory);
  if (!here && !rows.some((row) => row.name === service || row.service === service)) {
    // The daemon does not know the project yet.
    return await ask({ name: service, project_path: directory, env });
  }
  const named = rowsNamed([service], { rows, directory });
  const of = named[0]!.instance?.of;
  // For a name that instances share, the first of them.
  const one = of !== undefined && named.every((row) => row.instance?.of === of);
  if (named.length > 1 && !one) {
    const names = listed(
      named.map((row) => row.name),
      { conjunction: "or" },
    );
    throw new Error(`${service} is a project; name one of its services: ${names}`);
  }
  return await ask({ name: named[0]!.name, env });
}
