/** The page's sources -> dist/page.js, built where it is missing or older than they are. */
import { readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");

/** `npm test` and `bun test` of one file alike test the page as it is written, not as it was built at some time. */
export function ensureBuiltPage(): void {
  const sources = join(root, "src/dashboard/page");
  const files = ["package.json", "package-lock.json"].map((name) => join(root, name));
  files.push(...readdirSync(sources).map((name) => join(sources, name)));
  const newest = Math.max(...files.map((path) => statSync(path).mtimeMs));
  const built = statSync(join(root, "dist/page.js"), { throwIfNoEntry: false });
  if (built !== undefined && built.mtimeMs >= newest) return;
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, "run", "page"], { cwd: root });
  if (exitCode !== 0) throw new Error(`the page cannot be built:\n${stderr}`);
}
