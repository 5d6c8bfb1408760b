/** Arguments in, exit code out. */
import { run } from "./cli/program.ts";
import { systemWorld } from "./cli/world.ts";

// Not by process.exitCode: after a name was looked up, the runtime would stay for another second.
process.exit(await run(process.argv.slice(2), await systemWorld()));
