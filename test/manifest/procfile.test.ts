import { expect, test } from "bun:test";
import { mistakeText } from "../../src/manifest/layer.ts";
import { readProcfile } from "../../src/manifest/procfile.ts";
import { readManifest } from "../../src/manifest/read/read-manifest.ts";
import { directory } from "./manifest.ts";

function read(text: string, options: Partial<Parameters<typeof readManifest>[0]> = {}) {
  const layers = [readProcfile(text, "Procfile")];
  return readManifest({ directory, layers, envFiles: new Map(), ...options });
}

function services(text: string) {
  const its = read(text);
  if (its.kind !== "project") throw new Error(its.mistakes.join("\n"));
  return its.project.services;
}

function mistakes(text: string): string[] {
  return readProcfile(text, "Procfile").mistakes.map(mistakeText);
}

test("web is a server, and every other line a process with a port that need not listen", () => {
  const text = "# Ours.\nweb: bun dev --port $PORT\r\n\njobs_low : ruby jobs.rb: all\n";
  const its = read(text);
  if (its.kind !== "project") throw new Error(its.mistakes.join("\n"));
  expect(its.project.services).toMatchObject([
    { name: "web", type: "exec", command: "bun dev --port $PORT", routeName: "shop" },
    { name: "jobs_low", type: "process", command: "ruby jobs.rb: all", routeName: "jobs-low.shop" },
  ]);
  expect(its.fields.find(({ path }) => path.join(".") === "services.jobs_low.command")).toEqual({
    path: ["services", "jobs_low", "command"],
    value: "ruby jobs.rb: all",
    origin: { file: "Procfile", line: 4 },
  });
});

test.each<[text: string, meant: Record<string, string>]>([
  ["\uFEFFweb:a\nb:\tc\td\n", { web: "a", b: "c\td" }],
  ["web: a\rb: c\r\n", { web: "a", b: "c" }],
  ["#web: x\n  # b: y\nc: z # not ours\n", { c: "z # not ours" }],
  ["Web: X=1 run\nAPI_v2: y\n", { Web: "X=1 run", API_v2: "y" }],
  ["web: a \\\n  -p $PORT \\\r\n  -b\nb: c", { web: "a   -p $PORT   -b", b: "c" }],
  ["a: x\\\\\nb: y \\", { a: "x\\\\", b: "y \\" }],
  ["# a \\\nb: y", { b: "y" }],
  ["_a_: x\n", { _a_: "x" }],
])("%j is read", (text, meant) => {
  const found = services(text).map(({ name, command }) => [name, command]);
  expect(Object.fromEntries(found)).toEqual(meant);
});

test("errors have their lines", () => {
  const text = "web\nweb: a\nweb: b\njobs:\n__proto__: x\nmy.worker: y\nweb \\\n: z\n";
  expect(mistakes(text)).toEqual([
    'Procfile:1 expected a line such as "web: bun dev"',
    'Procfile:3 "web" is already defined in line 2',
    'Procfile:4 expected a line such as "web: bun dev"',
    'Procfile:6 "my.worker": a name has only letters, digits, _ and -, such as "my-worker"',
    'Procfile:7 "web" is already defined in line 2',
  ]);
});

test("two lines that would have one address are an error", () => {
  const its = read("web: a\njob_x: b\njob-x: c\n");
  expect(its).toMatchObject({
    kind: "mistakes",
    mistakes: [
      "Procfile:3 services.job-x: job_x already has the address job-x.shop.localhost; rename one of them",
    ],
  });
});

test("a process that is named like the project leaves it to the server", () => {
  expect(services("web: a\nshop: b\n").map((its) => its.routeName)).toEqual(["shop", "shop.shop"]);
});

test("each line's port is its own, whatever PORT .env has", () => {
  const env = { kind: "text" as const, text: "PORT=5000\nURL=http://localhost:$PORT\n" };
  const its = read("web: a\n", { envFiles: new Map([[`${directory}/.env`, env]]) });
  expect(its.kind === "project" && its.project.services[0]!.env).toEqual({
    PORT: "5000",
    URL: "http://localhost:${env.PORT:-}",
  });
});
