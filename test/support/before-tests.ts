/** Runs once before the first test file: bunfig.toml names it. */
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBuiltPage } from "./built-page.ts";
import { ensurePackages } from "./debian.ts";
import { ensurePluginTranspiler } from "./plugin-calls.ts";
import { ensurePostgresPackages } from "./postgres-packages.ts";
import { realPythonFolder } from "./real-python.ts";

// As npm test has it, also for who runs one file by hand: services under test say `bun`.
const programs = join(import.meta.dir, "../../node_modules/.bin");
const folders = [programs, realPythonFolder(), process.env.PATH];
process.env.PATH = folders.filter((folder) => folder !== undefined).join(":");
// What the person at this machine has configured is not what is tested.
process.env.LOCALHOSTESS_CONFIG = join(import.meta.dir, "config.toml");
// Test files run side by side with each other and with whatever this machine serves, so proxies under test
// leave ports 80 and 443 alone; a test that is about them says so in the environment of its own program.
process.env.LOCALHOSTESS_HTTP_PORT = "off";
process.env.LOCALHOSTESS_HTTPS_PORT = "off";
// Servers of this machine without a NAME are nobody's here; a test that is about them says so for its own program.
process.env.LOCALHOSTESS_INFER = "0";
// A daemon that was replaced does not stay for ten seconds; a test that is about that says so.
process.env.LOCALHOSTESS_TRIAL = "200ms";
// As root, data of stores would be in a folder of the system's own.
const stores = join(tmpdir(), `localhostess-stores-${process.pid}`);
process.env.LOCALHOSTESS_STORES_DIR = stores;
process.on("exit", () => rmSync(stores, { recursive: true, force: true }));

ensureBuiltPage();
await ensurePackages();
await ensurePostgresPackages();
await ensurePluginTranspiler();
