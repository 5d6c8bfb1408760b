/** Arguments -> the verb that they name, run; its exit code. */
import { withCommandApart } from "./command-apart.ts";
import { endOf, failed, type Ran } from "./ending.ts";
import type { LsFlags } from "./servers/ls.ts";
import { exitCode } from "./shared/exit-code.ts";
import { asksForJson, jsonRun } from "./shared/json-output.ts";
import type { World } from "./shared/world.ts";

export async function run(typed: readonly string[], outside: World): Promise<number> {
  const argv = withCommandApart(typed);
  const { daemonTalk = { said: new Set(), trouble: false, waited: false } } = outside;
  const world: World = { ...outside, daemonTalk };
  if (!asksForJson(argv)) return (await ran(argv, world)).code;
  const json = jsonRun(world);
  const { code, failure } = await ran(argv, json.world);
  if (code !== exitCode.done) json.finish({ code: failure });
  return code;
}

/** The grammar of all verbs takes a third of the time that `ls` has, so the usual ways to type `ls` go without. */
async function ran(argv: readonly string[], world: World): Promise<Ran> {
  const flags = usual.get(argv.join("\0"));
  if (flags === undefined) return await (await import("./program.ts")).ran(argv, world);
  try {
    return endOf(await (await import("./servers/ls.ts")).ls(flags, world), world);
  } catch (error) {
    return failed(error, { argv, world, place: "ls" });
  }
}

const usual: ReadonlyMap<string, LsFlags> = new Map([
  ["", {}],
  ["ls", {}],
  ["ls\0--json", { json: true }],
]);
