/**
 * All tests of containers with each engine: the suite leaves out for Podman what Docker's have shown. By hand:
 * `bun test/soak/engines.ts`. Exits as `bun test`.
 */
import { resolve } from "node:path";

const files = ["images", "services"].flatMap((what) =>
  ["docker", "podman"].map((engine) => `test/e2e/container-${what}-${engine}.test.ts`),
);
const child = Bun.spawn([process.execPath, "test", "--timeout=60000", ...files], {
  cwd: resolve(import.meta.dir, "../.."),
  env: { ...process.env, ENGINES: "whole" },
  stdio: ["inherit", "inherit", "inherit"],
});
process.exit(await child.exited);
