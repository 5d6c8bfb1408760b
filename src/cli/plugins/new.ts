/** `localhostess plugin new <folder>` -> the source of a plugin, which npm builds. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { pluginName, pluginNameForm } from "../../plugins/plugins-file.ts";
import wit from "../../plugins/plugin.wit" with { type: "text" };
import { isFolder } from "../../system/is-folder.ts";
import { printable } from "../../text/printable.ts";
import { pastedWord } from "../../text/shell-words.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { type Flags, UsageError } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import { templateFiles } from "./template.ts";

export async function pluginNew(word: string, flags: Flags, world: World): Promise<number> {
  const folder = resolve(world.cwd, word);
  const name = basename(folder).toLowerCase().replace(/[_.]/g, "-");
  if (!pluginName.test(name)) {
    throw new UsageError([
      `${printable(name, 100)} is no name for a plugin: expected ${pluginNameForm}`,
    ]);
  }
  if (existsSync(folder) && !isFolder(folder)) {
    throw new Failure("exists", `${printable(word)} is there already, and is no folder`);
  }
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new Failure("exists", `${printable(word)} is there already, and has files in it`);
  }
  const files = templateFiles({ name, wit });
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text, { flag: "wx" });
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Failure("failed", `${printable(word)} cannot be written: ${code ?? message}`);
  }
  if (flags.json) {
    printJson(world, { name, folder, files: Object.keys(files) });
    return 0;
  }
  world.out.write(`made ${printable(word)}: ${Object.keys(files).join(", ")}\n`);
  world.err.write(
    `to build it: cd ${pastedWord(word)} && npm install && npm run build && localhostess plugin install ${name}.wasm\n`,
  );
  return 0;
}
