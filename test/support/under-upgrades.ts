/** Rounds of `localhostess upgrade` under every kind of load -> what was lost. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ended } from "./ended.ts";
import { environment } from "../cli/cli.ts";
import { eventually } from "./eventually.ts";
import { fault, programCopy } from "./program-copy.ts";
import { projectPlace } from "./project-place.ts";
import { failures, kinds, load } from "./restart-load.ts";
import { uniqueName } from "./servers.ts";
import { talks, uploads, uploadServer } from "./upgrade-load.ts";

export type UpgradesOptions = {
  /** A folder for the program. */
  prefix: string;
  rounds: number;
  /** Bytes, and milliseconds that each takes at least. */
  upload: { size: number; least: number };
  trial: string;
  /** One round of so many is by `upgrade`, the others by the new program's `server restart`, which is what it does. */
  upgradeEvery?: number;
  /** Milliseconds after which each new daemon fails; undefined: none does. */
  crash?: number | undefined;
  tell?: (text: string) => void;
};

export type UpgradesReport = {
  rounds: number;
  versions: string[];
  pids: { before: number; after: number };
  answered: Record<string, number>;
  slowest: Record<string, number>;
  uploads: { done: number; spanned: number; bytes: number };
  webSockets: { closed: number; echoed: number };
  seconds: number[];
  /** Words that npm was given, with the proxy that it would have used. */
  asked: string[];
  /** Words for everything that should not be; empty: all is well. */
  lost: string[];
};

const busy = /does not answer/;

/** In the place of npm: the version that is asked for takes the place of the one that is there. */
const fakeNpm = `#!/bin/sh
# npm install --global --prefix <prefix> localhostess@<version>
for word; do last=$word; done
printf '%s, by proxy:%s\\n' "$*" "$https_proxy" >>"$FAKE_NPM/asked"
rm -rf "$FAKE_NPM/old"
mv "$4/lib/node_modules/localhostess" "$FAKE_NPM/old" &&
mv "$FAKE_NPM/next-\${last#localhostess@}" "$4/lib/node_modules/localhostess"
`;

