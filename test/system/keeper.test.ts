/** A process that only keeps its children: it reaps nobody, and ends when nobody needs it. */
import { expect, test } from "bun:test";
import { closeSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { procfsCensus } from "../../src/supervisor/family/census.ts";
import { endingIn } from "../../src/system/process-calls.ts";
import { childrenOf } from "../../src/system/children.ts";
import { eventually } from "../support/eventually.ts";

const source = join(import.meta.dir, "../../src/system/keeper.ts");

/** Starts a child that ends with 7 once the keeper keeps it. Descriptor 3 is a socket that does not wait. */
const script = `
  const { becomeKeeper } = await import(${JSON.stringify(source)});
  Bun.spawn(["/bin/sh", "-c", "sleep 0.3; exit 7"], { detached: true });
  becomeKeeper(3);
  process.exit(9);
`;

test.if(process.platform === "linux")(
  "its children stay zombies with their exit codes until the other end of its descriptor is closed",
  async () => {
    const keeper = Bun.spawn([process.execPath, "-e", script], {
      stdio: ["ignore", "ignore", "inherit", "pipe"],
    });
    const census = procfsCensus();
    try {
      const name = () => readFileSync(`/proc/${keeper.pid}/cmdline`, "latin1");
      await eventually("it is another program", () => name() === "cat\0");
      const [child] = childrenOf(keeper.pid)!;
      await eventually("its child has ended", () => census.glimpse(child!)?.zombie === true);
      expect(endingIn(census.glimpse(child!)!.exitStatus)).toEqual({ code: 7, signal: null });
      expect(keeper.exitCode).toBeNull();
      closeSync(keeper.stdio[3] as number);
      expect(await keeper.exited).toBe(0);
      await eventually("its child is reaped", () => census.glimpse(child!) === undefined);
      expect(childrenOf(keeper.pid)).toBeUndefined();
    } finally {
      keeper.kill("SIGKILL");
    }
  },
  30_000,
);
