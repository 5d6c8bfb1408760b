/**
 * A process of its own that adopts orphans, as the daemon does: a line of JSON in is a command, a line out its
 * answer. The test runner must not adopt: the orphans of other tests would come to it.
 */
import { families, type Run } from "../../src/supervisor/family/family.ts";
import { markOf } from "../../src/supervisor/family/mark.ts";
import { procfsTraits } from "../../src/supervisor/family/traits.ts";
import { procfsCensus, runVariable } from "../../src/supervisor/family/census.ts";
import { type ChildOptions, spawnChild } from "../../src/supervisor/service/child.ts";
import { processCalls } from "../../src/system/process-calls.ts";
import { systemClock } from "../../src/system/clock.ts";
import { childEffects } from "./children.ts";
import type { StopSignal } from "../../src/manifest/project.ts";

export type Order =
  | { do: "start"; command: string; pty: boolean; env: Record<string, string> }
  | { do: "end"; run: Run; signal: StopSignal; timeout: number }
  | { do: "members"; run: Run }
  /** The run as it is kept for the next daemon. */
  | { do: "kept"; run: Run }
  | { do: "children" };

if (import.meta.main) {
  const calls = processCalls(process.platform);
  calls.adoptOrphans();
  const effects = childEffects();
  const census = procfsCensus();
  const all = families({
    census,
    calls,
    traits: procfsTraits(),
    clock: systemClock,
    own: effects.own,
    self: { pid: process.pid },
  });
  process.on("SIGCHLD", () => all.reapSoon());

  async function obey(order: Order): Promise<unknown> {
    if (order.do === "start") {
      const runId = crypto.randomUUID().replaceAll("-", "");
      const options: ChildOptions = {
        command: order.command,
        shell: ["/bin/sh", "-c"],
        workdir: "/tmp",
        env: { ...order.env, [runVariable]: runId },
        mark: markOf(runId),
        pty: order.pty,
        onOutput() {},
        onExit() {},
      };
      const result = spawnChild(options, effects);
      if (result.kind !== "spawned") return result;
      const { pid } = result.child;
      const startedAt = (await census.look()).get(pid)?.startedAt ?? Date.now();
      return { pid, startedAt, runId, birth: all.birthOf(pid) } satisfies Run;
    }
    if (order.do === "children") {
      const table = await census.look();
      return [...table.values()].filter(({ parent }) => parent === process.pid);
    }
    if (order.do === "members") return await all.members(order.run);
    if (order.do === "kept") {
      await all.members(order.run);
      const members = [...all.remembered(order.run), ...all.strays()];
      return { ...order.run, members } satisfies Run;
    }
    let longest = 0;
    let last = performance.now();
    const watch = setInterval(() => {
      const now = performance.now();
      longest = Math.max(longest, now - last - 1);
      last = now;
    }, 1);
    const begun = performance.now();
    const ended = await all.end(order.run, order).done;
    clearInterval(watch);
    return { ...ended, took: performance.now() - begun, longest };
  }

  for await (const line of console) {
    if (line === "") continue;
    console.log(JSON.stringify((await obey(JSON.parse(line))) ?? null));
  }
}
