/**
 * Two trees of this project -> the cost of a scan in the one for each in the other, both in turn on the same machine
 * with 500 more processes. `bun test/bench/scan-ratio.ts <folder>`: a folder with the `src` of another commit, made by
 * `git archive <commit> src package.json | tar x -C <folder>`.
 */
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import type { Scan, Source } from "../../src/discovery/observation.ts";
import type { ServicesOptions } from "../../src/discovery/services.ts";
import { crowd, listening, settledAfter } from "./scan.ts";

const rounds = 61;
/** The most that a scan may cost, compared with the commit before. */
const most = 1.1;

type Tree = {
  procfsSource: typeof import("../../src/discovery/procfs.ts").procfsSource;
  servicesIn: typeof import("../../src/discovery/services.ts").servicesIn;
  /** The parts that a tree may be without: worktrees, names of folders, and names that every program has. */
  judge(scan: Scan): Scan;
  more: Pick<ServicesOptions, "worktrees" | "infer">;
};

async function treeIn(folder: string): Promise<Tree> {
  const part = (file: string) => import(join(folder, "src", file));
  const { procfsSource } = await part("discovery/procfs.ts");
  const { servicesIn } = await part("discovery/services.ts");
  const bare: Tree = { procfsSource, servicesIn, judge: (scan) => scan, more: {} };
  if (!existsSync(join(folder, "src/discovery/common-names.ts"))) return bare;
  const { commonNames } = await part("discovery/common-names.ts");
  const { checkouts } = await part("discovery/checkouts.ts");
  const { worktreeLabels } = await part("discovery/worktree-labels.ts");
  const { systemClock } = await part("system/clock.ts");
  const its = checkouts({ uid: process.getuid!(), clock: systemClock });
  const judge = commonNames({ repositoryOf: (cwd: string) => its.of(cwd)?.repository });
  const { inference } = await part("discovery/inference.ts");
  const { projectFolders } = await part("discovery/project-folders.ts");
  const infer = inference({
    uid: process.getuid!(),
    supervised: () => [],
    folders: projectFolders({ checkouts: its }),
    names: [],
    wall: Date.now,
  });
  return { ...bare, judge, more: { worktrees: worktreeLabels(its), infer } };
}

/** Other programs on the machine only ever add to a time. */
function lowerQuartile(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 2]!;
}

/** Milliseconds of processor time for a scan with the names of its servers. */
async function timed({ servicesIn, judge, more }: Tree, source: Source): Promise<number> {
  const begun = process.cpuUsage();
  const scan = judge(await source.scan());
  const uid = process.getuid!();
  const options = { hostName: hostname(), wsl: false, ownPid: process.pid, uid, ...more };
  // In a linked worktree, its label stands in front.
  const found = servicesIn(scan, options).filter(({ name }) => /(?:^|\.)bench-/.test(name));
  const { user, system } = process.cpuUsage(begun);
  if (found.length !== listening) throw new Error(`${found.length} of ${listening} were found`);
  return (user + system) / 1000;
}

if (import.meta.main) {
  const base = process.argv[2];
  if (base === undefined) throw new Error("bun test/bench/scan-ratio.ts <folder of the base>");
  const trees = [await treeIn(resolve(base)), await treeIn(resolve(import.meta.dir, "../.."))];
  const uid = process.getuid!();
  const { end } = await crowd();
  try {
    const later = performance.now() + settledAfter;
    const kinds: Record<string, (tree: Tree) => () => Source> = {
      first: (tree) => () => tree.procfsSource({ uid }),
      "later, all young": (tree) => {
        const source = tree.procfsSource({ uid });
        return () => source;
      },
      "later, settled": (tree) => {
        const source = tree.procfsSource({ uid, uptime: () => later });
        return () => source;
      },
    };
    for (const [kind, make] of Object.entries(kinds)) {
      const sources = trees.map(make);
      const times: number[][] = [[], []];
      for (let round = -3; round < rounds; round++) {
        // Each is the first of a round as often as the other.
        for (const at of round % 2 === 0 ? [0, 1] : [1, 0]) {
          const time = await timed(trees[at]!, sources[at]!());
          if (round >= 0) times[at]!.push(time);
        }
      }
      const [before, now] = times.map(lowerQuartile) as [number, number];
      const ratio = now / before;
      const verdict = ratio <= most ? "ok" : `more than ${most}`;
      console.log(
        `${kind.padEnd(18)} ${before.toFixed(1)} -> ${now.toFixed(1)} ms: ${ratio.toFixed(2)}x ${verdict}`,
      );
    }
  } finally {
    await end();
  }
}
