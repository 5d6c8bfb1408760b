/** The record: what is written is read, and nothing else is believed. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Registration,
  readRegistration,
  registrationPath,
  removeRegistration,
  writeRegistration,
} from "../../src/control/found/registration.ts";

let directory: string;

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), "localhostess-registration-")), "state");
});

afterEach(() => rm(join(directory, ".."), { recursive: true, force: true }));

const record: Registration = {
  id: "one",
  pid: process.pid,
  startedAt: 1_700_000_000_000,
  port: 9090,
  version: "0.1.0",
  protocol: "localhostess/2",
  url: "http://127.0.0.1:49152",
  socket: "/run/user/1000/daemon.sock",
  tlds: ["test"],
};

async function written(text: string): Promise<Registration | undefined> {
  await mkdir(directory, { recursive: true });
  await writeFile(registrationPath(directory), text);
  return readRegistration(directory);
}

test("what is written is read, by its owner only", async () => {
  await writeRegistration(directory, record);
  expect(await readRegistration(directory)).toEqual(record);
  expect((await stat(registrationPath(directory))).mode & 0o777).toBe(0o600);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
});

test("there is none where there is no directory, no file, or something else in its place", async () => {
  expect(await readRegistration(directory)).toBeUndefined();
  await mkdir(registrationPath(directory), { recursive: true });
  expect(await readRegistration(directory)).toBeUndefined();
});

test("whether its process lives is not for the record to say", async () => {
  const child = Bun.spawn(["true"]);
  await child.exited;
  await writeRegistration(directory, { ...record, pid: child.pid });
  expect(await readRegistration(directory)).toMatchObject({ pid: child.pid });
});

test("three spellings of loopback are addresses of a daemon", async () => {
  for (const host of ["127.0.0.1", "localhost", "[::1]"]) {
    const url = `http://${host}:49152`;
    expect(await written(JSON.stringify({ ...record, url }))).toMatchObject({ url });
  }
});

const elsewhere = [
  "http://example.com:80",
  "http://127.0.0.2:49152",
  "http://127.1:49152",
  "http://2130706433:49152",
  "http://[::ffff:127.0.0.1]:49152",
  "http://[::1%25lo]:49152",
  "http://0.0.0.0:49152",
  "http://localhost.:49152",
  "http://LOCALHOST:49152",
  "http://localhost.evil.com:49152",
  "http://127.0.0.1@evil.com:49152",
  "http://user@127.0.0.1:49152",
  "http://127.0.0.1:49152@evil.com",
  "http://127.0.0.1:49152/",
  "http://127.0.0.1:49152/path",
  "http://127.0.0.1:49152?query",
  "http://127.0.0.1:49152#evil",
  "http://127.0.0.1:49152\n",
  "http://127.0.0.1",
  "http://127.0.0.1:0",
  "http://127.0.0.1:65536",
  "http://127.0.0.1:049152",
  "https://127.0.0.1:49152",
  "//127.0.0.1:49152",
  "",
];

for (const url of elsewhere) {
  test(`a record with the url ${JSON.stringify(url)} is none`, async () => {
    expect(await written(JSON.stringify({ ...record, url }))).toBeUndefined();
  });
}

test("a record that others may write is none, and neither is a link to one", async () => {
  await writeRegistration(directory, record);
  await chmod(registrationPath(directory), 0o622);
  expect(await readRegistration(directory)).toBeUndefined();
  await chmod(registrationPath(directory), 0o600);
  await rename(registrationPath(directory), join(directory, "elsewhere"));
  await symlink(join(directory, "elsewhere"), registrationPath(directory));
  expect(await readRegistration(directory)).toBeUndefined();
});

test("a pipe in its place holds nobody up", async () => {
  await mkdir(directory, { recursive: true });
  expect(Bun.spawnSync(["mkfifo", registrationPath(directory)]).exitCode).toBe(0);
  expect(await readRegistration(directory)).toBeUndefined();
});

test("who reads while it is written anew again and again sees a whole one each time", async () => {
  await writeRegistration(directory, record);
  let over = false;
  const writer = (async () => {
    for (let launch = 0; launch < 200; launch++) {
      await writeRegistration(directory, { ...record, id: String(launch) });
    }
    over = true;
  })();
  let reads = 0;
  while (!over) {
    expect(await readRegistration(directory)).toBeDefined();
    reads++;
    await new Promise(setImmediate);
  }
  await writer;
  expect(reads).toBeGreaterThan(1);
});

const malformed: [what: string, text: string][] = [
  ["nothing", ""],
  ["half of it", JSON.stringify(record).slice(0, 40)],
  ["null", "null"],
  ["a list", "[]"],
  ["a text", '"one"'],
  ...Object.keys(record)
    .filter((key) => key !== "tlds")
    .map((key): [string, string] => [`no ${key}`, JSON.stringify({ ...record, [key]: undefined })]),
  ["port 0", JSON.stringify({ ...record, port: 0 })],
  ["a port beyond 65535", JSON.stringify({ ...record, port: 65_536 })],
  ["a port in letters", JSON.stringify({ ...record, port: "9090" })],
  ["half a port", JSON.stringify({ ...record, port: 9090.5 })],
  ["http port 0", JSON.stringify({ ...record, httpPort: 0 })],
  ["an https port in letters", JSON.stringify({ ...record, httpsPort: "443" })],
  ["no port but null", JSON.stringify({ ...record, httpPort: null })],
  // kill(0) and kill(-1) would reach other processes than one.
  ["pid 0", JSON.stringify({ ...record, pid: 0 })],
  ["pid -1", JSON.stringify({ ...record, pid: -1 })],
  ["a pid beyond pid_t", JSON.stringify({ ...record, pid: 2 ** 31 })],
  ["an escape in the version", JSON.stringify({ ...record, version: "\x1b[2J" })],
  ["a socket that is not an absolute path", JSON.stringify({ ...record, socket: "daemon.sock" })],
  ["an escape in the socket's path", JSON.stringify({ ...record, socket: "/\x1b[2J" })],
  ["a protocol that is not a word", JSON.stringify({ ...record, protocol: "one two" })],
  ["an escape in a domain", JSON.stringify({ ...record, tlds: ["\x1b[2J"] })],
  ["a domain that is no list", JSON.stringify({ ...record, tlds: "test" })],
  ["a long id", JSON.stringify({ ...record, id: "x".repeat(101) })],
  ["more than a record is", JSON.stringify({ ...record, more: "x".repeat(100_000) })],
];

for (const [what, text] of malformed) {
  test(`a record with ${what} is none`, async () => {
    expect(await written(text)).toBeUndefined();
  });
}

test("a record without domains, of an earlier version, has none", async () => {
  const text = JSON.stringify({ ...record, tlds: undefined });
  expect(await written(text)).toEqual({ ...record, tlds: [] });
});

test("the ports that URLs have are read where they are written, and only then", async () => {
  const all = { ...record, httpPort: 80, httpsPort: 443 };
  await writeRegistration(directory, all);
  expect(await readRegistration(directory)).toEqual(all);
  await writeRegistration(directory, record);
  expect(Object.keys((await readRegistration(directory))!).sort()).toEqual(
    Object.keys(record).sort(),
  );
});

test("fields of a later version are passed over", async () => {
  expect(await written(JSON.stringify({ ...record, more: true }))).toEqual(record);
});

test("a record is removed by whoever wrote it, and twice is harmless", async () => {
  await writeRegistration(directory, record);
  await removeRegistration(directory, "one");
  await removeRegistration(directory, "one");
  expect(await readdir(directory)).toEqual([]);
});

test("the record of a newer proxy stays", async () => {
  await writeRegistration(directory, record);
  await writeRegistration(directory, { ...record, id: "two", port: 9191 });
  await removeRegistration(directory, "one");
  expect(await readRegistration(directory)).toMatchObject({ id: "two", port: 9191 });
});
