/** Ports that go from one server to another, or that two have: each name leads to its own, or to none. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { tmpdir } from "node:os";
import { eventually } from "../support/eventually.ts";
import { type Program, startProgram } from "../support/program.ts";
import { connectRaw, type RawEnd } from "../support/raw-end.ts";
import { type Running, running } from "../support/running.ts";
import { uniqueName } from "../support/servers.ts";

const fixture = resolve(import.meta.dir, "fixtures/gives-up.ts");

let program: Program;
const servers: Running[] = [];

beforeAll(async () => {
  program = await startProgram();
}, 30_000);

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.end()));
});

afterAll(async () => {
  await program?.stop();
});

type Served = { name: string; port: number; server: Running };

async function serve(
  address: string,
  { port = 0, shared = false }: { port?: number; shared?: boolean } = {},
): Promise<Served> {
  const name = uniqueName("taken");
  const command = [process.execPath, fixture, address, String(port), shared ? "shared" : ""];
  const server = await running(command, {
    env: { NAME: name },
    cwd: tmpdir(),
    ready: /listens on (\d+)\./,
  });
  servers.push(server);
  return { name, port: Number(server.said[1]), server };
}

async function ask(end: RawEnd, name: string): Promise<{ status: number; body: string }> {
  end.send(
    `POST / HTTP/1.1\r\nHost: ${name}.localhost\r\nCookie: a=b\r\nContent-Length: 0\r\n\r\n`,
  );
  const { status, body } = await end.message();
  return { status, body };
}

async function asked(name: string): Promise<{ status: number; body: string }> {
  using end = await connectRaw(program.port);
  return await ask(end, name);
}

describe.skipIf(process.platform !== "linux")("each name has its own server", () => {
  test("where one gives its port up, and another takes it at once", async () => {
    const first = await serve("127.0.0.1");
    using kept = await connectRaw(program.port);
    expect(await ask(kept, first.name)).toEqual({ status: 200, body: first.name });
    process.kill(first.server.pid, "SIGUSR1");
    await eventually("its port to be free", () => first.server.output().includes("given up"));
    const second = await serve("127.0.0.1", { port: first.port });
    expect((await asked(first.name)).status).toBe(404);
    expect(await asked(second.name)).toEqual({ status: 200, body: second.name });
  });

  test("where both have the port's number, at different addresses", async () => {
    const exact = await serve("127.0.0.1", { shared: true });
    const wide = await serve("0.0.0.0", { port: exact.port, shared: true });
    const other = await serve("::1", { port: exact.port });
    for (const { name } of [exact, wide, other, exact, wide, other]) {
      expect(await asked(name)).toEqual({ status: 200, body: name });
    }
  });

  test("or both are warned, where they share the very same place", async () => {
    const one = await serve("127.0.0.1", { shared: true });
    const two = await serve("127.0.0.1", { port: one.port, shared: true });
    const main = resolve(import.meta.dir, "../../src/main.ts");
    const state = await mkdtemp(join(tmpdir(), "localhostess-state-"));
    const ls = Bun.spawn([process.execPath, main, "ls", "--json"], {
      env: { ...process.env, LOCALHOSTESS_STATE_DIR: state },
      stdin: "ignore",
    });
    const rows: { name: string; warnings: string[] }[] = JSON.parse(await ls.stdout.text());
    await rm(state, { recursive: true });
    for (const [its, other] of [
      [one, two],
      [two, one],
    ] as const) {
      const row = rows.find(({ name }) => name === its.name);
      expect(row?.warnings.join()).toContain(
        `is shared with ${other.name}, pid ${other.server.pid}`,
      );
    }
  });

  test("where one begins at the more exact address after the other was seen", async () => {
    const wide = await serve("0.0.0.0", { shared: true });
    expect((await asked(wide.name)).body).toBe(wide.name);
    const exact = await serve("127.0.0.1", { port: wide.port, shared: true });
    // A connection of its own: the one that is there belongs to the first.
    const all = await Promise.all(Array.from({ length: 12 }, () => asked(wide.name)));
    expect(new Set(all.map(({ body }) => body))).toEqual(new Set([wide.name]));
    expect((await asked(exact.name)).body).toBe(exact.name);
  });
});
