/** What somebody else may have put in a file's place: none of it is opened, none of it holds us up. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { spawnDaemon } from "../../src/control/found/spawn.ts";
import { rotatedFile } from "../../src/supervisor/logs/log-file.ts";
import { jsonFile } from "../../src/system/json-file.ts";
import { onlyVersioned } from "../../src/system/state-format.ts";
import { systemClock } from "../../src/system/clock.ts";
import { lockFile } from "../../src/system/file-lock.ts";
import { logFile } from "../../src/system/log-file.ts";
import { readPrivateFile } from "../../src/system/private-file.ts";
import { readBeginning, readText } from "../../src/system/read-text.ts";
import { openRegularSync, openToAppendSync } from "../../src/system/regular-file.ts";
import { certificateFile } from "../../src/tls/certificate-file.ts";

const source = resolve(import.meta.dir, "../../src/system");
const linux = process.platform === "linux";

let folder: string;
let server: Server;
const longest = 1024 * 1024;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lh-files-"));
  expect(Bun.spawnSync(["mkfifo", join(folder, "pipe")]).exitCode).toBe(0);
  mkdirSync(join(folder, "folder"));
  writeFileSync(join(folder, "sparse"), "");
  truncateSync(join(folder, "sparse"), 1024 ** 3);
  writeFileSync(join(folder, "file"), "text");
  server = createServer();
  await new Promise<void>((ready) => server.listen(join(folder, "socket"), ready));
  for (const name of ["pipe", "folder", "sparse", "socket", "file"]) {
    symlinkSync(name, join(folder, `link-to-${name}`));
  }
  symlinkSync("/dev/tty", join(folder, "link-to-tty"));
  symlinkSync("/dev/zero", join(folder, "link-to-zero"));
});

afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const kinds: [path: string, why: string][] = [
  ["pipe", "it is a named pipe, not a file"],
  ["/dev/tty", "it is a device, not a file"],
  ["/dev/zero", "it is a device, not a file"],
  ["socket", "it is a socket, not a file"],
  ["folder", "it is a folder, not a file"],
  ["sparse", "it is larger than 1024 KiB"],
  ["link-to-pipe", "it is a named pipe, not a file"],
  ["link-to-tty", "it is a device, not a file"],
  ["link-to-zero", "it is a device, not a file"],
  ["link-to-socket", "it is a socket, not a file"],
  ["link-to-folder", "it is a folder, not a file"],
  ["link-to-sparse", "it is larger than 1024 KiB"],
];

test.each(kinds)("%s is not read: %s", async (name, why) => {
  const path = resolve(folder, name);
  expect(await readText(path, { longest })).toEqual({ kind: "unreadable", why });
  expect(readPrivateFile(path, { limit: longest, forbidden: 0 })).toEqual({ kind: "broken" });
  if (!name.endsWith("sparse")) {
    expect(await readBeginning(path, 16)).toBeUndefined();
    await expect(certificateFile(path)).rejects.toThrow(`${path} cannot be read: ${why}`);
  }
});

test("a file is read, also through a link, unless it has to be private", async () => {
  const link = join(folder, "link-to-file");
  expect(await readText(link, { longest })).toMatchObject({ kind: "text", text: "text" });
  expect((await readBeginning(link, 2))?.toString()).toBe("te");
  expect((await readBeginning(join(folder, "link-to-sparse"), 16))?.length).toBe(16);
  const options = { limit: longest, forbidden: 0 };
  expect(readPrivateFile(link, options)).toEqual({ kind: "broken" });
  expect(readPrivateFile(join(folder, "file"), options)).toEqual({ kind: "text", text: "text" });
  expect(await readText(join(folder, "none"), { longest })).toEqual({ kind: "missing" });
  expect(await readText(join(folder, "file/none"), { longest })).toEqual({ kind: "missing" });
});

test.skipIf(!linux)("a file that another takes the place of is opened without waiting", () => {
  const opened = openRegularSync(join(folder, "file"), { follow: true });
  if (opened.kind !== "file") throw new Error(opened.kind);
  const flags = /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${opened.file}`, "utf8"));
  closeSync(opened.file);
  const set = Number.parseInt(flags![1]!, 8);
  expect(set & constants.O_NONBLOCK).toBe(constants.O_NONBLOCK);
  // O_CLOEXEC, include/uapi/asm-generic/fcntl.h.
  expect(set & 0o2000000).toBe(0o2000000);
});

test("a program that waits for a reader of its pipe goes on waiting", async () => {
  const pipe = join(folder, "pipe");
  const writer = Bun.spawn(["sh", "-c", 'echo about; exec 3>"$0"; echo kept >&3', pipe], {
    stdout: "pipe",
  });
  const about = writer.stdout.getReader();
  await about.read();
  for (let count = 0; count < 20; count++) {
    await readText(pipe, { longest });
    await readBeginning(pipe, 16);
    readPrivateFile(pipe, { limit: longest, forbidden: 0 });
  }
  // Had it been let go, its line would be lost, and this reader would wait without end.
  const reader = Bun.spawn(["cat", pipe], { stdout: "pipe" });
  expect(await new Response(reader.stdout).text()).toBe("kept\n");
  expect(await writer.exited).toBe(0);
});

const logs: [name: string, why: string][] = [
  ["pipe", "is a named pipe, not a file; move it away"],
  ["/dev/zero", "is a device, not a file; move it away"],
  ["socket", "is a socket or a pipe, not a file; move it away"],
  ["folder", "is a folder, not a file; move it away"],
  ["link-to-file", "is a link, not a file; move it away"],
  ["link-to-none", "is a link, not a file; move it away"],
];

test.each(logs)("%s is no log: it %s", async (name, why) => {
  const path = resolve(folder, name);
  if (name === "link-to-none") symlinkSync("none", path);
  const command = ["sh", "-c", "echo said"];
  expect(() => openToAppendSync(path)).toThrow(`${path} ${why}`);
  const spawn = () => spawnDaemon({ command, env: {}, log: path });
  expect(spawn).toThrow(path);
  expect(spawn).toThrow(name === "folder" ? "a folder is in its place" : why);
  logFile(path, { now: () => 0 }).write("lost");
  const kept = rotatedFile(path);
  await expect(kept.write([Buffer.from("lost\n")])).rejects.toThrow(`${path} ${why}`);
  expect((await kept.tail(100)).length).toBe(0);
  expect(readFileSync(join(folder, "file"), "utf8")).toBe("text");
  expect(statSync(join(folder, "none"), { throwIfNoEntry: false })).toBeUndefined();
});

test("a log that is put aside is not one that a link leads to", () => {
  const path = join(folder, "daemon.log");
  const other = join(folder, "other");
  writeFileSync(other, "x".repeat(100));
  symlinkSync("other", path);
  logFile(path, { now: () => 0, limit: 10 }).write("a line");
  expect(readFileSync(other, "utf8")).toBe("x".repeat(100));
});

test("a lock's place that is a pipe or a link keeps nobody waiting", () => {
  const locked = lockFile(join(folder, "pipe"));
  if (locked.kind === "locked") locked.release();
  expect(() => lockFile(join(folder, "link-to-file"))).toThrow("ELOOP");
});

test("a pipe in the place of what is kept is put aside, and told of", async () => {
  const path = join(folder, "state.json");
  expect(Bun.spawnSync(["mkfifo", path]).exitCode).toBe(0);
  const notes: string[] = [];
  const file = jsonFile<object>({
    path,
    format: onlyVersioned,
    clock: systemClock,
    check: (value) => value as object,
    note: (text) => void notes.push(text),
  });
  expect(await file.read()).toBeUndefined();
  expect(notes).toEqual([
    expect.stringContaining(`${path} cannot be used (it is a named pipe, not a file); it is kept`),
  ]);
  file.save(() => ({ count: 1 }));
  await file.flush();
  expect(await file.read()).toMatchObject({ count: 1 });
});

test.skipIf(!linux)("a terminal in a file's place does not become ours", async () => {
  const holder = Bun.spawn(["sh", "-c", "read line"], {
    terminal: { cols: 80, rows: 24, data: () => {} },
  });
  const terminal = readlinkSync(`/proc/${holder.pid}/fd/0`);
  expect(terminal).toStartWith("/dev/pts/");
  // It is nobody's now: a process that leads a session and has none would get it by opening it.
  holder.terminal!.write("\n");
  await holder.exited;
  try {
    const script = `
      import { readFileSync } from "node:fs";
      import { readText } from "${source}/read-text.ts";
      import { openToAppendSync } from "${source}/regular-file.ts";
      const { why } = await readText(${JSON.stringify(terminal)}, { longest: 10 });
      let log = "";
      try { openToAppendSync(${JSON.stringify(terminal)}); } catch (error) { log = error.message; }
      const stat = readFileSync("/proc/self/stat", "utf8");
      // proc_pid_stat(5): session and tty_nr are the fourth and fifth behind the name.
      const [, , , session, tty] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      console.log(JSON.stringify({ why, log, leads: Number(session) === process.pid, tty }));
    `;
    const child = Bun.spawn([process.execPath, "-e", script], {
      detached: true,
      stdin: "ignore",
      stdout: "pipe",
    });
    expect(await new Response(child.stdout).json()).toEqual({
      why: "it is a device, not a file",
      log: `${terminal} is a device, not a file; move it away`,
      leads: true,
      tty: "0",
    });
  } finally {
    holder.terminal!.close();
  }
});

test("nothing is opened in the place of a file that nobody may open", () => {
  // A descriptor that is left open would show here.
  const before = openSync(join(folder, "file"), "r");
  closeSync(before);
  for (const [name] of kinds) {
    const opened = openRegularSync(resolve(folder, name), { follow: true });
    if (opened.kind === "file") closeSync(opened.file);
  }
  for (const [name] of logs) expect(() => openToAppendSync(resolve(folder, name))).toThrow();
  const after = openSync(join(folder, "file"), "r");
  closeSync(after);
  expect(after).toBe(before);
});
