/**
 * A number of rounds -> the daemon killed at a random moment of each, while clients work, and what was found
 * afterwards.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type DaemonPlace, daemonPlace, endNow } from "./daemon-place.ts";
import { eventually } from "./eventually.ts";

export type KillRounds = {
  /** Of the clients: how often each verb was run to its end. */
  commands: number;
  /** Sentences; none is as it has to be. */
  failures: string[];
};

/** Milliseconds: a start takes about a tenth of a second, a take-over about one. */
const longestWait = 400;

const clients = [
  ["ls"],
  ["server", "start", "--detach", "--port", "0"],
  ["server", "status", "--json"],
  ["server", "start", "--detach", "--port", "0"],
];

export async function killRounds(
  rounds: number,
  { random = Math.random }: { random?: () => number } = {},
): Promise<KillRounds> {
  await using place = await daemonPlace({ apart: true });
  const failures: string[] = [];
  let commands = 0;
  for (let round = 1; round <= rounds; round++) {
    let over = false;
    const working = clients.map(async (args) => {
      // While a daemon is killed again and again they may fail; they may not hang, nor break what is there.
      while (!over) {
        await place.run(...args);
        commands++;
      }
    });
    const end = performance.now() + random() * longestWait;
    while (performance.now() < end) await Bun.sleep(random() * 20);
    for (const pid of await daemons(place)) endNow(pid);
    over = true;
    failures.push(...(await unreadable(place)).map((what) => `round ${round}: ${what}`));
    await Promise.all(working);
    // Once more, now that the clients are done: this kill is the last before the command.
    const killed = await daemons(place);
    for (const pid of killed) endNow(pid);
    await eventually("daemons end", () => place.pids().length === 0);
    for (const args of [["ls"], ["server", "start", "--detach", "--port", "0"]]) {
      const { code, err } = await place.run(...args);
      if (code !== 0) failures.push(`round ${round}: ${args.join(" ")} ended with ${code}: ${err}`);
    }
    const { kind } = await place.find();
    if (kind !== "healthy") failures.push(`round ${round}: what was started is ${kind}`);
    failures.push(...(await unreadable(place)).map((what) => `round ${round}: ${what}`));
  }
  return { commands, failures };
}

/** Those in the background, and not the commands that start them. */
async function daemons(place: DaemonPlace): Promise<number[]> {
  const words = await Promise.all(
    place.pids().map(async (pid) => {
      const text = await readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => {
        // It has ended by itself.
        return "";
      });
      return [pid, text.split("\0").includes("--background")] as const;
    }),
  );
  return words.filter(([, background]) => background).map(([pid]) => pid);
}

/** What is in the state directory and cannot be read by whoever comes next. */
async function unreadable({ directory }: DaemonPlace): Promise<string[]> {
  const failures: string[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const { name } = entry;
    if (entry.isDirectory()) continue;
    // Nobody reads them; they are what a kill may leave.
    if (name.endsWith(".tmp")) continue;
    // No file; whether it answers is what the clients see.
    if (name.startsWith("daemon.sock")) continue;
    const text = await readFile(join(directory, name), "utf8").catch((error) => {
      // Gone since, or a directory.
      if (error.code === "ENOENT" || error.code === "EISDIR") return undefined;
      throw error;
    });
    if (text === undefined) continue;
    if (name === "credential" && !/^[0-9a-f]{64}\n$/.test(text)) failures.push(`${name}: ${text}`);
    if (name === "registration.json") {
      try {
        JSON.parse(text);
      } catch {
        failures.push(`${name}: ${text}`);
      }
    }
  }
  return failures;
}
