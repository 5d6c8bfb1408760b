/** examples/plugins: what is kept there is what its sources make, and small. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");
const folder = join(root, "examples/plugins");
const names = ["procfile-to-services", "redis", "static-site"] as const;
const hashes = JSON.parse(readFileSync(join(folder, "hashes.json"), "utf8")) as Record<
  string,
  { component: string; sources: string }
>;

function sha256(...parts: readonly (string | Uint8Array)[]): string {
  const hash = new Bun.CryptoHasher("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

function component(name: string): Uint8Array {
  return readFileSync(join(folder, name, `${name}.wasm`));
}

/** The sections of a module or a component: their ids, and the bytes of each. */
function sections(bytes: Uint8Array): readonly { id: number; body: Uint8Array }[] {
  const found: { id: number; body: Uint8Array }[] = [];
  for (let at = 8; at < bytes.length;) {
    const id = bytes[at++]!;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      length |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    found.push({ id, body: bytes.subarray(at, at + length) });
    at += length;
  }
  return found;
}

test("each folder of an example has its hashes", () => {
  const made = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== "interface")
    .map((entry) => entry.name);
  expect(made.sort()).toEqual([...names]);
  expect(Object.keys(hashes)).toEqual([...names]);
});

test.each(names)("%s is what its sources made: scripts/build-plugins examples", (name) => {
  const shared = readdirSync(join(folder, "interface")).sort();
  const wit = readFileSync(join(root, "src/plugins/plugin.wit"), "utf8");
  expect(hashes[name]).toEqual({
    component: sha256(component(name)),
    sources: sha256(
      readFileSync(join(folder, name, "plugin.ts")),
      ...shared.map((file) => readFileSync(join(folder, "interface", file))),
      wit.replace(/\/\/.*/g, "").replace(/[ \n]/g, ""),
    ),
  });
});

test.each(names)("%s is small, and its module imports nothing", (name) => {
  const bytes = component(name);
  expect(bytes.length).toBeLessThan(16 * 1024);
  const coreModule = 1;
  const modules = sections(bytes).filter(({ id }) => id === coreModule);
  expect(modules.length).toBe(1);
  const importSection = 2;
  expect(sections(modules[0]!.body).map(({ id }) => id)).not.toContain(importSection);
});
