import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Registration,
  readRegistration,
  registrationPath,
  removeRegistration,
  writeRegistration,
} from "../../src/control/registration.ts";

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

test("a record whose process has ended is none", async () => {
  const child = Bun.spawn(["true"]);
  await child.exited;
  await writeRegistration(directory, { ...record, pid: child.pid });
  expect(await readRegistration(directory)).toBeUndefined();
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
  expect(Object.keys((await readRegistration(directory))!)).toEqual(Object.keys(record));
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
