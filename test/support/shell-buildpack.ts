/** The texts of a buildpack in shell -> its folder, in the shape of the samples of the Buildpacks project. */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

export type ShellBuildpack = {
  id: string;
  version?: string;
  api?: string;
  /** Lines in [buildpack]. */
  own?: string;
  /** Tables behind [buildpack]. */
  tables?: string;
  /** Bodies of bin/detect and bin/build; undefined: there is no such file. */
  detect?: string | undefined;
  build?: string | undefined;
};

/** Passes, has no plan, and builds nothing, where nothing else is said. @returns the folder. */
export async function writeShellBuildpack(
  folder: string,
  { id, version = "1.0.0", api = "0.11", own = "", tables = "", ...scripts }: ShellBuildpack,
): Promise<string> {
  const { detect, build } = { detect: "", build: "", ...scripts };
  await mkdir(join(folder, "bin"), { recursive: true });
  const names = `id = "${id}"\nversion = "${version}"`;
  await writeFile(
    join(folder, "buildpack.toml"),
    `api = "${api}"\n\n[buildpack]\n${names}\n${own}\n\n${tables}\n`,
  );
  for (const [name, body] of Object.entries({ detect, build })) {
    if (body === undefined) continue;
    const path = join(folder, "bin", name);
    await writeFile(path, `#!/bin/sh\n${body}\n`);
    await chmod(path, 0o755);
  }
  return folder;
}

/** Shell that writes a build plan, as the samples do: with `cat` into the second argument. */
export function planned(toml: string): string {
  return `cat >> "$2" <<'EOL'\n${toml}\nEOL`;
}
