/** The configuration of a database -> whether the server takes it, or the setting that it refuses. */
import { runCommand } from "../../system/command.ts";
import { lastFault, type ServerPrograms, serverWords } from "./server.ts";
import { Unstartable } from "./unstartable.ts";

/** Milliseconds: it only reads its files. */
const deadline = 30_000;

/** @throws Unstartable with PostgreSQL's own words. */
export async function checkSettings(programs: ServerPrograms, data: string): Promise<void> {
  const { env, say } = programs;
  const words = [...serverWords(programs, { data, addresses: "" }), "-C", "port"] as const;
  const said = await runCommand(words as unknown as [string, ...string[]], {
    ...{ env, deadline },
    limit: 64 * 1024,
  });
  if (said.kind === "done" && said.code === 0) return;
  const text = said.kind === "done" ? said.stderr : said.kind === "failed" ? said.why : "";
  say(text.trimEnd());
  // The last line only says which file has errors: those before it say which.
  const faults = text.split("\n").filter((line) => /\b(?:LOG|FATAL|ERROR): /.test(line));
  const why =
    faults.length > 1 ? lastFault(faults[0]!.replace(/\bLOG: /, "ERROR: ")) : lastFault(text);
  throw new Unstartable(`its configuration is refused: ${why}`);
}
