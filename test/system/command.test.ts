import { expect, test } from "bun:test";
import { chmod, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { runCommand } from "../../src/system/command.ts";
import { asOther } from "../support/other-user.ts";
import { canHaveEtc, compiled, withEtc } from "../support/own-etc.ts";

const limits = { env: { WORD: "héllo" }, deadline: 10_000, limit: 1_000_000 };
const script = (code: string) => [process.execPath, "-e", code] as const;

test("gives what a command printed, and its exit code", async () => {
  const code = "console.log(process.env.WORD); console.error('oops'); process.exit(3)";
  expect(await runCommand(script(code), limits)).toEqual({
    kind: "done",
    code: 3,
    stdout: "héllo\n",
    stderr: "oops\n",
  });
});

test("nothing is read as a shell would", async () => {
  const code = "console.log(process.argv.slice(1).join())";
  const result = await runCommand([...script(code), "$HOME; *", "`id`"], limits);
  expect(result).toMatchObject({ stdout: "$HOME; *,`id`\n" });
});

test("a program that does not exist is missing", async () => {
  expect(await runCommand(["no-such-program-here"], limits)).toEqual({ kind: "missing" });
});

test("a command that prints too much is ended", async () => {
  const code = "for (;;) require('fs').writeSync(1, 'x'.repeat(65536))";
  expect(await runCommand(script(code), { ...limits, limit: 100_000 })).toEqual({
    kind: "failed",
    why: `${process.execPath} printed more than 100000 bytes`,
  });
});

test("a command that takes too long is ended, also when a child of it holds its output", async () => {
  const child = "setTimeout(() => {}, 1500)";
  const code = `
    const { spawn } = require("node:child_process");
    spawn(process.execPath, ["-e", ${JSON.stringify(child)}], { stdio: "inherit" });
    setTimeout(() => {}, 60_000);
  `;
  expect(await runCommand(script(code), { ...limits, deadline: 300 })).toEqual({
    kind: "failed",
    why: `${process.execPath} took longer than 300 ms`,
  });
});

test("a command that a signal ends has failed", async () => {
  const result = await runCommand(script("process.kill(process.pid, 'SIGTERM')"), limits);
  expect(result).toEqual({ kind: "failed", why: `${process.execPath} was ended by SIGTERM` });
});

test("it runs in /, with a PATH that does not go by the current folder", async () => {
  const bin = await realpath(await mkdtemp(join(tmpdir(), "localhostess-command-")));
  try {
    await writeFile(join(bin, "tool"), '#!/bin/sh\necho "$PWD $PATH"\n');
    await chmod(join(bin, "tool"), 0o755);
    const here = relative(process.cwd(), bin);
    const run = (PATH: string) => runCommand(["tool"], { ...limits, env: { PATH } });
    for (const PATH of [here, `${here}:/nonexistent`, "", "."]) {
      expect(await run(PATH)).toEqual({ kind: "missing" });
    }
    const PATH = `${here}::${bin}/node_modules/.bin:${bin}:/usr/bin`;
    expect(await run(PATH)).toMatchObject({ code: 0, stdout: `/ ${bin}:/usr/bin\n` });
  } finally {
    await rm(bin, { recursive: true });
  }
});

test("a command gets its input, and one that reads none of it is no failure", async () => {
  const input = "x".repeat(300_000);
  const count = await runCommand(["wc", "-c"], { ...limits, env: process.env as never, input });
  expect(count).toMatchObject({ kind: "done", stdout: "300000\n" });
  expect(await runCommand(script(""), { ...limits, input })).toMatchObject({ kind: "done" });
});

test.skipIf(!canHaveEtc)(
  `a program that has become root's is not waited for beyond its time ${withEtc}`,
  async () => {
    const directory = await mkdtemp("/tmp/localhostess-command-");
    try {
      await chmod(directory, 0o755);
      const program = join(directory, "roots");
      const source =
        "#include <unistd.h>\nint main(void) { setresuid(0, 0, 0); return (int)sleep(2); }";
      await writeFile(`${program}.c`, source);
      compiled([`${program}.c`], { to: program });
      await chmod(program, 0o4755);
      const module = join(import.meta.dir, "../../src/system/command.ts");
      const code = `const { runCommand } = await import(${JSON.stringify(module)});
      console.log(JSON.stringify(await runCommand([${JSON.stringify(program)}],
        { env: {}, deadline: 100, limit: 10 })));`;
      const done = Bun.spawnSync(asOther([process.execPath, "-e", code]), { cwd: "/" });
      expect(done.stdout.toString()).toContain("took longer than 100 ms");
      expect(done.exitCode).toBe(0);
    } finally {
      await rm(directory, { recursive: true });
    }
  },
);
