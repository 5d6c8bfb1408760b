/** backend.ts into a running server with a NAME that no other server on this machine has. */
import { join } from "node:path";
import type { Crew } from "./crew.ts";
import type { Backend } from "./peer.ts";

/** Milliseconds that it may take to say its port. */
const patience = 5_000;

export async function startBackend(crew: Crew): Promise<Backend> {
  const name = `bench-${process.pid}`;
  const program = crew.start([process.execPath, join(import.meta.dir, "backend.ts")], {
    name: "backend",
    side: "load",
    env: { NAME: name },
  });
  const deadline = performance.now() + patience;
  while (program.running() && performance.now() < deadline) {
    const printed = program.printed();
    if (/^\d+$/.test(printed)) return { port: Number(printed), name, host: `${name}.localhost` };
    await Bun.sleep(20);
  }
  throw new Error(`the backend does not start: ${program.printed()}`);
}
