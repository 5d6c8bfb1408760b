/** An inline buildpack of project.toml -> a folder with a buildpack of the same meaning, named by its content. */
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { InlineScript } from "../../manifest/project-descriptor.ts";
import { moveWhole, removeUnfinished, unfinishedPath } from "../../system/whole-folder.ts";

export type Inline = { id: string; script: InlineScript };

const version = "0.0.0";

/** `folder`: absolute, for all of them. @returns the buildpack's folder. @throws Error of the file system. */
export async function writtenInline({ id, script }: Inline, folder: string): Promise<string> {
  const files = {
    "buildpack.toml": descriptorOf(id, script.api),
    // Whoever writes a script means it: it passes always.
    "bin/detect": "#!/bin/sh\n",
    "bin/build": `#!${script.shell}\n\n${script.inline}\n`,
  };
  const key = new Bun.CryptoHasher("sha256").update(JSON.stringify(files)).digest("hex");
  const directory = join(folder, key.slice(0, 32));
  if (await isThere(join(directory, "buildpack.toml"))) return directory;
  const temporary = unfinishedPath(directory);
  try {
    await mkdir(join(temporary, "bin"), { recursive: true, mode: 0o700 });
    removeUnfinished(folder);
    for (const [path, text] of Object.entries(files)) {
      await writeFile(join(temporary, path), text, {
        mode: path.startsWith("bin/") ? 0o700 : 0o600,
      });
    }
    moveWhole(temporary, directory);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return directory;
}

export async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

/** A target without a field matches any machine. */
function descriptorOf(id: string, api: string): string {
  const text = JSON.stringify;
  return `api = ${text(api)}

[buildpack]
id = ${text(id)}
version = ${text(version)}

[[targets]]
`;
}
