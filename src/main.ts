/** Arguments in, exit code out. */
// First of all: bundled into one executable, the library that signs runs before whatever its own importers import.
import "reflect-metadata";
import { run } from "./cli/run.ts";
import { systemWorld } from "./cli/shared/world.ts";

// Not by process.exitCode: after a name was looked up, the runtime would stay for another second.
process.exit(await run(process.argv.slice(2), await systemWorld()));
