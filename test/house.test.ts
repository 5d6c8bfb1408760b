/** Holds the shape of the house: ranks, the order of subfolders, cycles and purity. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { Glob } from "bun";

const root = resolve(import.meta.dir, "../src");

const ranks: Record<string, number> = {
  text: 0,
  wire: 0,
  system: 1,
  manifest: 1,
  link: 2,
  routes: 2,
  tls: 3,
  discovery: 3,
  remote: 3,
  containers: 3,
  boot: 3,
  helper: 3,
  sites: 3,
  stores: 3,
  build: 3,
  plugins: 3,
  programs: 4,
  supervisor: 4,
  proxy: 4,
  control: 5,
  dashboard: 6,
  daemon: 7,
  cli: 8,
  "main.ts": 9,
};

/**
 * Subfolders, lowest first: a file imports its own subfolder and those before it. Subfolders in one row are siblings.
 * "" is the folder itself. A folder that is not named here has subfolders that may import each other.
 */
const orders: Record<string, readonly (readonly string[])[]> = {
  containers: [[""], ["runs"], ["build"]],
  manifest: [["types"], [""], ["read"], ["compose"]],
  supervisor: [["logs"], ["family"], ["service"], ["types"], ["project"], [""]],
  proxy: [
    ["pages"],
    ["frames"],
    ["streams"],
    ["upstream"],
    ["tunnel"],
    ["request"],
    ["client"],
    ["h2"],
    ["listener"],
  ],
  stores: [["postgres", "servers"], [""]],
  build: [["buildpacks"], [""]],
  control: [["found"], ["commands"], ["http"], ["ipc"]],
  cli: [
    ["shared"],
    ["servers", "projects", "plugins", "trust", "daemon", "setup", "boot", "typing"],
    ["install"],
    [""],
  ],
};

/** Folders that turn values into values: nothing of the world outside may be named in them. */
const pure = ["text", "wire", "manifest", "routes"];

/** Tables of states in folders that are not pure: nothing but the state and the event decides. */
const tables = [
  "containers/engine-states.ts",
  "containers/runs/run-states.ts",
  "proxy/upstream/dial-states.ts",
  "proxy/upstream/evidence.ts",
  "proxy/client/states.ts",
  "proxy/frames/stream-states.ts",
  "proxy/request/waits.ts",
  "proxy/upstream/login-turns.ts",
  "supervisor/family/ending-plan.ts",
  "supervisor/project/wishes.ts",
  "supervisor/service/site-states.ts",
  "supervisor/service/states.ts",
  "supervisor/service/swap-states.ts",
  "remote/states.ts",
];

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

/** The place of a file in its folder's order; undefined where its subfolder has none. */
function placeOf(file: string): number | undefined {
  const [folder, ...path] = file.split("/");
  const subfolder = path.length > 1 ? path[0]! : "";
  const place = orders[folder!]!.findIndex((row) => row.includes(subfolder));
  return place < 0 ? undefined : place;
}

type Import = { file: string; imported: string };

/** Whether a file may not import another: a sibling folder, a higher rank, or a subfolder that comes later. */
function isUpward({ file, imported }: Import): boolean {
  const [from, to] = [folderOf(file), folderOf(imported)];
  if (from !== to) return ranks[to]! >= ranks[from]!;
  if (orders[from] === undefined || dirname(file) === dirname(imported)) return false;
  return placeOf(imported)! >= placeOf(file)!;
}

function upwardIn(imports: readonly Import[]): string[] {
  return imports.filter(isUpward).map(({ file, imported }) => `${file} imports ${imported}`);
}

/** Each cycle of imports, as `a -> b -> a`. */
function cyclesIn(importsOf: (file: string) => readonly string[], all: readonly string[]) {
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: string[]): void => {
    if (path.includes(file)) {
      cycles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
      return;
    }
    if (done.has(file) || !all.includes(file)) return;
    for (const imported of importsOf(file)) visit(imported, [...path, file]);
    done.add(file);
  };
  for (const file of all) visit(file, []);
  return cycles;
}

