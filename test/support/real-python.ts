/** The `python3` in PATH -> the folder of the program itself, where that is a version manager's script. */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync } from "node:fs";
import { renameSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** Outside the repository: many checkouts share it. */
const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "localhostess-tests");
const kept = join(folder, "python3.json");

/**
 * A script such as pyenv's takes half a second, and tests start hundreds. The answer is kept, because this is asked
 * before each test file. Undefined: none is needed.
 */
export function realPythonFolder(): string | undefined {
  const found = Bun.which("python3");
  if (found === null || !isScript(found)) return undefined;
  const asked = JSON.stringify([found, statSync(found).mtimeMs, process.env.PYENV_VERSION]);
  const known = knownAnswer(asked);
  if (known !== undefined && existsSync(join(known, "python3"))) return known;
  const { success, stdout } = Bun.spawnSync([found, "-c", "import sys; print(sys.executable)"], {
    stderr: "ignore",
  });
  const path = stdout.toString().trim();
  if (!success || !path.startsWith("/")) return undefined;
  keep(asked, dirname(path));
  return dirname(path);
}

function knownAnswer(asked: string): string | undefined {
  if (!existsSync(kept)) return undefined;
  const read: unknown = JSON.parse(readFileSync(kept, "utf8"));
  if (!Array.isArray(read) || read[0] !== asked || typeof read[1] !== "string") return undefined;
  return read[1];
}

/** By a new name first: workers of several runs read the file. */
function keep(asked: string, answer: string): void {
  mkdirSync(folder, { recursive: true });
  const temporary = join(folder, `python3-${crypto.randomUUID()}.json`);
  writeFileSync(temporary, JSON.stringify([asked, answer]));
  renameSync(temporary, kept);
}

function isScript(path: string): boolean {
  const begin = Buffer.alloc(2);
  const descriptor = openSync(path, "r");
  try {
    readSync(descriptor, begin);
  } finally {
    closeSync(descriptor);
  }
  return begin.toString() === "#!";
}
