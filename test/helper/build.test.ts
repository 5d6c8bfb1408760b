import { describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { installer, lacking, type ProgramName, whereIs } from "../support/debian.ts";
import { build } from "./world.ts";

const root = resolve(import.meta.dir, "../..");
const programs = ["localhostess-helper", "localhostess-hosts"] as const;

/** src/helper/hashes.json: what each program is, and by which tools. */
type Hashes = { version: string } & Record<string, Record<string, string>>;

const committed = readJson<Hashes>(join(root, "src/helper/hashes.json"));

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, "utf8")) as T;
}

function isArm(platform: string): boolean {
  return platform === "linux-arm64";
}

function neededFor(platform: string): readonly ProgramName[] {
  const cross = isArm(platform) && process.arch !== "arm64";
  return ["musl-gcc", ...(cross ? (["aarch64-linux-gnu-gcc"] as const) : [])];
}

/** Debian's mirrors have every architecture; those of others may not. */
function isDebian(): boolean {
  const file = "/etc/os-release";
  return existsSync(file) && /^ID=debian$/m.test(readFileSync(file, "utf8"));
}

/** The other architecture's library is downloaded once, where that may be. */
function canBuild(platform: string): boolean {
  if (process.platform !== "linux" || lacking(neededFor(platform)) !== "") return false;
  if (platform === `linux-${process.arch}`) return true;
  if (!isArm(platform)) return false;
  return (
    existsSync(join(root, "node_modules/.cache/musl-arm64")) ||
    (isDebian() && installer() !== undefined && process.getuid?.() === 0)
  );
}

async function run(words: readonly string[]): Promise<string> {
  const child = Bun.spawn([...words], { stdout: "pipe", stderr: "pipe" });
  const [out, errors, code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`${words.join(" ")}: ${errors}`);
  return out;
}

test("the hashes are of this version: scripts/build-helper makes them", () => {
  expect(committed.version).toBe(readJson<{ version: string }>(join(root, "package.json")).version);
  expect(Object.keys(committed)).toEqual(["version", "linux-x64", "linux-arm64"]);
});

describe.each(["linux-x64", "linux-arm64"])("%s", (platform) => {
  test.skipIf(!canBuild(platform))(
    `built in another folder, the bytes are those of hashes.json, or of a second build${lacking(neededFor(platform))}`,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "localhostess-build-"));
      try {
        const other = join(folder, "a tree elsewhere");
        for (const its of ["scripts/build-helper", "src/helper/c", "package.json"]) {
          cpSync(join(root, its), join(other, its), { recursive: true });
        }
        symlinkSync(join(root, "node_modules"), join(other, "node_modules"));
        const first = join(folder, "out");
        const script = join(other, "scripts/build-helper");
        await run([script, "--out", first, "--only", platform]);
        const here = readJson<Hashes>(join(first, "hashes.json"))[platform]!;
        const there = committed[platform]!;
        const tools = ["compiler", "linker", "libc"].filter((its) => here[its] !== there[its]);
        if (tools.length === 0) {
          // Those were made in a folder of somebody else's.
          expect(here).toEqual(there);
        } else {
          const words = tools.map((its) => `${its} ${here[its]}, not ${there[its]}`).join("; ");
          console.warn(`${platform} is not compared with src/helper/hashes.json: ${words}`);
          build(join(folder, "again"), "--only", platform);
          expect(readJson<Hashes>(join(folder, "again/hashes.json"))[platform]).toEqual(here);
        }
        for (const program of programs) {
          const bytes = readFileSync(join(first, platform, program));
          expect(bytes.length).toBeLessThan(256 * 1024);
          // Nothing of the machine that made it.
          expect(bytes.includes(root) || bytes.includes(folder)).toBe(false);
        }
        if (whereIs("readelf") === undefined) return;
        for (const program of programs) {
          const elf = await run(["readelf", "-lhW", join(first, platform, program)]);
          expect(elf).toMatch(/Type:\s+DYN/);
          expect(elf).toMatch(/GNU_RELRO/);
          // A stack that holds no code, no loader, and no page that may be both written and run.
          expect(elf).toMatch(/GNU_STACK.* RW /);
          expect(elf).not.toMatch(/INTERP|RWE/);
        }
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    120_000,
  );
});

test.skipIf(whereIs("clang") === undefined)(
  `two seconds of what test/soak/helper-fuzz does for ten minutes find nothing${lacking(["clang"])}`,
  async () => {
    const out = await run([join(root, "test/soak/helper-fuzz"), "2"]);
    expect(out).toMatch(/nothing found in 2 s\n$/);
  },
  120_000,
);