/** The imports of a file that stay inside `src`, as paths from `src`. */
function localImportsOf(file: string): string[] {
  return importsOf(file)
    .filter((name) => name.startsWith("."))
    .map((name) => relative(root, resolve(root, dirname(file), name)))
    .filter((name) => !name.startsWith(".."));
}

test("every file stands in a folder that has a rank, and in a subfolder that has a place", () => {
  const unknown = files.filter((file) => {
    const folder = folderOf(file);
    if (ranks[folder] === undefined) return true;
    return orders[folder] !== undefined && placeOf(file) === undefined;
  });
  expect(unknown).toEqual([]);
});

test("a file imports its own folder and lower ranks, its own subfolder and those before it", () => {
  const imports = files.flatMap((file) =>
    localImportsOf(file).map((imported) => ({ file, imported })),
  );
  expect(upwardIn(imports)).toEqual([]);
});

test("an import that goes upward is found, wherever it is planted", () => {
  const planted = [
    // A higher rank, a sibling folder of the same rank, and main.ts.
    { file: "wire/head.ts", imported: "link/link.ts" },
    { file: "text/printable.ts", imported: "wire/bytes.ts" },
    { file: "tls/leaf.ts", imported: "discovery/name.ts" },
    { file: "containers/engines.ts", imported: "discovery/scanner.ts" },
    { file: "supervisor/logs/log-ring.ts", imported: "proxy/pages/page.ts" },
    { file: "daemon/daemon.ts", imported: "main.ts" },
    // A later subfolder, a sibling subfolder, the folder itself.
    { file: "manifest/layer.ts", imported: "manifest/read/read-manifest.ts" },
    { file: "proxy/pages/reply.ts", imported: "proxy/client/connection.ts" },
    { file: "proxy/request/recorder.ts", imported: "proxy/listener/listener.ts" },
    { file: "supervisor/family/family.ts", imported: "supervisor/service/child.ts" },
    { file: "supervisor/project/project.ts", imported: "supervisor/projects.ts" },
    { file: "control/found/probe.ts", imported: "control/commands/commands.ts" },
    { file: "cli/trust/doctor.ts", imported: "cli/servers/why.ts" },
    { file: "cli/shared/look.ts", imported: "cli/program.ts" },
  ];
  expect(upwardIn(planted)).toEqual(
    planted.map(({ file, imported }) => `${file} imports ${imported}`),
  );
  const allowed = [
    { file: "link/link.ts", imported: "wire/bytes.ts" },
    { file: "proxy/listener/listener.ts", imported: "proxy/pages/page.ts" },
    { file: "cli/program.ts", imported: "cli/shared/world.ts" },
    { file: "tls/trust/nss.ts", imported: "tls/identity.ts" },
    { file: "tls/certificates.ts", imported: "tls/trust/store.ts" },
  ];
  expect(upwardIn(allowed)).toEqual([]);
});

test("no file imports itself by way of others", () => {
  expect(cyclesIn(localImportsOf, files)).toEqual([]);
});

test("a cycle of imports is found where it is planted", () => {
  const planted: Record<string, string[]> = { a: ["b"], b: ["c"], c: ["b"] };
  expect(cyclesIn((file) => planted[file]!, Object.keys(planted))).toEqual(["b -> c -> b"]);
});

test("pure folders and tables of states name no socket, file, clock, timer, process or global", () => {
  const wrong: string[] = [];
  const all = files.filter((name) => pure.includes(folderOf(name)) || tables.includes(name));
  expect(all).toEqual(expect.arrayContaining(tables));
  for (const file of all) {
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
  /^discovery\/(callers|client-owner|client-sockets|departed-clients|procfs|source)\.ts$/,
  /^supervisor\/(family\/(census|traits)|service\/listening)\.ts$/,
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
