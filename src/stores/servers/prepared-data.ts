/** The place of a store -> the folder of its data, made in one step: what was cut off is never taken for it. */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import type { ProgramFacts, StoreServer } from "./server.ts";

/** `begins`: called where the server's own program has to make it, which may take a while. @throws with a sentence. */
export async function preparedData(
  server: Pick<StoreServer, "prepare">,
  facts: ProgramFacts,
  begins: () => void,
): Promise<void> {
  const { data, sockets } = facts.place;
  mkdirSync(sockets, { recursive: true, mode: 0o700 });
  if (existsSync(data)) return;
  const unfinished = `${data}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  if (server.prepare !== undefined) {
    begins();
    await server.prepare(unfinished, facts);
  }
  renameSync(unfinished, data);
}
