/** A NAME that every program has, as if a shell profile exported it: real processes, seen by the real program. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Running, running } from "../support/running.ts";
import { uniqueName } from "../support/servers.ts";

const fixture = resolve(import.meta.dir, "fixtures/gives-up.ts");
const main = resolve(import.meta.dir, "../../src/main.ts");

const common = uniqueName("desk");
const given = uniqueName("api");
const folders: string[] = [];
const all: Running[] = [];

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "localhostess-common-"));
  folders.push(made);
  return made;
}

const program = async (name: string, cwd: string): Promise<void> => {
  const command = ["sh", "-c", "echo ready; exec sleep 600"];
  all.push(await running(command, { env: { NAME: name }, cwd, ready: /ready/ }));
};

const server = async (name: string, cwd: string): Promise<void> => {
  const command = [process.execPath, fixture, "127.0.0.1", "0"];
  all.push(await running(command, { env: { NAME: name }, cwd, ready: /listens on/ }));
};

beforeAll(async () => {
  const place = folder();
  await Promise.all([
    server(common, folder()),
    ...Array.from({ length: 3 }, () => program(common, folder())),
    server(given, place),
    ...Array.from({ length: 6 }, () => program(given, place)),
  ]);
}, 30_000);

afterAll(async () => {
  await Promise.all(all.map((its) => its.end()));
  for (const made of folders) rmSync(made, { recursive: true });
});

async function listed(...more: string[]): Promise<{ out: string; errors: string }> {
  const ls = Bun.spawn([process.execPath, main, "ls", ...more], {
    env: { ...process.env, LOCALHOSTESS_STATE_DIR: folder() },
    stdin: "ignore",
    stderr: "pipe",
  });
  const [out, errors] = await Promise.all([ls.stdout.text(), ls.stderr.text()]);
  return { out, errors };
}

test.skipIf(process.platform !== "linux")(
  "is no server's name, and ls says so once; one that a folder's programs have is",
  async () => {
    const rows: { name: string }[] = JSON.parse((await listed("--json")).out);
    const names = rows.map(({ name }) => name);
    expect(names).toContain(given);
    expect(names).not.toContain(common);
    const { out, errors } = await listed();
    expect(`${out}${errors}`.split(`NAME=${common} is ignored, because`)).toHaveLength(2);
    expect(`${out}${errors}`).not.toContain(`NAME=${given} is ignored`);
  },
  30_000,
);
