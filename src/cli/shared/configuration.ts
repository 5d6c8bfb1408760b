/** The environment -> the contents of `config.toml`, or the errors in it. */
import type { Config, ReadConfig } from "../../manifest/config.ts";
import { configFile } from "../../system/paths.ts";
import { readText } from "../../system/read-text.ts";
import type { World } from "./world.ts";

/** Bytes; far more than a person writes. */
const longest = 1024 * 1024;

export async function configuration(world: World): Promise<ReadConfig> {
  const located = configFile(world);
  if (located.kind === "mistake") return { kind: "mistakes", mistakes: [located.what] };
  const { path } = located;
  const its = await readText(path, { longest });
  if (its.kind === "missing") return none;
  if (its.kind === "unreadable") {
    return { kind: "mistakes", mistakes: [`${path} cannot be read: ${its.why}`] };
  }
  // The reader is loaded only if the file exists: `ls` has 50 ms for everything.
  const { readConfig } = await import("../../manifest/config.ts");
  return readConfig(its.text, path);
}

const empty: Config = {};
const none: ReadConfig = { kind: "config", config: empty };
