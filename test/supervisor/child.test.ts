import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Pipes, pipes } from "../../src/system/pipes.ts";
import { terminalOfPs, terminalOfStat } from "../../src/system/terminal-flow.ts";
import { eventually } from "../support/eventually.ts";
import { kill, plainEnv, running, spawned } from "./children.ts";

test("it has a terminal of its own: 120x40, colours, and both streams in it", async () => {
  const { exit, text, child } = running({
    command:
      "stty size; test -t 0 && test -t 1 && test -t 2 && echo all; tput colors; echo err >&2; true </dev/tty && echo controls",
  });
  expect(await exit).toEqual({ code: 0, signal: null });
  child.release();
  expect(text).toEqual({ stdout: "40 120\r\nall\r\n256\r\nerr\r\ncontrols\r\n", stderr: "" });
});

test("pipes keep stdout and stderr apart, and are no terminal", async () => {
  const { exit, text, child } = running({
    command: "test -t 1 || echo plain; echo err >&2; test -t 0 || echo none",
    pty: false,
  });
  expect(await exit).toEqual({ code: 0, signal: null });
  child.release();
  expect(text).toEqual({ stdout: "plain\nnone\n", stderr: "err\n" });
});

for (const pty of [true, false]) {
  const means = pty ? "a terminal" : "pipes";

  test(`${means}: it leads a session and a group of its own`, async () => {
    const { exit, text, child } = running({ command: "ps -o sid=,pgid= -p $$", pty });
    await exit;
    child.release();
    expect(text.stdout.trim().split(/\s+/)).toEqual([String(child.pid), String(child.pid)]);
  });

  test(`${means}: exit codes and signals are told as they are`, async () => {
    const ends = ["exit 7", "kill -TERM $$", "kill -KILL $$", "true"].map(async (command) => {
      const { exit, child } = running({ command, pty });
      const ending = await exit;
      child.release();
      return ending;
    });
    expect(await Promise.all(ends)).toEqual([
      { code: 7, signal: null },
      { code: null, signal: "SIGTERM" },
      { code: null, signal: "SIGKILL" },
      { code: 0, signal: null },
    ]);
  });

  test(`${means}: the environment is the one that is given, and nothing else`, async () => {
    const { exit, text, child } = running({
      command: "env",
      pty,
      env: { ...plainEnv, ODD: "a b\n=c", EMPTY: "" },
    });
    await exit;
    child.release();
    const lines = text.stdout.replaceAll("\r", "").split("\n");
    const names = lines.flatMap((line) => /^(\w+)=/.exec(line)?.[1] ?? []);
    // PWD, OLDPWD, SHLVL and _ are the shell's.
    const own = names.filter((name) => !["PWD", "OLDPWD", "SHLVL", "_"].includes(name));
    expect(own.sort()).toEqual(["EMPTY", "ODD", "PATH", "TERM"]);
    expect(text.stdout.replaceAll("\r", "")).toContain("ODD=a b\n=c\n");
  });

  test(`${means}: all output is heard before the exit, to the last byte`, async () => {
    const heard = running({ command: "head -c 3000000 /dev/zero; printf end; exit 3", pty });
    const atExit = await heard.exit.then(() => heard.bytes);
    heard.child.release();
    expect(atExit).toBe(3_000_003);
  });

  test(`${means}: an orphan that holds the output keeps nobody from hearing of the end`, async () => {
    const heard = running({ command: "sleep 60 & echo started; exit 4", pty });
    expect(await heard.exit).toEqual({ code: 4, signal: null });
    expect(heard.text.stdout.trim()).toBe("started");
    heard.child.release();
    heard.child.release();
    kill(heard.child.pid);
  });

  test(`${means}: one that is paused stands still, another goes on, and nothing is lost`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "localhostess-child-"));
    const go = join(folder, "go");
    const waits = `while [ ! -e ${go} ]; do sleep 0.02; done`;
    const command = `printf start; ${waits}; head -c 20000000 /dev/zero; printf end`;
    const loud = running({ command, pty });
    await eventually("something is heard", () => loud.bytes > 0);
    loud.child.pause();
    loud.child.pause();
    writeFileSync(go, "");
    for (let others = 0; others < 2; others++) {
      const other = running({ command: "head -c 5000000 /dev/zero", pty });
      expect(await other.exit).toEqual({ code: 0, signal: null });
      other.child.release();
    }
    // The kernel's buffers may still be heard.
    expect(loud.bytes).toBeLessThan(1_000_000);
    loud.child.resume();
    expect(await loud.exit).toEqual({ code: 0, signal: null });
    expect(loud.bytes).toBe(20_000_008);
    loud.child.release();
    rmSync(folder, { recursive: true });
  });

  test(`${means}: its standard input stays open, and what is written there is read`, async () => {
    const heard = running({
      command: "echo begins; while read line; do echo got $line; done",
      pty,
    });
    await eventually("it begins", () => heard.text.stdout.includes("begins"));
    for (const line of ["one", "two"]) {
      heard.child.input.write(Buffer.from(`${line}\n`));
      await eventually("it is read", () => heard.text.stdout.includes(`got ${line}`));
    }
    await eventually("all was taken", () => heard.child.input.untaken === 0);
    heard.child.release();
    heard.child.input.write(Buffer.from("nobody\n"));
    heard.child.input.resize({ cols: 10, rows: 10 });
    expect(await heard.exit).toEqual(pty ? { code: null, signal: "SIGHUP" } : expect.anything());
  });

  test(`${means}: what a process does not read is counted, and its end takes it away`, async () => {
    const command = `${pty ? "stty raw -echo; " : ""}echo begins; exec sleep 60`;
    const heard = running({ command, pty });
    await eventually("it begins", () => heard.text.stdout.includes("begins"));
    for (let at = 0; at < 4; at++) heard.child.input.write(new Uint8Array(200_000));
    expect(heard.child.input.untaken).toBeGreaterThan(100_000);
    kill(heard.child.pid);
    expect((await heard.exit).signal).toBe("SIGKILL");
    heard.child.input.write(Buffer.from("nobody\n"));
    heard.child.release();
  });

  test(`${means}: two hundred children leave no descriptor behind`, async () => {
    const descriptors = () => readdirSync("/proc/self/fd").length;
    const first = running({ command: "true", pty });
    await first.exit;
    first.child.release();
    const before = descriptors();
    const all = Array.from({ length: 200 }, () => running({ command: "echo here", pty }));
    await Promise.all(all.map(({ exit }) => exit));
    for (const { child } of all) child.release();
    await eventually("all are closed", () => descriptors() <= before);
    expect(all.every(({ text }) => text.stdout.trim() === "here")).toBe(true);
  });
}

