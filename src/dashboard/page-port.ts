/** The port of open pages -> kept in a file, so that an open page finds the next daemon where the last one was. */
import { join } from "node:path";
import { writeAtomically } from "../system/atomic-file.ts";
import { readText } from "../system/read-text.ts";

function pathIn(stateDirectory: string): string {
  return join(stateDirectory, "cache", "page-port");
}

/** 0 if no port is known: any will do. */
export async function keptPort(stateDirectory: string): Promise<number> {
  const its = await readText(pathIn(stateDirectory), { longest: 1024 });
  // The first daemon here, or an unreadable file, which will be written again.
  if (its.kind !== "text" || !/^\d{4,5}\n$/.test(its.text)) return 0;
  const port = Number(its.text);
  return port > 1_023 && port < 65_536 ? port : 0;
}

/** @throws the file system's error. */
export function keepPort(stateDirectory: string, port: number): Promise<void> {
  return writeAtomically(pathIn(stateDirectory), `${port}\n`);
}
