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

test("a compose file's services become containers beside the others, and pass our own check", async () => {
  await using its = await folder({
    "package.json": '{"name":"@me/Corner Shop","scripts":{"dev":"x"}}',
    ".env": "PASSWORD=secret\nTAG=16\n",
    "db.env": "A=1\n",
    "compose.yaml": `name: other
services:
  db:
    image: postgres:\${TAG:-17}
    ports: ["5433:5432"]
    env_file: db.env
    environment: { POSTGRES_PASSWORD: "\${PASSWORD}" }
    networks: [back]
  web: { build: . }
  'x y': {}
networks: { back: {} }
`,
    "compose.override.yaml": "services: { db: { volumes: ['data:/data'] } }\n",
  });
  const { code, out } = await its.run(["init", "--yes", "--json"]);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    project: "corner-shop",
    services: [
      { name: "web", type: "exec", command: "npm run dev", from: 'package.json, "dev"' },
      { name: "db", type: "container", command: null, from: "compose.yaml:3" },
    ],
  });
  const text = await its.text("locald.toml");
  expect(text).not.toContain("secret");
  for (const line of [
    '# depends_on = ["db"]',
    "# From compose.yaml, with compose.override.yaml over it.",
    "# compose.yaml:8: networks: [back]",
    "# compose.yaml:9: web is declared here already; as a container it would be:",
    'image = "postgres:16"',
    'volumes = ["data:/data"]',
  ]) {
    expect(text).toContain(line);
  }
  expect(await its.run(["config", "check"])).toMatchObject({ code: 0 });
});

test.each<[what: string, compose: string, mistake: string]>([
  ["invalid YAML", "services:\n  a: b: c\n", "compose.yaml:2: invalid YAML: "],
  [
    "ten megabytes",
    `# ${"x".repeat(10 * 1024 * 1024)}\n`,
    "compose.yaml: it is larger than 128 KiB",
  ],
  ["no text", "\0\0\0", "compose.yaml:1: "],
  ["an empty one", "", "compose.yaml:1: the file is empty"],
])("a compose file that is %s is an error, and nothing is written", async (_, compose, mistake) => {
  await using its = await folder({ "compose.yaml": compose, Procfile: "web: x\n" });
  const ended = await its.run(["init", "--yes"]);
  expect(ended.code).toBe(1);
  expect(ended.err).toStartWith(mistake);
  expect(ended.err).toEndWith(
    "nothing was written; without the compose file: localhostess init --no-compose\n",
  );
  expect((await readdir(its.path)).sort()).toEqual(["Procfile", "compose.yaml"]);
  if (compose !== "") return;
  expect((await its.run(["init", "--yes", "--no-compose"])).code).toBe(0);
  expect(await its.text("locald.toml")).not.toContain("compose");
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
  const compose = "services: { db: { image: 'postgres:17' } }\n";
  await using its = await folder({ Procfile: "web: x\n", "compose.yaml": compose });
  await using asked = session(["init"], { env: its.env, cwd: its.path });
  await asked.until((output) => output.includes("Project name"));
  asked.type("\r");
  const output = await asked.until((all) => all.includes("Write locald.toml?"));
  expect(output).toContain("  db: postgres:17 (compose.yaml:1)");
  asked.type("n\r");
  expect(await asked.ended()).toBe(1);
  expect((await readdir(its.path)).sort()).toEqual(["Procfile", "compose.yaml"]);
});
