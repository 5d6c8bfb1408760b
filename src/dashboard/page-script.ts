/** The page's script, as `npm run page` built it -> its text. */
import { readdir, unlink } from "node:fs/promises";
import { join, resolve } from "node:path";

/**
 * Loaded at a browser's first request, because most daemons never show the page. The package and the compiled
 * executable include the script. Nothing is built at run time: a bundler reads files of folders that are not ours, and
 * its output would run with a session. A clone that has not been built gets a script that says so.
 */
export async function pageScript(): Promise<string> {
  try {
    return (await import("../../dist/page.js", { with: { type: "text" } })).default;
  } catch (error) {
    if ((error as { code?: string }).code !== "ERR_MODULE_NOT_FOUND") throw error;
    const clone = resolve(import.meta.dir, "../..");
    const sentence = `This page has not been built yet: run npm run page in ${clone}, then reload.`;
    return `document.getElementById("app").textContent = ${JSON.stringify(sentence)};\n`;
  }
}

/**
 * Removes the scripts that earlier versions built at run time and kept in the state directory. They may have been built
 * from a stranger's files, and a daemon of such a version would serve them again.
 */
export async function removeKeptScripts(stateDirectory: string): Promise<void> {
  const cache = join(stateDirectory, "cache");
  const names = await readdir(cache).catch((): string[] => {
    // Nothing has been kept there.
    return [];
  });
  for (const name of names) {
    if (!/^page-[0-9a-f]{24}\.js$/.test(name)) continue;
    await unlink(join(cache, name)).catch(() => {
      // Another daemon was faster, or the folder is read-only; this version reads none of these files.
    });
  }
}
