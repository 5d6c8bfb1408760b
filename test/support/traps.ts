/** A folder -> a stranger's project with every file by which Bun, or a shell, could be made to run code of it. */
import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { dependencies } from "../../package.json" with { type: "json" };

export type TrapsOptions = {
  /** Where each trap that ran leaves a file of its name. */
  marks: string;
  /** The files of a program, which `paths` and `scripts` name. */
  entries?: readonly string[];
};

/** Of these, a folder has one at a time. */
export const mappings = ["tsconfig paths", "tsconfig extends", "jsconfig paths"] as const;

/** Programs that we look for, and those that a script of ours needs. */
const programs = "bun certutil chromium curl id java lsof ps readlink sh wslview xdg-open".split(
  " ",
);

export const trapNames = [
  ...mappings,
  "bunfig",
  ".env",
  "package.json",
  "broken package.json",
  "node_modules",
  "programs",
] as const;
export type TrapName = (typeof trapNames)[number];

/** What in front of PATH leads to the programs of the folder: `.`, an empty entry, and two that npm run makes. */
export function hostilePath(folder: string): string {
  return `.::bin:node_modules/.bin:${folder}/node_modules/.bin`;
}

export async function layTraps(
  folder: string,
  { marks, entries = [], names }: TrapsOptions & { names: readonly TrapName[] },
): Promise<void> {
  const js = (name: string): string =>
    `require("node:fs").writeFileSync(${JSON.stringify(join(marks, name))}, "");\n`;
  const write = async (path: string, text: string, mode = 0o644): Promise<void> => {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    await chmod(file, mode);
  };
  const paths = (name: string): string => {
    const all = ["*", "./*", "/*", ...entries, ...Object.keys(dependencies)];
    const mapped = Object.fromEntries(all.map((from) => [from, [`./${name}.ts`]]));
    return JSON.stringify({ compilerOptions: { baseUrl: ".", paths: mapped } });
  };
  const script = join(folder, "script.js");
  const lay: Record<TrapName, () => Promise<void>> = {
    async "tsconfig paths"() {
      await write("tsconfig-paths.ts", js("tsconfig paths"));
      await write("tsconfig.json", paths("tsconfig-paths"));
    },
    async "tsconfig extends"() {
      await write("tsconfig-extends.ts", js("tsconfig extends"));
      await write("base/tsconfig.base.json", paths("../tsconfig-extends"));
      await write("tsconfig.json", JSON.stringify({ extends: "./base/tsconfig.base.json" }));
    },
    async "jsconfig paths"() {
      await write("jsconfig-paths.ts", js("jsconfig paths"));
      await write("jsconfig.json", paths("jsconfig-paths"));
    },
    async bunfig() {
      await write("preload.ts", js("bunfig"));
      await write("bunfig.toml", 'preload = ["./preload.ts"]\n[run]\nbun = true\n');
    },
    async ".env"() {
      await write("script.js", js(".env"));
      const lines = [
        `BUN_OPTIONS=--preload=${script}`,
        `NODE_OPTIONS=--require=${script}`,
        `BUN_INSPECT_PRELOAD=${script}`,
        "LOCALHOSTESS_PORT=not-a-port",
        `LOCALHOSTESS_CWD=${join(folder, "nowhere")}`,
      ];
      for (const name of [".env", ".env.local", ".env.development", ".env.production"]) {
        await write(name, `${lines.join("\n")}\n`);
      }
    },
    async "package.json"() {
      await write("script.js", js("package.json"));
      const mapped = Object.fromEntries(entries.map((entry) => [entry, "./script.js"]));
      const fields = {
        name: "localhostess",
        type: "commonjs",
        main: "./script.js",
        browser: { ...mapped, commander: "./script.js" },
        exports: { ".": "./script.js", "./*": "./script.js" },
        imports: { "#*": "./script.js" },
        scripts: Object.fromEntries(
          [...entries, "ls", "preinstall", "prestart"].map((name) => [name, `bun ${script}`]),
        ),
        bun: { preload: ["./script.js"] },
      };
      await write("package.json", JSON.stringify(fields));
    },
    async "broken package.json"() {
      // Above: where one of the two is read, so is the other.
      await write("../package.json", "{ broken");
    },
    async node_modules() {
      for (const name of Object.keys(dependencies)) {
        await write(`node_modules/${name}/index.js`, js("node_modules"));
        await write(
          `node_modules/${name}/package.json`,
          JSON.stringify({ name, version: "99.0.0" }),
        );
      }
    },
    async programs() {
      for (const name of programs) {
        const text = `#!/bin/sh\n: > "${marks}/${name}"\n`;
        for (const place of ["", "bin/", "node_modules/.bin/"]) {
          await write(`${place}${name}`, text, 0o755);
        }
      }
    },
  };
  for (const name of names) await lay[name]();
}

/** Names of the traps that ran, in order. */
export async function sprung(marks: string): Promise<string[]> {
  return (await readdir(marks)).sort();
}
