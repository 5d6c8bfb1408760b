/** Runs once before the first test file: bunfig.toml names it. */
import { join } from "node:path";
import { ensurePackages } from "./debian.ts";

// What the person at this machine has configured is not what is tested.
process.env.LOCALHOSTESS_CONFIG = join(import.meta.dir, "no-such-config.toml");

await ensurePackages();
