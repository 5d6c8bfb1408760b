/** `localhostess try -- command` -> the command with a free port and a name, while it is running. */
import { basename } from "node:path";
import { labelFrom, labelMistake } from "../../manifest/project-name.ts";
import { serviceUrl } from "../../routes/service-row.ts";
import { choosePort } from "../../supervisor/project/ports.ts";
import { loopback } from "../../system/loopback.ts";
import { runInPlace } from "./child.ts";
import { printJsonLine } from "../shared/json-output.ts";
import { looker } from "../shared/look.ts";
import { shellCommand } from "../../text/shell-words.ts";
import { type Flags, settingsOf, UsageError } from "../shared/settings.ts";
import { daemonFor } from "../shared/daemon-here.ts";
import { definedOf } from "../shared/defined.ts";
import type { World } from "../shared/world.ts";

export type TryFlags = Flags & { name?: string };

export async function tryOut(
  command: readonly string[],
  flags: TryFlags,
  world: World,
): Promise<number> {
  const name =
    flags.name ?? (await freeName(labelFrom(basename(world.cwd)) ?? "try", { flags, world }));
  const mistakes = [
    ...(command.length === 0 ? ["a command is required: localhostess try -- bun dev"] : []),
    ...[labelMistake(name)]
      .filter((its) => its !== undefined)
      .map((its) => `--name ${JSON.stringify(name)}: ${its}`),
  ];
  if (mistakes.length > 0) throw new UsageError(mistakes);
  const port = choosePort(`try:${world.cwd}:${name}`, {
    sticky: undefined,
    taken: new Set(),
    kept: new Set(),
    loopback: loopback(world.platform),
  });
  if (port === undefined) throw new Error("no free port was found");
  const daemon = await daemonFor({}, world);
  const { dim } = world.err.colors;
  const url = serviceUrl(name, daemon?.httpPort ?? daemon?.port ?? 9090);
  world.err.write(`${dim(`${url}  PORT=${port}`)}\n`);
  if (flags.json) printJsonLine(world, { name, url, port });
  // A single word is a command line for a shell.
  const words = command.length === 1 ? ["/bin/sh", "-c", command[0]!] : command;
  const env = {
    ...definedOf(world.env),
    NAME: name,
    PORT: String(port),
    LOCALHOSTESS_NAME: name,
    LOCALHOSTESS_URL: url,
  };
  const code = await runInPlace(words, { env, world });
  await offer(command, { name, world });
  return code;
}

/** `shop`, or `shop-2` if a server has that name already: two servers with one name would be one service. */
async function freeName(
  wanted: string,
  { flags, world }: { flags: TryFlags; world: World },
): Promise<string> {
  const { services } = await looker(await settingsOf(flags, world), { world })();
  const taken = new Set(services.map((service) => service.name));
  let name = wanted;
  for (let number = 2; taken.has(name); number++) name = `${wanted}-${number}`;
  return name;
}

/** Offers to add the command to locald.toml, on a terminal only. */
async function offer(
  command: readonly string[],
  { name, world }: { name: string; world: World },
): Promise<void> {
  const question = `Add ${shellCommand(command)} to locald.toml as the service ${name}? [y/N, or another name] `;
  const answer = await world.prompt(question);
  if (answer === undefined) return;
  const said = answer.trim();
  // Enter must not write into a file.
  if (said === "" || /^no?$/i.test(said)) return;
  const kept = /^y(?:es)?$/i.test(said) ? name : said;
  const { add } = await import("./add.ts");
  try {
    await add({ name: kept, words: command }, {}, world);
  } catch (error) {
    // The command has ended; a failure to add it does not change its exit code.
    const lines = error instanceof UsageError ? error.mistakes : [(error as Error).message];
    for (const line of lines) world.err.write(`localhostess: ${line}\n`);
  }
}
