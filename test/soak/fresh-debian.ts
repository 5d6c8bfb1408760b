/**
 * A bare Debian 12, in which alice, who may use sudo, installs localhostess, uses it from every client, and takes it
 * away; bob may not. Then the whole system is compared with what it was. Once with the package for Debian, once with
 * those of npm. By hand, as root, with debootstrap: `bun test/soak/fresh-debian.ts --with-chromium`.
 */
import { arch, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { throwawaySystem, type ThrowawaySystem } from "../support/throwaway-system.ts";
import { layers } from "./fresh-debian/layers.ts";
import { differences, exceptions, snapshot } from "./fresh-debian/snapshot.ts";
import { type How, settle, walk } from "./fresh-debian/walk.ts";

const { values } = parseArgs({
  options: {
    /** A Debian 12 that debootstrap has made; it is not changed. */
    root: { type: "string" },
    /** Kept from one run to the next. */
    work: { type: "string", default: join(tmpdir(), "localhostess-fresh-debian") },
    /** What scripts/release has made; otherwise it is run. */
    release: { type: "string" },
    how: { type: "string", multiple: true, default: ["deb", "npm"] },
    "with-chromium": { type: "boolean", default: false },
  },
});
const { work, "with-chromium": withChromium } = values;
const clone = resolve(import.meta.dir, "../..");
const say = (line: string): void => console.log(line);

const release = values.release ?? join(work, "release");
if (values.release === undefined) {
  const only = ["--only", `linux-${arch()}`, "--kind", "npm", "--kind", "deb"];
  const words = [join(clone, "scripts/release"), ...only, "--quick", "--dirty", "--out", release];
  if (Bun.spawnSync(words, { stdout: "ignore", stderr: "inherit" }).exitCode !== 0) process.exit(1);
}
const lowers = await layers({ work, root: values.root, withChromium });
let code = 0;
for (const how of values.how as How[]) {
  say(`== ${how}`);
  await using system = await throwawaySystem({ lowers, shared: release });
  await using registry = how === "npm" ? await served(system) : undefined;
  const options = {
    how,
    withChromium,
    say,
    ...(registry === undefined ? {} : { registry: registry.url }),
  };
  await settle(system, options);
  const before = await snapshot(system);
  const its = walk(system, options);
  await its.live();
  await its.leave();
  const different = differences(before, await snapshot(system));
  say(`${before.size} paths before; different afterwards: ${different.length}`);
  for (const line of different) say(line);
  if (different.length + its.problems.length > 0) code = 1;
}
say("not compared:");
for (const [path, why] of Object.entries(exceptions)) say(`  ${path}: ${why}`);
process.exit(code);

/** The registry is in the system's network, and not among its processes. */
async function served(system: ThrowawaySystem) {
  const script = join(import.meta.dir, "fresh-debian/serve-packages.ts");
  const child = Bun.spawn(
    ["nsenter", "-n", "-t", String(system.pid), process.execPath, script, release],
    { stdin: "pipe", stdout: "pipe", stderr: "inherit" },
  );
  const { value } = await child.stdout.getReader().read();
  return {
    url: new TextDecoder().decode(value).trim(),
    async [Symbol.asyncDispose]() {
      await child.stdin.end();
      await child.exited;
    },
  };
}
