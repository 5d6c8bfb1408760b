/** What the daemon is asked to do about trust -> the same verb, run as a child, and its rows. */
import { CommandError, type TrustWanted } from "../../control/commands/command.ts";
import { printable } from "../../text/printable.ts";
import { runCommand } from "../../system/command.ts";
import { ownProgram } from "../../system/own-bun.ts";
import type { World } from "./world.ts";

/** Milliseconds: as many stores as there are, each with a program of its own. */
const deadline = 50_000;
/** Bytes: a row has a few hundred. */
const longestOutput = 1024 * 1024;

const verbs: Readonly<Record<TrustWanted["action"], readonly string[]>> = {
  status: ["trust", "--status"],
  install: ["trust"],
  renew: ["trust", "--renew"],
  remove: ["untrust"],
};

/** One after another: two at once would each find the stores half done. */
export function trustChild(world: World): (wanted: TrustWanted) => Promise<readonly unknown[]> {
  let last: Promise<unknown> = Promise.resolve();
  return (wanted) => {
    const done = last.then(() => run(wanted, world));
    last = done.catch(() => {
      // It was told to whoever asked; the next one is no worse for it.
    });
    return done;
  };
}

/** @throws CommandError with what the verb had to say. */
async function run(
  { action, bare_names: bare }: TrustWanted,
  { env }: World,
): Promise<readonly unknown[]> {
  if (bare && (action === "status" || action === "remove")) {
    throw new CommandError("bad_request", `Trust: ${action} is of every authority of ours`);
  }
  const command = ownProgram([...verbs[action], ...(bare ? ["--bare-names"] : []), "--json"]);
  const result = await runCommand(command, {
    env: Object.fromEntries(
      Object.entries(env).filter((its): its is [string, string] => its[1] !== undefined),
    ),
    deadline,
    limit: longestOutput,
  });
  if (result.kind === "missing") throw new Error(`there is no ${command[0]}`);
  if (result.kind === "failed") throw new CommandError("timeout", result.why);
  // 1 is an answer too: its rows say which store is not as it was asked to be.
  const rows = rowsIn(result.stdout);
  if (rows !== undefined) return rows;
  throw new CommandError("unsupported", printable(result.stderr.trim(), 2_000));
}

function rowsIn(text: string): readonly unknown[] | undefined {
  if (text.trim() === "") return undefined;
  return JSON.parse(text) as unknown[];
}
