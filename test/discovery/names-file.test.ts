/** names.json: written whole, by one at a time, read when it changes, and never lost. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  claimOf,
  type GivenName,
  longestSocketPath,
  mostNames,
  namesForm,
  namesFormat,
  namesIn,
  withName,
} from "../../src/discovery/given-names.ts";
import { changeNames, givenClaims, namesPath, readNames } from "../../src/discovery/names-file.ts";
import type { Place } from "../../src/routes/claim.ts";
import { lockFile } from "../../src/system/file-lock.ts";
import { formedText } from "../../src/system/state-format.ts";

const givenAt = Date.UTC(2026, 0, 2);
const places: Place[] = [
  { kind: "port", port: 5432 },
  { kind: "port", port: 5432, address: "::1" },
  { kind: "host", host: "box.lan", port: 80 },
  { kind: "socket", path: "/run/a b\n.sock" },
  { kind: "process", process: { pid: 17, startedAt: 1_700_000_000_000 } },
];
const names = places.map((place, at): GivenName => ({
  ...{ name: `n${at}`, place, givenAt },
  ...(place.kind === "socket" ? { owner: 105 } : {}),
}));
const db: GivenName = { name: "db", place: places[0]!, givenAt };

const namesText = (its: readonly GivenName[]): string => formedText(namesForm(its), namesFormat);

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "localhostess-names-"));
  path = namesPath(folder);
});
afterEach(() => rm(folder, { recursive: true }));

test("names of every kind of place are read as they were written", () => {
  expect(namesIn(namesText(names), "names.json")).toEqual({ kind: "names", names });
});

test("a socket that was another user's when it was named may stay so", () => {
  expect(names.map((its) => claimOf(its).owners)).toEqual([
    undefined,
    undefined,
    undefined,
    [105],
    undefined,
  ]);
});

test("a name has one place, and a place has one name", () => {
  const moved = withName([db], { ...db, place: places[2]! });
  expect(moved.map(({ place }) => place)).toEqual([places[2]!]);
  expect(withName(moved, { ...db, name: "far", place: places[2]! })).toEqual([
    { name: "far", place: places[2]!, givenAt },
  ]);
});

test("the file is the person's alone, and nothing else is left in the folder", async () => {
  expect(await changeNames(path, () => names)).toMatchObject({ kind: "changed", before: [] });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder).sort()).toEqual(["names.json", "names.json.lock"]);
  expect(readNames(path)).toEqual({ kind: "names", names });
});

test("ten changes at once are all there afterwards", async () => {
  const all = Array.from({ length: 10 }, (_, at): GivenName => ({
    name: `n${at}`,
    place: { kind: "port", port: 1000 + at },
    givenAt,
  }));
  await Promise.all(all.map((one) => changeNames(path, (before) => withName(before, one))));
  const read = readNames(path);
  expect(read.kind === "names" && read.names.map(({ name }) => name).sort()).toEqual(
    all.map(({ name }) => name),
  );
});

test("while another process changes it for too long, nothing is changed", async () => {
  const lock = lockFile(`${path}.lock`);
  const changed = await changeNames(path, () => names, { patience: 30 });
  if (lock.kind === "locked") lock.release();
  expect(changed).toMatchObject({ kind: "failed" });
  expect(changed.kind === "failed" && changed.why).toContain("another localhostess is changing");
  expect(readdirSync(folder)).toEqual(["names.json.lock"]);
});

const whole = namesText([db]);
describe.each<[string, string, string]>([
  ["cut in half", whole.slice(0, whole.length / 2), "JSON"],
  ["empty", "", "JSON"],
  ["no object", "[]", "it has no list of names"],
  ["a list of something else", '{"names": 7}', "it has no list of names"],
  ["an entry without a place", '{"names": [{"name": "a"}]}', "entry 1 of names is not valid"],
  ["a name that is none", whole.replace('"db"', '"d_b"'), "entry 1 of names is not valid"],
  ["a port that is none", whole.replace("5432", "99999"), "entry 1 of names is not valid"],
  ["a host that is a path", '{"names": [{"name": "a", "host": "/run/a", "port": 1}]}', "entry 1"],
  ["an address that is none", whole.replace("5432", '1, "address": "/run/a"'), "entry 1"],
  ["one name twice", namesText([db, { ...db, place: places[2]! }]), "db is there twice"],
  [
    "a path that is too long",
    namesText([{ ...db, place: { kind: "socket", path: `/${"x".repeat(longestSocketPath)}` } }]),
    "entry 1 of names is not valid",
  ],
  [
    "too many names",
    namesText(Array.from({ length: mostNames + 1 }, (_, at) => ({ ...db, name: `n${at}` }))),
    `more than ${mostNames} names`,
  ],
  ["larger than anybody needs", `${whole}${" ".repeat(600_000)}`, "larger than 512 KiB"],
])("a file that is %s", (_, text, said) => {
  test("is told with what helps, and is not overwritten", async () => {
    writeFileSync(path, text, { mode: 0o600 });
    const read = readNames(path);
    expect(read.kind === "broken" && read.why).toContain(said);
    expect(read.kind === "broken" && read.why).toContain(`mv ${path} ${path}.old`);
    expect(await changeNames(path, () => names)).toEqual({
      kind: "failed",
      why: read.kind === "broken" ? read.why : "",
    });
    expect(readFileSync(path, "utf8")).toBe(text);
  });
});

test("a file that others may write is told with the command that mends it", async () => {
  await changeNames(path, () => names);
  chmodSync(path, 0o666);
  const read = readNames(path);
  expect(read.kind === "broken" && read.why).toContain(
    `may write it; nothing in it was changed; chmod 600 ${path}`,
  );
  expect(await changeNames(path, () => [])).toMatchObject({ kind: "failed" });
  chmodSync(path, 0o600);
  expect(readNames(path)).toEqual({ kind: "names", names });
});

test("a link in its place is told, and not followed", async () => {
  writeFileSync(join(folder, "other"), namesText(names), { mode: 0o600 });
  symlinkSync(join(folder, "other"), path);
  expect(readNames(path)).toMatchObject({ kind: "broken" });
});

test("a pipe in its place is not waited for", () => {
  Bun.spawnSync(["mkfifo", path]);
  expect(readNames(path)).toMatchObject({ kind: "broken" });
});

test("a folder in its place is told, and stays", async () => {
  mkdirSync(path);
  expect(await changeNames(path, () => names)).toMatchObject({ kind: "failed" });
  expect(statSync(path).isDirectory()).toBe(true);
});

test.skipIf(process.getuid?.() === 0)("a folder that may not be written is told", async () => {
  chmodSync(folder, 0o500);
  const changed = await changeNames(path, () => names);
  chmodSync(folder, 0o700);
  expect(changed.kind === "failed" && changed.why).toContain("cannot be written");
});

test("claims are read when the file changes; one that breaks is told once, and changes nothing", async () => {
  const notes: string[] = [];
  const claims = givenClaims(path, (text) => notes.push(text));
  expect(claims.now()).toEqual([]);
  await changeNames(path, () => [db]);
  const known = claims.now();
  expect(known).toEqual([
    {
      name: "db",
      source: "given",
      because: "localhostess name gives it to port 5432",
      place: { kind: "port", port: 5432 },
    },
  ]);
  expect(claims.now()).toBe(known);
  writeFileSync(path, whole.slice(0, 20));
  expect(claims.now()).toBe(known);
  expect(claims.now()).toBe(known);
  expect(notes.length).toBe(1);
  expect(notes[0]).toContain("names stay those that it had");
  await rm(path);
  expect(claims.now()).toEqual([]);
});
