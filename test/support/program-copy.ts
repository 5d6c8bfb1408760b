/** This program, as it stands -> a copy of another version in a folder, as npm installs one for all projects. */
import { cp, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../cli/cli.ts";

export type Version = {
  version: string;
  /** Milliseconds after it has taken over, after which its daemon fails; undefined: it does not. */
  failsAfter?: number | undefined;
};

export type ProgramCopy = {
  /** As a person calls it. */
  program: string;
  /** Another version in a folder of its own, to be put in its place. */
  prepare(folder: string, its: Version): Promise<void>;
  /** Puts it there. */
  replace(prepared: string): Promise<void>;
};

/** The last words of one that fails. */
export const fault = "it is on fire";
/** The line of the daemon that has taken over. */
const begun = "handing.is(over.conversations);";

const parts = ["bin", "src", "pac", "dist"] as const;

/** Below `prefix`, in lib/node_modules. */
export async function programCopy(prefix: string, version: string): Promise<ProgramCopy> {
  const modules = join(prefix, "lib/node_modules");
  const folder = join(modules, "localhostess");
  const declared = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const prepare = async (at: string, { version: its, failsAfter }: Version): Promise<void> => {
    await mkdir(at, { recursive: true });
    for (const part of parts) await cp(join(root, part), join(at, part), { recursive: true });
    await symlink(join(root, "node_modules"), join(at, "node_modules"));
    await writeFile(join(at, "package.json"), JSON.stringify({ ...declared, version: its }));
    if (failsAfter === undefined) return;
    const file = join(at, "src/daemon/daemon.ts");
    const text = await readFile(file, "utf8");
    if (!text.includes(begun)) throw new Error(`${file} has no ${begun}`);
    const fails = `setTimeout(() => { throw new Error("${fault}"); }, ${failsAfter});`;
    await writeFile(file, text.replace(begun, `${begun} ${fails}`));
  };
  await mkdir(modules, { recursive: true });
  await prepare(folder, { version });
  const replace = async (prepared: string): Promise<void> => {
    await rm(folder, { recursive: true });
    await rename(prepared, folder);
  };
  return { program: join(folder, "bin/localhostess"), prepare, replace };
}
