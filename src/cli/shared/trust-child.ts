/** A command to the daemon about trust -> the same verb, run as a child process, and its rows. */
import { CommandError, type TrustWanted } from "../../control/commands/command.ts";
import { printable } from "../../text/printable.ts";
import { runCommand } from "../../system/command.ts";
import { ownProgram } from "../../system/own-bun.ts";
import { definedOf } from "./defined.ts";
import type { World } from "./world.ts";

/** Milliseconds for all trust stores, each with a program of its own. */
const deadline = 50_000;
/** Bytes: a row has a few hundred. */
const longestOutput = 1024 * 1024;

const verbs: Readonly<Record<TrustWanted["action"], readonly string[]>> = {
  status: ["trust", "--status"],
  install: ["trust"],
  renew: ["trust", "--renew"],
  remove: ["untrust"],
};

/** Runs one at a time: two at once would each find the stores half changed. */
export function trustChild(world: World): (wanted: TrustWanted) => Promise<readonly unknown[]> {
  let last: Promise<unknown> = Promise.resolve();
  return (wanted) => {
    const done = last.then(() => run(wanted, world));
    last = done.catch(() => {
      // The caller has the error; the next run does not depend on it.
    });
    return done;
  };
}

/** @throws CommandError with the output of the verb. */
async function run(
  { action, bare_names: bare }: TrustWanted,
  { env }: World,
): Promise<readonly unknown[]> {
  if (bare && (action === "status" || action === "remove")) {
    throw new CommandError("bad_request", `Trust: bare_names cannot be combined with ${action}`);
  }
  const command = ownProgram([...verbs[action], ...(bare ? ["--bare-names"] : []), "--json"]);
  const result = await runCommand(command, {
    env: definedOf(env),
    deadline,
    limit: longestOutput,
  });
  if (result.kind === "missing") throw new Error(`there is no ${command[0]}`);
  if (result.kind === "failed") throw new CommandError("timeout", result.why);
  // Exit code 1 is an answer too: the rows say which store is not as requested.
  const rows = rowsIn(result.stdout);
  if (rows !== undefined) return rows;
  throw new CommandError("unsupported", printable(result.stderr.trim(), 2_000));
}

function rowsIn(text: string): readonly unknown[] | undefined {
  if (text.trim() === "") return undefined;
  return JSON.parse(text) as unknown[];
}
