import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mayNotify } from "../../src/supervisor/may-notify.ts";

test("a command, or a script that it names, tells whether it may say READY=1", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lh-"));
  try {
    writeFileSync(join(folder, "speaks.py"), `${"#\n".repeat(1000)}os.environ["NOTIFY_SOCKET"]`);
    writeFileSync(join(folder, "silent.py"), "print(1)");
    writeFileSync(join(folder, "empty.js"), "");
    mkdirSync(join(folder, "folder.d"));
    const guesses: [string, boolean][] = [
      ["python3 -u speaks.py --fast", true],
      ["python3 'speaks.py' & wait", true],
      [`python3 ${folder}/speaks.py`, true],
      ["python3 silent.py", false],
      ["node empty.js folder.d missing.js", false],
      ["serve && systemd-notify --ready", true],
      ["npm run dev", false],
      ["", false],
    ];
    for (const [command, wanted] of guesses) {
      expect([command, await mayNotify(command, folder)]).toEqual([command, wanted]);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
