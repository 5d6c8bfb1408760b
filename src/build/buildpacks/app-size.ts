/** The files of an app -> a line about how many they are, and which folder most of them are in where they are many. */
import { counted } from "../../text/counted.ts";
import { printable } from "../../text/printable.ts";
import { shownSize } from "../../text/size.ts";
import type { AppEntry } from "./app-files.ts";

/** From here on a person waits for the copy: what compilers and tests have left is seldom meant. */
const large = { bytes: 512 * 1024 ** 2, files: 20_000 };

export function appSize(entries: readonly AppEntry[]): string {
  const all = { bytes: 0, files: 0 };
  const folders = new Map<string, { bytes: number; files: number }>();
  for (const entry of entries) {
    if (entry.kind === "folder") continue;
    const bytes = entry.kind === "file" ? entry.size : 0;
    const at = entry.path.indexOf("/");
    const name = at === -1 ? "" : entry.path.slice(0, at);
    const its = folders.get(name) ?? { bytes: 0, files: 0 };
    folders.set(name, { bytes: its.bytes + bytes, files: its.files + 1 });
    all.bytes += bytes;
    all.files++;
  }
  const line = `${counted(all.files, "file")} of the app, ${shownSize(all.bytes)}`;
  const key = all.bytes >= large.bytes ? "bytes" : all.files >= large.files ? "files" : undefined;
  if (key === undefined) return line;
  folders.delete("");
  const [most] = [...folders].sort(([, one], [, other]) => other[key] - one[key]);
  if (most === undefined) return line;
  const [name, its] = most;
  const part = key === "bytes" ? shownSize(its.bytes) : counted(its.files, "file");
  return `${line}: ${part} in ${printable(name)}; exclude in project.toml leaves out what buildpacks do not need`;
}
