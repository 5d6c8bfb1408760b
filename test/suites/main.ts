/**
 * Folders of the field's suites -> docs/suites.md: the scores of each suite for us and for the peers that are
 * installed, in one session. Fetches nothing: a suite whose folder is not given is left out and said so.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { crew } from "../bench/crew.ts";
import { autobahn } from "./autobahn.ts";
import { desync } from "./desync.ts";
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
  h2Semantics,
  h2cSemantics,
  tlsProbes,
  ...autobahn,
];

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

async function run(wish: Asked): Promise<number> {
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
      const { targets, absent } = await worldOf(suite.behind);
      for (const text of absent) notes.add(text);
      const row: Row = { suite, scores: new Map() };
      for (const target of targets) {
        if (wish.proxies?.includes(target.name) === false) continue;
        known.set(target.name, target);
        const dir = join(root, `${suite.label}-${target.name}`);
        mkdirSync(dir);
        const score = await suite.run(target, { crew: team, given, dir, quick: wish.quick });
        row.scores.set(target.name, score);
        if (typeof score !== "string") tell(suite, target, score);
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

/** Each score as it is known, with the cases of ours that failed, on the error stream. */
function tell(suite: Suite, target: Target, { passed, total, failures }: Score): void {
  console.error(`${suite.title}, ${target.name}: ${passed} of ${total}`);
  for (const { name, why } of failures.slice(0, 200)) console.error(`    ${name}: ${why}`);
}

const wish = asked();
if (wish === undefined) console.log(usage);
process.exit(wish === undefined ? 0 : await run(wish));
