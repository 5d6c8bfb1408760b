/** Arguments in, exit code out. */
// First of all: bundled into one executable, the library that signs runs before whatever its own importers import.
import "reflect-metadata";
import { run } from "./cli/run.ts";
import { systemWorld } from "./cli/shared/world.ts";
import { orderWord } from "./manifest/order.ts";
import { pluginWord } from "./plugins/plugin-word.ts";

async function code(): Promise<number> {
  const words = process.argv.slice(2);
  if (words[0] === pluginWord) {
    return await (await import("./plugins/plugin-program.ts")).runPlugin();
  }
  if (words[0] !== orderWord) return await run(words, await systemWorld());
  return await (await import("./programs/run-order.ts")).runOrder(process.env);
}

// Not by process.exitCode: after a name was looked up, the runtime would stay for another second.
process.exit(await code());
