/**
 * Folders of the field's suites -> docs/suites.md: the scores of each suite for us and for the peers that are
 * installed, in one session. Fetches nothing: a suite whose folder is not given is left out and said so.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { crew } from "../bench/crew.ts";
import { autobahn } from "./autobahn.ts";
import { desync, desyncToH2 } from "./desync.ts";
import { h1spec } from "./h1spec.ts";
import { h2cSemantics, h2Semantics } from "./h2-semantics.ts";
import { h2spec } from "./h2spec.ts";
import { http11probe } from "./http11probe.ts";
import { page, type Row } from "./page.ts";
import { tlsProbes } from "./tls-probes.ts";
import type { Behind, Score, Suite, Target } from "./suite.ts";
import { startWorld, type World } from "./world.ts";

const suites: readonly Suite[] = [
  h2spec,
  h1spec,
  http11probe,
  desync,
  desyncToH2,
  h2Semantics,
  h2cSemantics,
  tlsProbes,
  ...autobahn,
];

/** Cases that are told of one suite and one proxy. */
const mostTold = 200;

const usage = `bun test/suites/main.ts [--<suite> <folder>]... [--only <suite>]... [--proxy <name>]... [--quick] [--out <file>]
suites with folders: ${suites.flatMap((suite) => (suite.given ? [`${suite.label} (--${folderOf(suite)}: ${suite.given})`] : [])).join(", ")}
own suites: ${suites.flatMap(({ label, given }) => (given ? [] : [label])).join(", ")}`;

function folderOf({ label, folder }: Suite): string {
  return folder ?? label;
}

/** Options that give a folder. */
const folders = [
  ...new Set(suites.flatMap((suite) => (suite.given === undefined ? [] : [folderOf(suite)]))),
];

type Asked = {
  folders: Map<string, string>;
  only: readonly string[] | undefined;
  proxies: readonly string[] | undefined;
  quick: boolean;
  out: string | undefined;
};

function asked(): Asked | undefined {
  const { values } = parseArgs({
    options: {
      ...Object.fromEntries(folders.map((name) => [name, { type: "string" as const }])),
      only: { type: "string", multiple: true },
      proxy: { type: "string", multiple: true },
      quick: { type: "boolean", default: false },
      out: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const given = folders.flatMap((name): [string, string][] => {
    const folder = (values as Record<string, unknown>)[name];
    return typeof folder === "string" ? [[name, resolve(folder)]] : [];
  });
  const { only, proxy: proxies, quick, out } = values;
  return { folders: new Map(given), only, proxies, quick, out };
}

function mistakesIn({ only = [], folders: given }: Asked): string[] {
  const labels = suites.map(({ label }) => label);
  return [
    ...only.flatMap((label) => (labels.includes(label) ? [] : [`no suite "${label}"`])),
    ...[...given].flatMap(([name, path]) => (existsSync(path) ? [] : [`--${name}: no ${path}`])),
  ];
}

async function run(wish: Asked): Promise<number> {
  const wrong = mistakesIn(wish);
  if (wrong.length > 0) {
    console.error(`${wrong.join("\n")}\n${usage}`);
    return 2;
  }
  const root = mkdtempSync(join(tmpdir(), "localhostess-suites-"));
  const team = crew(root, { pin: false });
  const leave = async (): Promise<void> => {
    await team.end();
    rmSync(root, { recursive: true, force: true });
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => leave().finally(() => process.exit(130)));
  }
  const worlds = new Map<Behind, Promise<World>>();
  const worldOf = (behind: Behind): Promise<World> => {
    const world = worlds.get(behind) ?? startWorld(team, behind);
    worlds.set(behind, world);
    return world;
  };
  const rows: Row[] = [];
  const notes = new Set<string>();
  const known = new Map<string, Target>();
  try {
    for (const suite of suites) {
      if (wish.only !== undefined && !wish.only.includes(suite.label)) continue;
      const given = wish.folders.get(folderOf(suite)) ?? "";
      if (suite.given !== undefined && given === "") {
        notes.add(`${suite.title}: not run; give ${suite.given} with --${folderOf(suite)}`);
        continue;
      }
      const world = await worldOf(suite.behind).catch((fault: unknown) => {
        notes.add(`${suite.title}: not run; ${firstLine(fault)}`);
      });
      if (world === undefined) continue;
      for (const text of world.absent) notes.add(text);
      const row: Row = { suite, scores: new Map() };
      for (const target of world.targets) {
        if (wish.proxies?.includes(target.name) === false) continue;
        known.set(target.name, target);
        const dir = join(root, `${suite.label}-${target.name}`);
        mkdirSync(dir);
        const turn = { crew: team, given, dir, quick: wish.quick };
        const score = await suite.run(target, turn).catch(firstLine);
        row.scores.set(target.name, score);
        tell(suite, target, score);
      }
      rows.push(row);
    }
  } finally {
    await leave();
  }
  const text = page({ rows, notes: [...notes], targets: [...known.values()] });
  if (wish.out === undefined) console.log(text);
  else writeFileSync(wish.out, text);
  return 0;
}

function firstLine(fault: unknown): string {
  return String(fault).split("\n")[0]!;
}

/** Each score as it is known, with the cases that failed, on the error stream. */
function tell(suite: Suite, target: Target, score: Score | string): void {
  const title = `${suite.title}, ${target.name}`;
  if (typeof score === "string") {
    console.error(`${title}: ${score}`);
    return;
  }
  console.error(`${title}: ${score.passed} of ${score.total}`);
  for (const { name, why } of score.failures.slice(0, mostTold))
    console.error(`    ${name}: ${why}`);
}

const wish = asked();
if (wish === undefined) console.log(usage);
process.exit(wish === undefined ? 0 : await run(wish));
