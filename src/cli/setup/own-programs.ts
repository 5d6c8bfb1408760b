/** Our own program -> the two root-owned programs that came with it, or the command that builds them. */
import { existsSync } from "node:fs";
import { arch } from "node:os";
import { dirname, join } from "node:path";
import { helperName } from "../../helper/places.ts";
import { ownFile } from "../../system/own-bun.ts";
import { shellWord } from "../../text/shell-words.ts";

export type OwnPrograms = { kind: "there"; folder: string } | { kind: "unbuilt"; build: string };

export function ownPrograms(program = ownFile()): OwnPrograms {
  // The folder above <package>/bin/localhostess, <package>/src/main.ts or /usr/bin/localhostess.
  const above = dirname(dirname(program));
  const built = join(above, "dist/helper", `linux-${arch()}`);
  for (const folder of [join(above, "libexec"), join(above, "libexec/localhostess"), built]) {
    if (existsSync(join(folder, helperName))) return { kind: "there", folder };
  }
  const [script, out] = ["scripts/build-helper", "dist/helper"].map((path) => join(above, path));
  return { kind: "unbuilt", build: `${shellWord(script!)} --out ${shellWord(out!)}` };
}
