/** Runs once before the first test file: bunfig.toml names it. */
import { ensurePackages } from "./debian.ts";

await ensurePackages();
