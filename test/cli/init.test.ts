/** init, with the real program. */
import { expect, test } from "bun:test";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { session } from "./cli.ts";
import { type Files, folder } from "./folder.ts";

const found: [what: string, files: Files, services: Record<string, string>][] = [
  [
    "a dev script",
    { "package.json": '{"scripts":{"dev":"next dev","start":"x"}}' },
    { web: "npm run dev" },
  ],
  [
    "a start script, by the lock file's program",
    { "package.json": '{"scripts":{"start":"node ."}}', "pnpm-lock.yaml": "" },
    { web: "pnpm run start" },
  ],
  [
    "Vite, which takes its port as an option",
    { "package.json": '{"scripts":{"dev":"vite --open"},"packageManager":"bun@1.4.5"}' },
    { web: "bun run dev --port $PORT" },
  ],
  [
    "vitest, which is no Vite",
    { "package.json": '{"scripts":{"dev":"vitest --watch"}}' },
    { web: "npm run dev" },
  ],
  [
    "workspaces",
    {
      "package.json": '{"scripts":{"dev":"turbo"},"workspaces":["apps/*","!apps/x"]}',
      "apps/web/package.json": '{"scripts":{"dev":"vite"}}',
      "apps/API/package.json": '{"scripts":{"start":"x"}}',
      "apps/lib/package.json": "{}",
      "apps/torn/package.json": '{"scripts":',
    },
    { api: "npm run start", web: "npm run dev -- --port $PORT" },
  ],
  [
    "pnpm's workspaces",
    {
      "package.json": "{}",
      "pnpm-workspace.yaml": "packages:\n  - apps/*\n",
      "pnpm-lock.yaml": "",
      "apps/a/package.json": '{"scripts":{"dev":"x"}}',
    },
    { a: "pnpm run dev" },
  ],
  [
    "a Procfile, which goes first",
    { Procfile: "web: x $PORT\njobs: y\n", "package.json": '{"scripts":{"dev":"z"}}' },
    { web: "x $PORT", jobs: "y" },
  ],
  [
    "a Procfile.dev before a Procfile",
    { "Procfile.dev": "web: dev\nmy_jobs: y\n", Procfile: "web: production\nrelease: z\n" },
    { web: "dev", my_jobs: "y" },
  ],
  ["nothing", {}, {}],
];

for (const [what, files, services] of found) {
  test(`from ${what}`, async () => {
    await using its = await folder(files);
    const { code, out, err } = await its.run(["init"]);
    expect({ code, out }).toEqual({ code: 0, out: "" });
    expect(err).toContain("created locald.toml");
    const shown = await its.run(["config", "show", "--json"]);
    const project = shown.code === 0 ? JSON.parse(shown.out) : { services: [] };
    expect(
      Object.fromEntries(
        project.services.map((each: { name: string; command: string }) => [
          each.name,
          each.command,
        ]),
      ),
    ).toEqual(services);
  });
}

test("a compose file's services are hints in comments", async () => {
  await using its = await folder({
    "package.json": '{"name":"@me/Corner Shop","scripts":{"dev":"x"}}',
    "compose.yaml": "services:\n  db: {}\n  'x\\ny': {}\n",
  });
  await its.run(["init", "--yes"]);
  const text = await its.text("locald.toml");
  expect(text).toContain('name = "corner-shop"');
  expect(text).toContain(
    "# compose.yaml has db. To have one started with the rest:\n# [services.db]\n",
  );
  const uncommented = text.replace(/^# (?=\[services|type|command)/gm, "");
  expect(Bun.TOML.parse(uncommented)).toMatchObject({
    services: { db: { type: "worker", command: "docker compose -f compose.yaml up db" } },
  });
});

test.each<[what: string, make: (path: string) => Promise<unknown>]>([
  ["a link to another file", (path) => Bun.$`ln -s ../victim ${path}`],
  ["a link to nothing", (path) => Bun.$`ln -s nowhere ${path}`],
  ["a pipe", (path) => Bun.$`mkfifo ${path}`],
])("--force takes the place of %s, and touches nothing else", async (_, make) => {
  await using its = await folder({ "../victim": "mine\n" });
  const path = join(its.path, "locald.toml");
  await make(path);
  expect((await its.run(["init", "--yes"])).code).toBe(1);
  expect((await its.run(["init", "--yes", "--force"])).code).toBe(0);
  expect((await lstat(path)).isFile()).toBe(true);
  expect(await its.text("../victim")).toBe("mine\n");
});

test("a folder in its place is told", async () => {
  await using its = await folder({ "locald.toml/x": "" });
  const ended = await its.run(["init", "--yes", "--force"]);
  expect([ended.code, ended.err]).toEqual([
    1,
    "localhostess: locald.toml is a folder; remove it first\n",
  ]);
});

test("a file that is there stays, unless --force", async () => {
  await using its = await folder({ "locald.toml": "# Mine.\n", Procfile: "web: x\n" });
  const { code, err } = await its.run(["init", "--yes"]);
  expect(code).toBe(1);
  expect(err).toContain("locald.toml exists already");
  expect(await its.text("locald.toml")).toBe("# Mine.\n");
  expect((await its.run(["init", "--yes", "--force"])).code).toBe(0);
  expect(await its.text("locald.toml")).toContain("[services.web]");
  expect((await readdir(its.path)).sort()).toEqual(["Procfile", "locald.toml"]);
});

test("on a terminal it asks", async () => {
  await using its = await folder({});
  await using asked = session(["init"], { env: its.env, cwd: its.path });
  await asked.until((output) => output.includes("Project name [shop]: "));
  asked.type("my shop\r");
  await asked.until((output) => output.split("Project name").length === 3);
  asked.type("corner\r");
  await asked.until((output) => output.includes("Command that starts the server"));
  asked.type("bun dev\r");
  await asked.until((output) => output.includes("Write locald.toml? [Y/n] "));
  asked.type("\r");
  expect(await asked.ended()).toBe(0);
  const text = await its.text("locald.toml");
  expect(text).toContain('name = "corner"');
  expect(text).toContain('[services.web]\ncommand = "bun dev"');
});

test("no is an answer", async () => {
  await using its = await folder({ Procfile: "web: x\n" });
  await using asked = session(["init"], { env: its.env, cwd: its.path });
  await asked.until((output) => output.includes("Project name"));
  asked.type("\r");
  await asked.until((output) => output.includes("Write locald.toml?"));
  asked.type("n\r");
  expect(await asked.ended()).toBe(1);
  expect(await readdir(its.path)).toEqual(["Procfile"]);
});