export async function underUpgrades(options: UpgradesOptions): Promise<UpgradesReport> {
  const { prefix, rounds, upload, trial, crash, upgradeEvery = 1, tell = () => {} } = options;
  // Other tests have projects too, whose servers this daemon sees.
  const project = uniqueName("shop");
  const bin = join(prefix, "fake");
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, "npm"), fakeNpm, { mode: 0o755 });
  const copy = await programCopy(prefix, "9.0.0");
  await using place = await projectPlace({ LOCALHOSTESS_TRIAL: trial });
  const env = {
    ...environment(place.daemon.env),
    FAKE_NPM: bin,
    PATH: `${bin}:${process.env.PATH}`,
    // As a person has it who lets everything go through it.
    https_proxy: "",
  };
  const run = (...words: string[]) => ended([copy.program, ...words], { env, cwd: "/" });
  const directory = await place.project(
    project,
    `[services.api]\ncommand = '''${uploadServer}'''\n`,
  );
  // The first daemon is of the copy too.
  const begun = await run("server", "restart");
  if (begun.code !== 0) throw new Error(begun.err);
  await place.up(directory);
  const ready = (row: { ready: boolean }): boolean => row.ready;
  const before = (await place.until(`${project}:api`, ready)).pid!;
  const { port, url, socket } = await place.daemon.running();
  await fetch(`https://localhost:${port}/`, { tls: { rejectUnauthorized: false } });
  const ca = await readFile(join(place.daemon.directory, "authority/certificate.pem"), "utf8");
  const credential = (await readFile(join(place.daemon.directory, "credential"), "utf8")).trim();
  const name = `api.${project}`;
  const host = `${name}.localhost`;
  env.https_proxy = `http://localhost:${port}`;
  const log = () => readFile(join(place.daemon.directory, "daemon.log"), "utf8");
  let taken = 0;
  const lost: string[] = [];
  const versions: string[] = [];
  const seconds: number[] = [];
  const asking = load({ port, ca, name, api: url, socket, credential }, { pause: 50 });
  const sending = uploads({ port, host, ...upload, taken: () => taken });
  const talking = talks({ port, host, life: 3_000, count: 3 });
  for (let round = 1; round <= rounds; round++) {
    const version = `9.0.${round}`;
    await copy.prepare(join(bin, `next-${version}`), { version, failsAfter: crash });
    const since = performance.now();
    const was = await place.daemon.running();
    const whole = round % upgradeEvery === 1 || upgradeEvery === 1;
    if (!whole) await copy.replace(join(bin, `next-${version}`));
    const upgrading = whole ? run("upgrade", version, "--yes") : run("server", "restart");
    let { code, err } = await upgrading;
    // On a machine with a load of thirty, a daemon that is alive may be taken for one that hangs.
    for (let again = 0; again < 3 && busy.test(err) && code !== 0; again++) {
      tell(err);
      ({ code, err } = await run("server", "restart"));
    }
    taken += 1;
    seconds.push(Math.round((performance.now() - since) / 100) / 10);
    const now = await place.daemon.running();
    versions.push(now.version);
    if (code !== (crash === undefined ? 0 : 1))
      lost.push(`round ${round}: exit code ${code}: ${err}`);
    if (crash === undefined && now.version !== version) lost.push(`${now.version} runs`);
    if (crash !== undefined && now.id !== was.id) lost.push(`round ${round}: none came back`);
    if (crash !== undefined && !err.includes("the one before goes on")) lost.push(err);
    if (
      crash !== undefined &&
      !/failed .* s after it had taken over: (.*); this/.exec(await log())?.[1]?.includes(fault)
    )
      lost.push("no last words");
    const bad = crash === undefined ? failures(asking) : refusals(asking.counts);
    const { done, spanned, failed } = sending;
    const failing = [...failed, ...talking.failed];
    const counts = `${done} uploads (${spanned} over an upgrade), ${talking.echoed} words echoed`;
    const so = JSON.stringify([bad, failing, lost]);
    tell(`${round}: ${now.version} after ${seconds.at(-1)} s; ${counts}; ${so}`);
  }
  const enough = () => sending.done + sending.failed.length > 0;
  await eventually("an upload has come to its end", enough, 120_000);
  const stopped = Promise.all([asking.stop(), sending.stop(), talking.stop()]);
  // A client of a daemon that has failed may wait for ever.
  await (crash === undefined ? stopped : Promise.race([stopped, Bun.sleep(5_000)]));
  const after = (await place.until(`${project}:api`, ready)).pid!;
  if (before !== after) lost.push(`the service's pid was ${before}, and is ${after}`);
  const bad = crash === undefined ? failures(asking) : refusals(asking.counts);
  for (const [kind, words] of Object.entries(bad)) lost.push(`${kind}: ${words}`);
  if (crash === undefined) lost.push(...sending.failed, ...talking.failed);
  const of = (key: "answered" | "longest") =>
    Object.fromEntries(kinds.map((kind) => [kind, Math.round(asking.counts[kind][key])]));
  return {
    rounds,
    versions: [...new Set(versions)],
    pids: { before, after },
    answered: of("answered"),
    slowest: of("longest"),
    uploads: { done: sending.done, spanned: sending.spanned, bytes: sending.bytes },
    webSockets: { closed: talking.closed, echoed: talking.echoed },
    seconds,
    asked: (await readFile(join(bin, "asked"), "utf8")).trim().split("\n"),
    lost,
  };
}

/** Connections that nobody took: those that a killed daemon had accepted are broken off with it. */
function refusals(counts: ReturnType<typeof load>["counts"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(counts).flatMap(([kind, { why }]) => {
      const refused = why.filter((text) => text.includes("ECONNREFUSED"));
      return refused.length === 0 ? [] : [[kind, `${refused.length} refused: ${refused[0]}`]];
    }),
  );
}
