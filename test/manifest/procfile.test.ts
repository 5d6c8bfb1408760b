import { expect, test } from "bun:test";
import { mistakeText } from "../../src/manifest/layer.ts";
import { readProcfile } from "../../src/manifest/procfile.ts";
import { readManifest } from "../../src/manifest/read/read-manifest.ts";
import { directory } from "./manifest.ts";

test("web is a server, the others are workers", () => {
  const text = "# Ours.\nweb: bun dev --port $PORT\r\n\njobs_low : ruby jobs.rb: all\n";
  const layers = [readProcfile(text, "Procfile")];
  const its = readManifest({ directory, layers, envFiles: new Map() });
  if (its.kind !== "project") throw new Error(its.mistakes.join("\n"));
  expect(its.project.services).toMatchObject([
    { name: "web", type: "exec", command: "bun dev --port $PORT", routeName: "shop" },
    { name: "jobs_low", type: "worker", command: "ruby jobs.rb: all", routeName: undefined },
  ]);
  expect(its.fields.find(({ path }) => path.join(".") === "services.jobs_low.command")).toEqual({
    path: ["services", "jobs_low", "command"],
    value: "ruby jobs.rb: all",
    origin: { file: "Procfile", line: 4 },
  });
});

test("errors have their lines", () => {
  const { mistakes } = readProcfile("web\nweb: a\nweb: b\njobs:\n__proto__: x\n", "Procfile");
  expect(mistakes.map(mistakeText)).toEqual([
    'Procfile:1 expected a line such as "web: bun dev"',
    'Procfile:3 "web" is already defined in line 2',
    'Procfile:4 expected a line such as "web: bun dev"',
  ]);
});
