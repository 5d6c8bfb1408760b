/** `localhostess run <word> command` -> the command, with the environment of the service; or the image of that name. */
import { isImageName, isOnlyImage } from "../../text/image-name.ts";
import { listed } from "../../text/list.ts";
import { runInPlace } from "./child.ts";
import { tellPending } from "./pending-note.ts";
import { Failure } from "../shared/failure.ts";
import { printJsonLine } from "../shared/json-output.ts";
import { settingsOf, UsageError } from "../shared/settings.ts";
import { ensureDaemon, tellStarted } from "../shared/daemon-here.ts";
import { definedOf } from "../shared/defined.ts";
import { answerOf, knownOf } from "./asking.ts";
import type { RunImageFlags } from "./run-image.ts";
import { serviceMeant } from "./service-meant.ts";
import type { World } from "../shared/world.ts";

/** Words that name no service may name an image: it is run once, in a container. */
export async function run(
  { service, command }: { service: string; command: readonly string[] },
  flags: RunImageFlags,
  world: World,
): Promise<number> {
  const asImage = async (mistake?: string): Promise<number> =>
    (await import("./run-image.ts")).runImage({ image: service, command }, flags, {
      ...{ world, ...(mistake === undefined ? {} : { mistake }) },
    });
  if (isOnlyImage(service)) return await asImage();
  const given = imageFlags.filter((key) => flags[key] !== undefined);
  const image = `to run an image: localhostess container run ${service}`;
  const lacksCommand = `a command is required: localhostess run ${service} -- bun test`;
  // A service's command is forgotten more often than an image without a tag is meant.
  if (command.length === 0 && !/[:/@]/.test(service)) {
    throw new UsageError([isImageName(service) ? `${lacksCommand}; ${image}` : lacksCommand]);
  }
  const settings = await settingsOf({ json: flags.json === true }, world);
  const daemon = await ensureDaemon({ flags: {}, settings, world });
  tellStarted(daemon, world);
  const { socket } = daemon.registration;
  let env: Record<string, string>;
  try {
    env = await environmentOf(service, { socket, world });
  } catch (mistake) {
    if (!(mistake instanceof Failure) || !isImageName(service)) throw mistake;
    if (mistake.code !== "not_found") throw mistake;
    // Whoever has mistyped a service does not want a stranger's program.
    if (/did you mean/.test(mistake.message) || (await isOfProject(service, socket))) {
      const anyway = `to run an image of that name: localhostess container run ${service}`;
      throw new Failure("not_found", `${mistake.message} (${anyway})`, { cause: mistake });
    }
    return await asImage(mistake.message);
  }
  if (given.length > 0) {
    const options = listed(given.map((key) => `--${key}`));
    throw new UsageError([`${service} is a service, and ${options} is for images`]);
  }
  if (command.length === 0) throw new UsageError([lacksCommand]);
  if (flags.json) printJsonLine(world, { service, command });
  return await runInPlace(command, { env: { ...definedOf(world.env), ...env }, world });
}

/** `shop:apii`, where there is a project that is called shop. */
async function isOfProject(word: string, socket: string): Promise<boolean> {
  const [project, ...rest] = word.split(":");
  if (rest.length === 0) return false;
  const { rows } = await knownOf(socket);
  return rows.some(({ name }) => name.startsWith(`${project}:`));
}

const imageFlags = ["interactive", "tty", "publish", "env", "volume"] as const;

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
