/** This program, as it stands -> a copy of another version in a folder, as npm installs one for all projects. */
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../cli/cli.ts";

export type ProgramCopy = {
  /** As a person calls it. */
  program: string;
  /** Another version in a folder of its own, to be put in its place. */
  prepare(folder: string, version: string): Promise<void>;
};

const parts = ["bin", "src", "pac", "dist"] as const;

/** Below `prefix`, in lib/node_modules. */
export async function programCopy(prefix: string, version: string): Promise<ProgramCopy> {
  const modules = join(prefix, "lib/node_modules");
  const folder = join(modules, "localhostess");
  const declared = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const prepare = async (at: string, its: string): Promise<void> => {
    await mkdir(at, { recursive: true });
    for (const part of parts) await cp(join(root, part), join(at, part), { recursive: true });
    await symlink(join(root, "node_modules"), join(at, "node_modules"));
    await writeFile(join(at, "package.json"), JSON.stringify({ ...declared, version: its }));
  };
  await mkdir(modules, { recursive: true });
  await prepare(folder, version);
  return { program: join(folder, "bin/localhostess"), prepare };
}
