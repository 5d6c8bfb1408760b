/** A port and a Host into the moment at which it answers; and ports that nobody has. */
import type { Program } from "./crew.ts";

/** Milliseconds until a program that does not answer is given up. */
const patience = 15_000;

/** @throws with what the program printed. */
export async function ready(
  program: Program,
  { port, host, status = 200 }: { port: number; host: string; status?: number },
): Promise<void> {
  const deadline = performance.now() + patience;
  let last = "nothing";
  while (program.running() && performance.now() < deadline) {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/`, {
        headers: { Host: host, Connection: "close" },
        signal: AbortSignal.timeout(1_000),
      });
      await answer.text();
      if (answer.status === status) return;
      last = `status ${answer.status}`;
    } catch (error) {
      // It does not listen yet.
      last = (error as Error).message;
    }
    await Bun.sleep(50);
  }
  throw new Error(`${program.name} is not ready (${last}); it printed:\n${program.printed()}`);
}

/** Free a moment ago. Most servers cannot be asked to pick a port and to tell which. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}
