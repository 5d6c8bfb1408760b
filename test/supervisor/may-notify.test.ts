import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mayNotify } from "../../src/supervisor/service/may-notify.ts";

test("a pipe, a terminal or a device that a command names is not opened", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lh-"));
  const pipe = join(folder, "cam.fifo");
  try {
    expect(Bun.spawnSync(["mkfifo", pipe]).exitCode).toBe(0);
    symlinkSync(pipe, join(folder, "linked.fifo"));
    symlinkSync("/dev/zero", join(folder, "zero.js"));
    symlinkSync("/dev/tty", join(folder, "tty.js"));
    const command = "cat cam.fifo linked.fifo | node zero.js tty.js speaks.js";
    expect(await mayNotify(command, folder)).toBe(false);
    writeFileSync(join(folder, "speaks.js"), "process.env.NOTIFY_SOCKET");
    expect(await mayNotify(command, folder)).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

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
