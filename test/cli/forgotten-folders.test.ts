/** `localhostess name --forget`: a folder that is to name nothing, listed, remembered, and found by the daemon. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { running, type Running } from "../support/running.ts";
import { freePort, uniqueName } from "../support/servers.ts";
import { type Ended, freshState, type State } from "./cli.ts";
import { inProcess } from "./in-process.ts";

// Each test runs the program several times, on a machine that may be busy.
setDefaultTimeout(60_000);

let state: State;
let server: Running;
let folder: string;
let port: number;
const shop = uniqueName("shop");
const run = (...words: string[]): Promise<Ended> =>
  inProcess(words, { env: { ...state.env, LOCALHOSTESS_INFER: "1" }, cwd: state.directory });

beforeAll(async () => {
  state = await freshState();
  folder = join(realpathSync(state.directory), "shop");
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: `@acme/${shop}` }));
  port = freePort();
  const program = `Bun.serve({ port: ${port}, fetch: () => new Response("") }); console.log("up");`;
  writeFileSync(join(folder, "server.ts"), program);
  server = await running([process.execPath, "server.ts"], { env: {}, cwd: folder, ready: /up/ });
});
afterAll(async () => {
  await server?.end();
  await state[Symbol.asyncDispose]();
});

type Row = { port: number; name: string; because: string };

async function row(): Promise<Row | undefined> {
  const rows: Row[] = JSON.parse((await run("ls", "--json")).out);
  return rows.find((its) => its.port === port);
}

const listed = async (): Promise<unknown> => (await row())?.name;

test("a folder is forgotten by its name or by itself, and remembered again", async () => {
  expect(await row()).toMatchObject({ name: shop, because: `package.json of ${folder}` });
  const offered = async (flag: string) => (await run("__complete", "--", "name", flag, "")).out;
  expect(await offered("--forget")).toMatch(new RegExp(`^${shop}\t.*\n(?:.*\n)*:dirs\n$`, "m"));
  expect(await offered("--remember")).toBe(":none\n");
  const forgotten = await run("name", "--forget", shop);
  expect(forgotten).toMatchObject({ code: 0, err: "" });
  expect(forgotten.out).toBe(
    `${folder} names no servers any more; to undo that: localhostess name --remember ${folder}\n`,
  );
  expect(await listed()).toBeUndefined();
  expect(await offered("--forget")).not.toContain(shop);
  expect(await offered("--remember")).toBe(`${folder}\t\n:none\n`);
  expect((await run("ls")).out).toContain(`:${port}`);
  expect((await run("name", "--forget")).out).toBe(`${folder}\n`);
  expect(JSON.parse((await run("name", "--forget", "--json")).out)).toEqual([
    { folder, forgotten: true },
  ]);
  expect((await run("name", "--remember", "shop")).out).toBe(`${folder} names its servers again\n`);
  expect(await listed()).toBe(shop);
  expect((await run("name", "--forget", "./shop/")).out).toStartWith(folder);
  expect((await run("name", "--forget", "--json", folder)).code).toBe(0);
  expect(JSON.parse((await run("name", "--remember", "--json", folder)).out)).toEqual({
    ...{ folder, forgotten: false },
  });
});

test("servers of other projects within a folder that is forgotten are told, as they keep their names", async () => {
  const above = join(folder, "..");
  writeFileSync(join(above, "package.json"), JSON.stringify({ name: "above" }));
  expect(await run("name", "--forget", ".")).toMatchObject({
    code: 0,
    err: `${shop} is named by a folder in it, and is still\n`,
  });
  expect(await listed()).toBe(shop);
  expect(await run("name", "--remember", above)).toMatchObject({ code: 0 });
  rmSync(join(above, "package.json"));
});

test("what cannot be forgotten or remembered is told", async () => {
  const errors: readonly [words: string[], code: number, why: string][] = [
    [
      ["--forget", "nobody-has-this"],
      1,
      'no server has the name "nobody-has-this" from its folder',
    ],
    [["--forget", "/no/such/folder"], 1, 'no server has the name "/no/such/folder"'],
    [["--forget", "/"], 1, "/ is in no project"],
    [["--remember", "shop"], 1, '"shop" is not forgotten'],
    [["--remember"], 2, "--remember: which folder?"],
    [["--forget", "--remove", "x"], 2, "are for one thing each"],
    [["--forget", "x", "3000"], 2, "is taken alone"],
  ];
  for (const [words, code, why] of errors) {
    const ended = await run("name", ...words);
    expect(ended).toMatchObject({ code, out: "", err: expect.stringContaining(why) });
  }
  writeFileSync(join(state.directory, "forgotten-folders.json"), "[");
  expect(await run("name", "--forget", shop)).toMatchObject({
    ...{ code: 1, err: expect.stringContaining("its content is not valid; to begin anew: rm ") },
  });
});
