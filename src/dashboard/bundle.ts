/** The page's sources -> one script, by Bun's bundler in a process of its own, kept for the next daemon. */
import { mkdir, readdir, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomically } from "../system/atomic-file.ts";

export type BundleOptions = {
  /** Where built scripts are kept; only ours are there. */
  cache: string;
  version: string;
  /** For tests: where the sources are. */
  sources?: string;
  /** A sentence for a person. */
  note(text: string): void;
};

/** Milliseconds; it takes 50 on an idle machine. */
const patience = 30_000;

/**
 * Built when it is first asked for: the bundler takes more memory than a daemon at rest, and most never show the page.
 * One that could not be built is tried again with the next request.
 */
export function pageScript(options: BundleOptions): () => Promise<Uint8Array> {
  let script: Promise<Uint8Array> | undefined;
  return () => {
    script ??= findOrBuild(options).catch((error: unknown) => {
      script = undefined;
      throw error;
    });
    return script;
  };
}

async function findOrBuild(options: BundleOptions): Promise<Uint8Array> {
  const { cache, note, sources = join(import.meta.dir, "page") } = options;
  const path = join(cache, `page-${await fingerprint(sources, options.version)}.js`);
  try {
    const found = await readFile(path);
    if (found.length > 0) return found;
  } catch {
    // Not built yet, or not readable: it is built.
  }
  const built = await build(join(sources, "main.tsx"));
  try {
    await mkdir(cache, { recursive: true, mode: 0o700 });
    await writeAtomically(path, built);
    await removeOthers(cache, path);
  } catch (error) {
    note(`the page's script could not be kept in ${cache}: ${(error as Error).message}`);
  }
  return built;
}

/** Of all that the script is made from; its libraries change with the version. */
async function fingerprint(sources: string, version: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256").update(`${version} ${Bun.version}\n`);
  for (const name of (await readdir(sources)).sort()) {
    if (!/\.tsx?$/.test(name)) continue;
    hasher.update(`${name}\n`).update(await readFile(join(sources, name)));
  }
  return hasher.digest("hex").slice(0, 24);
}

/** @throws with what the bundler said. */
async function build(entry: string): Promise<Uint8Array> {
  const child = Bun.spawn(
    [process.execPath, "build", entry, "--target=browser", "--production", "--sourcemap=none"],
    {
      // A compiled executable is its own Bun.
      env: { BUN_BE_BUN: "1", PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "/" },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: patience,
    },
  );
  const [script, said] = await Promise.all([child.stdout.bytes(), child.stderr.text()]);
  if ((await child.exited) !== 0 || script.length === 0) {
    throw new Error(`the page could not be built: ${said.trim() || `exit code ${child.exitCode}`}`);
  }
  return script;
}

async function removeOthers(cache: string, kept: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const path = join(cache, name);
    if (!/^page-[0-9a-f]{24}\.js$/.test(name) || path === kept) continue;
    await unlink(path).catch(() => {
      // Another daemon was faster.
    });
  }
}
