/**
 * Two trees of this project -> the cost of a scan in the one for each in the other, both in turn on the same machine
 * with 500 more processes. `bun test/bench/scan-ratio.ts <folder> [kind]`: a folder with the `src` of another commit,
 * made by `git archive <commit> src package.json | tar x -C <folder>`. Kinds of servers, 50 each: `named` (the usual
 * ones), `claimed` (without a NAME, each at a port that a person has named), `folders` (without a NAME, each in a
 * project's folder), `worktrees` (the same, in ten linked worktrees). An older tree finds only the first kind's names.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Claim } from "../../src/routes/claim.ts";
import type { Scan, Source } from "../../src/discovery/observation.ts";
import type { ServicesOptions } from "../../src/discovery/services.ts";
import { crowd, listening, settledAfter } from "./scan.ts";

const kinds = ["named", "claimed", "folders", "worktrees"] as const;
type Kind = (typeof kinds)[number];

const rounds = 61;
/** The most that a scan may cost, compared with the commit before. */
const most = 1.1;

type Tree = {
  /** From before servers without a NAME had names. */
  isOld: boolean;
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
  const bare: Tree = { isOld: true, procfsSource, servicesIn, judge: (scan) => scan, more: {} };
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
  return { ...bare, isOld: false, judge, more: { worktrees: worktreeLabels(its), infer } };
}

/** Folders of projects below `root`: 50 of their own, or ten linked worktrees of one repository. */
function foldersIn(root: string, kind: Kind): string[] | undefined {
  if (kind === "named") return undefined;
  if (kind === "claimed") return ["/"];
  const isWorktree = kind === "worktrees";
  const main = join(root, "main");
  if (isWorktree) {
    mkdirSync(join(main, ".git/refs/heads"), { recursive: true });
    writeFileSync(join(main, ".git/HEAD"), "ref: refs/heads/main\n");
    writeFileSync(join(main, ".git/config"), "[core]\n\tbare = false\n");
  }
  return Array.from({ length: isWorktree ? 10 : listening }, (_, at) => {
    const folder = join(root, `bench-${at}`);
    mkdirSync(folder);
    writeFileSync(join(folder, "package.json"), `{"name":"bench-${isWorktree ? "shop" : at}"}`);
    if (isWorktree) {
      const own = join(main, `.git/worktrees/bench-${at}`);
      mkdirSync(own, { recursive: true });
      writeFileSync(join(own, "HEAD"), `ref: refs/heads/fix-${at}\n`);
      writeFileSync(join(own, "commondir"), "../..\n");
      writeFileSync(join(own, "gitdir"), `${folder}/.git\n`);
      writeFileSync(join(folder, ".git"), `gitdir: ${own}\n`);
    }
    return folder;
  });
}

/** Other programs on the machine only ever add to a time. */
function lowerQuartile(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 2]!;
}

type Turn = {
  source: Source;
  kind: Kind;
  claims: readonly Claim[];
  /** Those of the servers that were started for this. */
  ports: ReadonlySet<number>;
};

/** Milliseconds of processor time for a scan with the names of its servers. */
async function timed(tree: Tree, { source, kind, claims, ports }: Turn): Promise<number> {
  const { servicesIn, judge, more } = tree;
  const begun = process.cpuUsage();
  const scan = judge(await source.scan());
  const uid = process.getuid!();
  const machine = { hostName: hostname(), wsl: false, ownPid: process.pid, uid };
  const options = { ...machine, ...more, ...(tree.isOld ? {} : { claims }) };
  const found = servicesIn(scan, options).filter(({ endpoint }) => ports.has(endpoint.port));
  const { user, system } = process.cpuUsage(begun);
  const expected = kind === "named" || !tree.isOld ? listening : 0;
  if (found.length !== expected) {
    throw new Error(`${found.length} of ${listening} were found`);
  }
  return (user + system) / 1000;
}

if (import.meta.main) {
  const base = process.argv[2];
  const kind = kinds.find((one) => one === (process.argv[3] ?? "named"));
  if (base === undefined || kind === undefined) {
    throw new Error(`bun test/bench/scan-ratio.ts <folder of the base> [${kinds.join("|")}]`);
  }
  const trees = [await treeIn(resolve(base)), await treeIn(resolve(import.meta.dir, "../.."))];
  const uid = process.getuid!();
  const root = mkdtempSync(join(tmpdir(), "lh-scan-ratio-"));
  const { end, ports } = await crowd({ folders: foldersIn(root, kind) });
  const claims: Claim[] = [...(kind === "claimed" ? ports : [])].map((port) => ({
    ...{ name: `bench-given-${port}`, source: "given", because: "a person said so" },
    place: { kind: "port", port },
  }));
  try {
    const later = performance.now() + settledAfter;
    const turns: Record<string, (tree: Tree) => () => Source> = {
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
    for (const [turn, make] of Object.entries(turns)) {
      const sources = trees.map(make);
      const times: number[][] = [[], []];
      for (let round = -3; round < rounds; round++) {
        // Each is the first of a round as often as the other.
        for (const at of round % 2 === 0 ? [0, 1] : [1, 0]) {
          const time = await timed(trees[at]!, { source: sources[at]!(), kind, claims, ports });
          if (round >= 0) times[at]!.push(time);
        }
      }
      const [before, now] = times.map(lowerQuartile) as [number, number];
      const ratio = now / before;
      const verdict = ratio <= most ? "ok" : `more than ${most}`;
      console.log(
        `${turn.padEnd(18)} ${before.toFixed(1)} -> ${now.toFixed(1)} ms: ${ratio.toFixed(2)}x ${verdict}`,
      );
    }
  } finally {
    await end();
    rmSync(root, { recursive: true, force: true });
  }
}
