/** The services, files and images of plans -> lines for a person, and what has changed in them. Pure. */
import { tomlKey, tomlValue } from "../manifest/write-toml.ts";
import { printable } from "../text/printable.ts";
import { fingerprintOf } from "./plan-place.ts";
import { settingsOf } from "./settings-table.ts";

export type Shown = {
  services: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Path -> what is in it, in a few words. */
  files: Readonly<Record<string, string>>;
};

/** Characters of a line. Far more than a terminal is wide: the end of a command is what will run as well. */
const longest = 1_000;

/** As a file would have them. */
export function planLines(its: Shown): string[] {
  return entriesOf(its).map(([key, value]) => line(`  ${key} = ${value}`));
}

/** `-` before what is no more, `+` before what is new; empty where nothing has changed. */
export function changedLines(before: Shown, now: Shown): string[] {
  const old = new Map(entriesOf(before));
  const next = new Map(entriesOf(now));
  const lines: string[] = [];
  for (const key of new Set([...next.keys(), ...old.keys()])) {
    const [was, is] = [old.get(key), next.get(key)];
    if (was === is) continue;
    if (was !== undefined) lines.push(line(`- ${key} = ${was}`));
    if (is !== undefined) lines.push(line(`+ ${key} = ${is}`));
  }
  return lines;
}

function entriesOf({ services, files }: Shown): [string, string][] {
  const values = Object.entries(services).flatMap(([name, table]) =>
    settingsOf(table).map(([key, value]): [string, string] => {
      const keys = [name, ...key.split(".")].map(tomlKey).join(".");
      return [`services.${keys}`, tomlValue(value)];
    }),
  );
  const texts = Object.entries(files).map(([path, what]): [string, string] => [
    `file ${path}`,
    what,
  ]);
  return [...values, ...texts];
}

/** One that is longer tells how much of it is missing, and differs from another one that begins the same. */
function line(whole: string): string {
  const text = printable(whole, whole.length);
  const more = text.length - longest;
  if (more <= 0) return text;
  const hash = fingerprintOf(whole.slice(2)).slice(0, 12);
  return `${text.slice(0, longest).toWellFormed()}… and ${more} more characters, sha256 ${hash}`;
}
