/** Holds the shape of the house: ranks, cycles and purity. Nothing else. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { Glob } from "bun";

const root = resolve(import.meta.dir, "../src");

const ranks: Record<string, number> = {
  system: 0,
  wire: 0,
  manifest: 0,
  routes: 1,
  link: 1,
  tls: 2,
  discovery: 2,
  supervisor: 2,
  proxy: 3,
  control: 3,
  dashboard: 4,
  "daemon.ts": 5,
  cli: 6,
  "main.ts": 7,
};

/** Folders that turn values into values: nothing of the world outside may be named in them. */
const pure = ["wire", "manifest", "routes"];

const forbiddenInPure =
  /\b(Bun|process|globalThis|setTimeout|setInterval|setImmediate|fetch|console|performance|require)\b\s*[.([]|\bDate\.now\b|new Date\(\)|\bMath\.random\b|\bcrypto\b/;

const files = [...new Glob("**/*.{ts,tsx}").scanSync(root)].sort();
const importPattern =
  /(?:import|export)\s[^;]*?from\s+"([^"]+)"|import\s+"([^"]+)"|import\("([^"]+)"\)/g;

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), "utf8");
  return [...text.matchAll(importPattern)].map((match) => (match[1] ?? match[2] ?? match[3])!);
}

function folderOf(file: string): string {
  return file.split("/")[0]!;
}

/** The imports of a file that stay inside `src`, as paths from `src`. */
function localImportsOf(file: string): string[] {
  return importsOf(file)
    .filter((name) => name.startsWith("."))
    .map((name) => relative(root, resolve(root, dirname(file), name)))
    .filter((name) => !name.startsWith(".."));
}

test("every file stands in a folder that has a rank", () => {
  const unknown = files.filter((file) => ranks[folderOf(file)] === undefined);
  expect(unknown).toEqual([]);
});

test("a file imports its own folder and lower ranks only", () => {
  const wrong: string[] = [];
  for (const file of files) {
    for (const imported of localImportsOf(file)) {
      const from = folderOf(file);
      const to = folderOf(imported);
      if (from !== to && ranks[to]! >= ranks[from]!) wrong.push(`${file} imports ${imported}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("no file imports itself by way of others", () => {
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: string[]): void => {
    if (path.includes(file)) {
      cycles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
      return;
    }
    if (done.has(file) || !files.includes(file)) return;
    for (const imported of localImportsOf(file)) visit(imported, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  expect(cycles).toEqual([]);
});

test("pure folders name no socket, file, clock, timer, process or global", () => {
  const wrong: string[] = [];
  for (const file of files.filter((name) => pure.includes(folderOf(name)))) {
    const code = readFileSync(join(root, file), "utf8")
      .replace(/\/\*[\s\S]*?\*\//g, "")
      .replace(/\/\/.*$/gm, "")
      .replace(/"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g, '""');
    const hit = code.match(forbiddenInPure);
    if (hit) wrong.push(`${file} names ${hit[0]}`);
    for (const imported of importsOf(file)) {
      if (imported.startsWith("node:") || imported === "bun" || imported === "bun:ffi") {
        wrong.push(`${file} imports ${imported}`);
      }
    }
  }
  expect(wrong).toEqual([]);
});

test("every file begins by saying what it turns into what", () => {
  const silent = files.filter((file) => {
    const text = readFileSync(join(root, file), "utf8").replace(/^#!.*\n/, "");
    return !text.startsWith("/**");
  });
  expect(silent).toEqual([]);
});

/** Files that may open others by themselves: doors of the system's, and readers of the kernel's own files. */
const openers = [
  /^system\//,
  /^discovery\/(callers|client-owner|client-sockets|departed|procfs|source)\.ts$/,
  /^supervisor\/(census|listening)\.ts$/,
  // Our own sources and what was built of them.
  /^dashboard\/bundle\.ts$/,
];

test("a file whose path others may choose is opened in system/ only", () => {
  const wrong = files
    .filter((file) => !openers.some((opener) => opener.test(file)))
    .flatMap((file) => {
      const text = readFileSync(join(root, file), "utf8");
      const imported = [...text.matchAll(/import \{([^}]*)\} from "node:fs(?:\/promises)?"/g)];
      const names = imported.flatMap(([, list]) => list!.split(",").map((name) => name.trim()));
      const opens = names.filter((name) =>
        /^(open|(read|append|copy)File|create(Read|Write)Stream)(Sync)?$/.test(name),
      );
      if (/\bBun\.file\(/.test(text)) opens.push("Bun.file");
      return opens.map((name) => `${file} uses ${name}; see system/read-text.ts`);
    });
  expect(wrong).toEqual([]);
});
