/** Every command of the daemon: one list, behind the IPC socket and the HTTP API alike. */
import { didYouMean } from "../../text/nearest.ts";
import { listed } from "../../text/list.ts";
import { type Command, CommandError } from "./command.ts";
import { containerCommands } from "./container-commands.ts";
import { daemonCommands } from "./daemon-commands.ts";
import { projectCommands } from "./project-commands.ts";
import { remoteCommands } from "./remote-commands.ts";
import { serviceCommands } from "./service-commands.ts";
import { storeCommands } from "./store-commands.ts";

export const commands: readonly Command[] = [
  ...daemonCommands,
  ...serviceCommands,
  ...projectCommands,
  ...remoteCommands,
  ...containerCommands,
  ...storeCommands,
];

/** Words of the first locald that we do not have yet. */
const unsupported: ReadonlySet<string> = new Set(["AiContext", "AiSchema"]);

const byName = new Map(commands.map((its) => [its.name, its]));

/** @throws CommandError where there is none of that name. */
export function commandNamed(name: string): Command {
  const found = byName.get(name);
  if (found !== undefined) return found;
  const shown = JSON.stringify(name.slice(0, 100));
  if (unsupported.has(name)) {
    throw new CommandError("unsupported", `this daemon has no ${name} yet`);
  }
  const names = [...byName.keys()];
  const hint = didYouMean(name, names, { otherwise: `; known are ${listed(names)}` });
  throw new CommandError("unknown_command", `there is no command ${shown}${hint}`);
}
