/** The package as people get it: installed by npm, installed by bun, and as one executable. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { version } from "../../package.json" with { type: "json" };

const root = resolve(import.meta.dir, "../..");

/** Milliseconds; a slow network has to bring the runtime. */
const patience = 300_000;

let directory: string;
let tarball: string;

/** The environment without what `npm test` adds to it: a person who installs the package has none of that. */
const outside = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => name !== "NODE" && !/^npm_(?!config_)/.test(name)),
);

async function run(
  command: string[],
  options: { cwd?: string; env?: Record<string, string | undefined> } = {},
): Promise<string> {
  const child = Bun.spawn(command, {
    cwd: options.cwd ?? directory,
    env: { ...outside, ...options.env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    detached: true,
  });
  const [out, err, code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}:\n${out}\n${err}`);
  return out;
}

/** A folder with links to these programs and nothing else: all that a PATH has. */
async function pathOf(name: string, programs: readonly string[]): Promise<string> {
  const folder = join(directory, name);
  await mkdir(folder);
  for (const program of programs) {
    const found = program === "bun" ? process.execPath : Bun.which(program);
    if (found === null) throw new Error(`this test needs ${program}`);
    await symlink(await realpath(found), join(folder, program));
  }
  return folder;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "localhostess-package-"));
  const out = await run(["npm", "pack", "--silent", "--pack-destination", directory], {
    cwd: root,
  });
  tarball = join(directory, out.trim());
}, patience);

afterAll(() => rm(directory, { recursive: true, force: true }));

test("the package has the program, the PAC file and the documents, and no tests", async () => {
  const listing = (await run(["tar", "tzf", tarball])).trimEnd().split("\n");
  const files = new Set(listing);
  for (const file of [
    "bin/localhostess",
    "src/main.ts",
    "pac/proxy.pac.ts",
    "docs/cli.md",
    "package.json",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
  ]) {
    expect(files).toContain(`package/${file}`);
  }
  const folders = new Set(listing.map((file) => file.split("/").slice(1, -1)[0] ?? ""));
  expect([...folders].sort()).toEqual(["", "bin", "docs", "pac", "src"]);
});

test(
  "npm install -g works where there is Node and no Bun",
  async () => {
    const prefix = join(directory, "npm prefix");
    // npm runs install scripts by sh.
    const path = await pathOf("node-only", ["node", "npm", "sh"]);
    await run(
      ["npm", "install", "--global", "--no-audit", "--no-fund", "--prefix", prefix, tarball],
      {
        env: { PATH: path, HOME: join(directory, "npm-home"), npm_config_cache: await npmCache() },
      },
    );
    expect(await installedVersion(join(prefix, "bin/localhostess"))).toBe(`${version}\n`);
  },
  patience,
);

/** So that the runtime is not fetched again for each run. */
async function npmCache(): Promise<string> {
  return (await run(["npm", "config", "get", "cache"])).trim();
}

/** In an environment without anything. */
function installedVersion(program: string): Promise<string> {
  return run([program, "--version"], { env: nothing() });
}

function nothing(): Record<string, string | undefined> {
  const names = Object.keys(process.env);
  return { ...Object.fromEntries(names.map((name) => [name, undefined])), PATH: "/nonexistent" };
}

test(
  "bun install -g works where there is Bun and no Node",
  async () => {
    const home = join(directory, "bun-home");
    await mkdir(home);
    const path = await pathOf("bun-only", ["bun"]);
    await run(["bun", "install", "--global", tarball], {
      env: { PATH: path, HOME: home, BUN_INSTALL: undefined },
      cwd: home,
    });
    expect(await installedVersion(join(home, ".bun/bin/localhostess"))).toBe(`${version}\n`);
  },
  patience,
);

test(
  "bun run build gives one executable that needs nothing else",
  async () => {
    // Built elsewhere than in dist/, which belongs to whoever builds a release.
    const program = join(directory, "localhostess");
    await run([process.execPath, "run", "build", "--outfile", program], { cwd: root });
    const empty = join(directory, "empty");
    await mkdir(empty);
    const bare = { env: nothing(), cwd: empty };
    expect(await run([program, "--version"], bare)).toBe(`${version}\n`);
    expect(await run([program, "pac", "--port", "8080"], bare)).toContain("PROXY 127.0.0.1:8080");
    expect(JSON.parse(await run([program, "ls", "--json"], bare))).toBeArray();
    await Bun.write(join(empty, ".env"), "LOCALHOSTESS_PORT=not-a-port\n");
    await Bun.write(join(empty, "bunfig.toml"), 'preload = ["./missing.ts"]\n');
    expect(await run([program, "pac"], bare)).toContain("PROXY 127.0.0.1:9090");
  },
  patience,
);
