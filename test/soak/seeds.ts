/**
 * The tests that draw what they do, with fresh seeds, again and again: the suite has the same seeds in each run. By
 * hand: `bun test/soak/seeds.ts [minutes]`. Exits 1 at the first failure, which names its seed.
 */
import { resolve } from "node:path";
import { Glob } from "bun";

const root = resolve(import.meta.dir, "../..");
const minutes = Number(process.argv[2] ?? 10);
const files: string[] = [];
for await (const path of new Glob("test/**/*.test.ts").scan(root)) {
  if ((await Bun.file(resolve(root, path)).text()).includes("suiteSeed()")) files.push(path);
}
const end = performance.now() + minutes * 60_000;
let rounds = 0;
for (; performance.now() < end; rounds++) {
  const child = Bun.spawn([process.execPath, "test", "--timeout=60000", ...files.sort()], {
    cwd: root,
    env: { ...process.env, SEED: "any" },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [output, code] = await Promise.all([child.stderr.text(), child.exited]);
  if (code !== 0) {
    console.error(output);
    process.exit(1);
  }
}
console.log(`${rounds} rounds of ${files.length} files, and nothing has failed`);
