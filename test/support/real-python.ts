/** The `python3` in PATH -> the folder of the program itself, where that is a version manager's script. */
import { closeSync, openSync, readSync } from "node:fs";
import { dirname } from "node:path";

/** A script such as pyenv's takes half a second, and tests start hundreds. Undefined: none is needed. */
export function realPythonFolder(): string | undefined {
  const found = Bun.which("python3");
  if (found === null || !isScript(found)) return undefined;
  const asked = Bun.spawnSync([found, "-c", "import sys; print(sys.executable)"], {
    stderr: "ignore",
  });
  const path = asked.stdout.toString().trim();
  return asked.success && path.startsWith("/") ? dirname(path) : undefined;
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
