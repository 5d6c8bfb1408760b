/** `localhostess run <service> -- command` -> the command, with the environment of the service. */
import { runInPlace } from "./child.ts";
import { tellPending } from "./pending-note.ts";
import { printJsonLine } from "../shared/json-output.ts";
import { type Flags, settingsOf, UsageError } from "../shared/settings.ts";
import { ensureDaemon, tellStarted } from "../shared/daemon-here.ts";
import { definedOf } from "../shared/defined.ts";
import { answerOf, knownOf } from "./asking.ts";
import { serviceMeant } from "./service-meant.ts";
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
  const meant = await serviceMeant(service, { rows, servers, world });
  const asked = { GetServiceEnv: { ...meant, env } };
  return (await answerOf<{ ServiceEnv: Record<string, string> }>(socket, asked)).ServiceEnv;
}
