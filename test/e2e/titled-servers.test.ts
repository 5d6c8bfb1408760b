/** Servers that write their titles over their environments, each started with a NAME: found on the first request. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { lacking } from "../support/debian.ts";
import { type Program, startProgram } from "../support/program.ts";
import { connectRaw } from "../support/raw-end.ts";
import {
  isMemoryReadable,
  startTitled,
  type TitledKind,
  titledKinds,
  type TitledServer,
} from "../support/titled-servers.ts";
import { describeWith } from "../support/with-programs.ts";

const kinds = (Object.keys(titledKinds) as TitledKind[]).filter(
  (kind) => titledKinds[kind].leaves === undefined || isMemoryReadable(),
);

let program: Program;
const servers = new Map<TitledKind, Promise<TitledServer>>();

beforeAll(async () => {
  program = await startProgram();
  for (const kind of kinds) {
    if (lacking(titledKinds[kind].needs) !== "") continue;
    const starting = startTitled(kind);
    // Its own test says so.
    starting.catch(() => {});
    servers.set(kind, starting);
  }
}, 30_000);

afterAll(async () => {
  await program?.stop();
  for (const outcome of await Promise.allSettled(servers.values())) {
    if (outcome.status === "fulfilled") await outcome.value[Symbol.asyncDispose]();
  }
});

for (const kind of kinds) {
  describeWith(titledKinds[kind].needs)(kind, () => {
    test("is found on the first request", async () => {
      const { name, text } = await servers.get(kind)!;
      using client = await connectRaw(program.port);
      client.send(`GET / HTTP/1.1\r\nHost: ${name}.localhost\r\nConnection: close\r\n\r\n`);
      const { status, body } = await client.message();
      expect({ status, body }).toEqual({ status: 200, body: text });
    }, 30_000);
  });
}

test("a look at the machine without a daemon finds them all", async () => {
  const names = (await Promise.allSettled(servers.values())).flatMap((its) =>
    its.status === "fulfilled" ? [its.value.name] : [],
  );
  const state = await mkdtemp(join(tmpdir(), "localhostess-state-"));
  const main = resolve(import.meta.dir, "../../src/main.ts");
  const ls = Bun.spawn([process.execPath, main, "ls", "--json"], {
    env: { ...process.env, LOCALHOSTESS_STATE_DIR: state },
    stdin: "ignore",
  });
  const found = JSON.parse(await ls.stdout.text());
  await rm(state, { recursive: true });
  const rows: { name: string }[] = Array.isArray(found) ? found : found.services;
  expect(rows.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
}, 30_000);
