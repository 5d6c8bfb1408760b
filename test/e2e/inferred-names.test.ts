/** Ten servers as people start them, none with a NAME: each has the name that a person would give it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceRow } from "../../src/routes/service-row.ts";
import type { Unusable } from "../../src/routes/unusable.ts";
import { cli } from "../cli/cli.ts";
import { eventually } from "../support/eventually.ts";
import { isAtHand, namelessServers, startNameless, tools } from "../support/nameless-servers.ts";
import { type Program, startProgram } from "../support/program.ts";
import type { Running } from "../support/running.ts";

const id = randomBytes(4).toString("hex");
let base: string;
let program: Program;
const started = new Map<string, Promise<Running & { port: number }>>();

const here = Object.entries(namelessServers).filter(([, its]) => isAtHand(its));
const toolsHere = Object.entries(tools).filter(([, its]) => isAtHand(its));

beforeAll(async () => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "localhostess-nameless-")));
  for (const [at, [kind, its]] of [...here, ...toolsHere].entries()) {
    const own = its.isPackage ? base : join(base, String(at));
    const starting = startNameless(its, { base: own, id });
    starting.catch(() => {});
    started.set(kind, starting);
  }
  program = await startProgram([], { LOCALHOSTESS_INFER: "1" });
}, 60_000);

afterAll(async () => {
  await program?.stop();
  for (const outcome of await Promise.allSettled(started.values())) {
    if (outcome.status === "fulfilled") await outcome.value.end();
  }
  rmSync(base, { recursive: true, force: true });
}, 60_000);

async function listed(): Promise<(ServiceRow & { nameless?: readonly Unusable[] })[]> {
  const env = { LOCALHOSTESS_STATE_DIR: program.state, LOCALHOSTESS_INFER: "1" };
  const { out } = await cli(["ls", "--json"], { env });
  return JSON.parse(out);
}

test.each(here)(
  "%s",
  async (kind, { name, page }) => {
    const { port } = await started.get(kind)!;
    const address = { headers: { host: `${name(id)}.localhost` } };
    let text = "";
    await eventually(`${name(id)} answers`, async () => {
      const answer = await fetch(`http://127.0.0.1:${program.port}/`, address);
      text = await answer.text();
      return page.test(text);
    }).catch(async (error) => {
      throw new Error(`${error.message}: ${text.slice(0, 500)} ${JSON.stringify(await listed())}`);
    });
    const row = (await listed()).find((its) => its.port === port);
    expect(row).toMatchObject({ name: name(id), source: "folder", warnings: [] });
  },
  60_000,
);

for (const [kind, its] of Object.entries(namelessServers)) {
  if (!isAtHand(its)) test.skip(`${kind} (is not at hand)`, () => {});
}

test("tools that listen in a project are not listed, with a name or without", async () => {
  const ports = await Promise.all(toolsHere.map(async ([kind]) => (await started.get(kind)!).port));
  // Until each has been seen by a look that began after it listened.
  const all = await listed();
  expect(all.filter((its) => its.ports.some((port) => ports.includes(port)))).toEqual([]);
  const env = { LOCALHOSTESS_STATE_DIR: program.state, LOCALHOSTESS_INFER: "1" };
  const { out, err } = await cli(["ls"], { env });
  for (const port of ports) expect(`${out}${err}`).not.toContain(`:${port}`);
}, 60_000);
