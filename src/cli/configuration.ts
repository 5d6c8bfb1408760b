/** The environment -> what `config.toml` says, or what is wrong with it. */
import { readFile, stat } from "node:fs/promises";
import type { Config, ReadConfig } from "../manifest/config.ts";
import { configFile } from "../system/paths.ts";
import type { World } from "./world.ts";

/** Bytes. Far more than a person writes. */
const longestFile = 256 * 1024;

export async function configuration(world: World): Promise<ReadConfig> {
  const located = configFile(world);
  if (located.kind === "mistake") return { kind: "mistakes", mistakes: [located.what] };
  const { path } = located;
  let text: string;
  try {
    const { size, isFile } = await looked(path);
    // Reading a pipe could take for ever.
    if (!isFile) return unread(path, "it is no file");
    if (size > longestFile) return unread(path, `it is larger than ${longestFile} bytes`);
    text = await readFile(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // ENOTDIR: something on the way there is a file, so this one is not there either.
    if (code === "ENOENT" || code === "ENOTDIR") return none;
    return unread(path, words[code ?? ""] ?? message);
  }
  // What reads it is loaded by those who have one: `ls` has 50 ms for everything.
  const { readConfig } = await import("../manifest/config.ts");
  return readConfig(text, path);
}

const empty: Config = {};
const none: ReadConfig = { kind: "config", config: empty };

function unread(path: string, why: string): ReadConfig {
  return { kind: "mistakes", mistakes: [`${path} cannot be read: ${why}`] };
}

async function looked(path: string): Promise<{ size: number; isFile: boolean }> {
  const its = await stat(path);
  return { size: its.size, isFile: its.isFile() };
}

/** For a person: what the system says, in words. */
const words: Record<string, string> = {
  EACCES: "it is not yours to read; chmod u+r mends that",
  ELOOP: "its links go in a circle",
};