for (const input of [undefined, "none"] as const) {
  const means = input === undefined ? "pipes" : "pipes, and no input";

  test(`${means}: /dev/stdin, /dev/stdout and /dev/stderr can be opened by their names`, async () => {
    const command = [
      "echo a >/dev/stdout; echo b >/dev/stderr; echo c | tee -a /dev/stderr",
      "echo d >>/proc/self/fd/1; sh -c 'exec 3<>/dev/stderr; echo e >&3'",
      input === undefined ? "read x </dev/stdin" : "cat </dev/stdin && x=end",
      "echo got $x",
    ].join("\n");
    const { child, exit, text } = running({ command, pty: false, ...(input && { input }) });
    if (input === undefined) child.input.write(Buffer.from("line\n"));
    expect(await exit).toEqual({ code: 0, signal: null });
    child.release();
    const got = input === undefined ? "line" : "end";
    expect(text).toEqual({ stdout: `a\nc\nd\ngot ${got}\n`, stderr: "b\nc\ne\n" });
  });
}

test("bash reads no file of the person's own, by whichever means it has its input", async () => {
  const folder = mkdtempSync(join(tmpdir(), "localhostess-bash-"));
  try {
    writeFileSync(join(folder, ".bashrc"), "echo read it\n");
    const bash = {
      command: "echo runs",
      shell: ["bash", "-c"],
      // No SHLVL: as the first shell of all.
      env: { ...plainEnv, HOME: folder },
    };
    const said = async (options: Parameters<typeof spawned>[0], effects = {}) => {
      const { heard } = spawned(options, effects);
      await heard.exit;
      heard.child.release();
      return heard.text.stdout.trim();
    };
    expect(await said(bash)).toBe("runs");
    expect(await said({ ...bash, pty: false })).toBe("runs");
    expect(await said({ ...bash, pty: false, input: "none" })).toBe("runs");
    expect(await said({ ...bash, pty: false }, { pipes: undefined })).toBe("runs");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("where the system's pipes are not used, those of Bun do", async () => {
  const { heard } = spawned(
    { command: "echo err >&2; while read line; do echo got $line; done; exit 3", pty: false },
    { pipes: undefined },
  );
  heard.child.input.write(Buffer.from("one\n"));
  await eventually("it is read", () => heard.text.stdout === "got one\n");
  heard.child.release();
  expect(await heard.exit).toBeDefined();
  expect(heard.text).toEqual({ stdout: "got one\n", stderr: "err\n" });
});

test("pipes: one that closes its output runs on, and its end is told", async () => {
  const heard = running({
    command: "echo first; exec >&-; echo late >&2; exec 2>&-; read line; exit 5",
    pty: false,
  });
  let ended = false;
  void heard.exit.then(() => {
    ended = true;
  });
  await eventually("it has said all", () => heard.text.stderr === "late\n");
  expect(ended).toBe(false);
  heard.child.input.write(Buffer.from("go\n"));
  expect(await heard.exit).toEqual({ code: 5, signal: null });
  expect(heard.text.stdout).toBe("first\n");
  heard.child.release();
});

test("pipes: an orphan that holds them is heard until the release, and can write no more after it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "localhostess-orphan-"));
  const go = join(folder, "go");
  const orphan = `while [ ! -e ${go} ]; do sleep 0.02; done; echo more; sleep 0.02; echo and more; echo here >${folder}/lives`;
  const heard = running({ command: `(echo late; ${orphan}) & echo started; exit 4`, pty: false });
  expect(await heard.exit).toEqual({ code: 4, signal: null });
  await eventually("the orphan is heard", () => heard.text.stdout.includes("late"));
  heard.child.release();
  writeFileSync(go, "");
  // Once all of its group have ended, the group's number is nobody's.
  await eventually("the orphan has ended", () => !alive(-heard.child.pid));
  expect(readdirSync(folder)).toEqual(["go"]);
  expect(heard.text.stdout).not.toContain("more");
  rmSync(folder, { recursive: true });
});

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("no child has an end of another's pipes, so that each has its own end of input", async () => {
  const first = running({ command: "cat; echo over", pty: false });
  const others = [true, false].map((pty) => running({ command: "echo here; exec cat", pty }));
  // A program may have others open for a moment, such as its libraries; an inherited one stays.
  await eventually("both have three", () =>
    others.every(
      ({ child, text }) =>
        text.stdout.includes("here") &&
        readdirSync(`/proc/${child.pid}/fd`).sort().join(" ") === "0 1 2",
    ),
  );
  first.child.input.write(Buffer.from("bytes\n"));
  await eventually("it is read", () => first.text.stdout === "bytes\n");
  first.child.release();
  expect(await first.exit).toBeDefined();
  for (const { child, exit } of others) {
    kill(child.pid);
    await exit;
    child.release();
  }
});

test("pipes: one that reads its own output keeps nobody from being heard", async () => {
  const thief = running({
    command:
      "cat /dev/stdout >/dev/null & for n in 1 2 3 4 5 6 7 8 9; do echo $n; done; kill $!; wait; echo over",
    pty: false,
  });
  expect(await thief.exit).toEqual({ code: 0, signal: null });
  thief.child.release();
  expect(thief.text.stdout).toEndWith("over\n");
});

test("a start that is refused leaves no descriptor behind", async () => {
  const descriptors = () => readdirSync("/proc/self/fd").length;
  const spawn = () => {
    throw Object.assign(new Error("EAGAIN"), { code: "EAGAIN" });
  };
  const refuse = () => spawned({ command: "true", pty: false }, { spawn }).result;
  expect(refuse()).toMatchObject({ kind: "refused", passing: true });
  const before = descriptors();
  for (let at = 0; at < 50; at++) refuse();
  await eventually("all are closed", () => descriptors() <= before);
  const system = pipes(process.platform)!;
  let uncancelled = 0;
  const counting: Pipes = {
    ...system,
    fromProcess() {
      const { reader, ...pipe } = system.fromProcess();
      uncancelled++;
      const cancel = async () => {
        uncancelled--;
        await reader.cancel();
      };
      return { ...pipe, reader: { read: () => reader.read(), cancel } };
    },
  };
  spawned({ command: "true", pty: false }, { spawn, pipes: counting });
  expect(uncancelled).toBe(0);
});

test("a terminal has the size that it is given, and its program hears of it", async () => {
  const command = "trap 'stty size' WINCH; stty size; while :; do sleep 0.05; done";
  const { child, text, exit } = running({ command });
  await eventually("the usual size", () => text.stdout.includes("40 120"));
  child.input.resize({ cols: 77, rows: 33 });
  await eventually("the new size", () => text.stdout.includes("33 77"));
  kill(child.pid);
  await exit;
  child.release();
});

test("the command is the last word of its shell, which is looked up in its own PATH", async () => {
  const folder = mkdtempSync(join(tmpdir(), "localhostess-shell-"));
  try {
    writeFileSync(join(folder, "own-shell"), '#!/bin/sh\necho "<$*>"\n', { mode: 0o755 });
    const env = { PATH: `${folder}:${process.env.PATH}` };
    const said = async (shell: string[], command: string) => {
      const its = running({ command, shell, env, pty: false });
      await its.exit;
      its.child.release();
      return its.text.stdout;
    };
    expect(await said(["own-shell", "-x", "--run"], "a b; c")).toBe("<-x --run a b; c>\n");
    expect(await said([join(folder, "own-shell"), "-c"], "$PORT")).toBe("<-c $PORT>\n");
    expect(await said(["bash", "-c"], 'words=(one two); echo "${words[1]}"')).toBe("two\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a shell that cannot be run is named", () => {
  const folder = mkdtempSync(join(tmpdir(), "localhostess-shell-"));
  try {
    writeFileSync(join(folder, "text"), "");
    writeFileSync(join(folder, "lost"), `#!${folder}/none\n`, { mode: 0o755 });
    const why = (program: string) => {
      const { result } = spawned({ command: "true", shell: [program, "-c"] });
      return result.kind === "refused" && !result.passing && result.why;
    };
    expect(why("no-such-shell")).toBe('its shell "no-such-shell" is not in its PATH');
    expect(why("/opt/none/fish")).toBe("there is no shell at /opt/none/fish");
    expect(why(folder)).toBe(`its shell ${folder} is not a program`);
    if (process.getuid!() !== 0) {
      expect(why(join(folder, "text"))).toContain("may not be run");
    }
    expect(why(join(folder, "lost"))).toContain("that is not there");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("what keeps it from starting is told in words", () => {
  const folder = mkdtempSync(join(tmpdir(), "localhostess-child-"));
  try {
    const file = join(folder, "file");
    writeFileSync(file, "");
    const whyFor = (options: Parameters<typeof spawned>[0], effects = {}) => {
      const { result } = spawned(options, effects);
      return result.kind === "refused" && result;
    };
    const command = "true";
    expect(whyFor({ command, workdir: join(folder, "none") })).toEqual({
      kind: "refused",
      why: `its workdir ${folder}/none does not exist`,
      passing: false,
    });
    expect(whyFor({ command, workdir: file })).toMatchObject({
      why: `its workdir ${file} is not a folder`,
    });
    expect(whyFor({ command, env: { BIG: "x".repeat(200_000) } })).toMatchObject({
      why: "its command and environment are larger than the system takes",
      passing: false,
    });
    const failing = (code: string) => ({
      spawn: () => {
        throw Object.assign(new Error(code), { code });
      },
    });
    expect(whyFor({ command }, failing("ENOENT"))).toMatchObject({
      why: "its shell needs a program that is not there (ENOENT)",
      passing: false,
    });
    expect(whyFor({ command }, failing("EAGAIN"))).toMatchObject({
      why: "the system lets this user start no further process (EAGAIN; see `ulimit -u`)",
      passing: true,
    });
    expect(whyFor({ command }, failing("EMFILE"))).toMatchObject({ passing: true });
    expect(whyFor({ command }, failing("EWHAT"))).toMatchObject({
      why: "it could not be started: EWHAT",
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a terminal is known by its device on Linux, and by ps on macOS", () => {
  const stat = (device: number) => `12 (a) b) S 1 12 12 ${device} 12 4194304`;
  expect(terminalOfStat(stat(34_816))).toBe("/dev/pts/0");
  expect(terminalOfStat(stat(34_823))).toBe("/dev/pts/7");
  // Minor 300.
  expect(terminalOfStat(stat((136 << 8) | (300 & 0xff) | ((300 & ~0xff) << 12)))).toBe(
    "/dev/pts/300",
  );
  expect(terminalOfStat(stat(0))).toBeUndefined();
  // A virtual console is not ours.
  expect(terminalOfStat(stat(1025))).toBeUndefined();
  expect(terminalOfPs("ttys003  \n")).toBe("/dev/ttys003");
  expect(terminalOfPs("??\n")).toBeUndefined();
  expect(terminalOfPs("")).toBeUndefined();
});
