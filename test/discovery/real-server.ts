/** Starts a real server that prints its ports as JSON, and ends it with all its children. */
import { tmpdir } from "node:os";

export type RealServer = { pid: number; ports: readonly number[]; end(): Promise<void> };

/** `environment` replaces NAME; everything else is passed on. */
export async function realServer(
  command: readonly string[],
  environment: { NAME?: string },
): Promise<RealServer> {
  const { NAME: _, ...inherited } = process.env;
  const child = Bun.spawn([...command], {
    env: { ...inherited, ...environment },
    // No checkout, whose label its name would have.
    cwd: tmpdir(),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
    // A session of its own: it is ended as a group, and the test runner leaves it alone.
    detached: true,
  });
  const end = async () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch (error) {
      // It has ended by itself.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
    await child.exited;
  };
  let text = "";
  const decoder = new TextDecoder();
  const reader = child.stdout.getReader();
  while (!text.includes("\n")) {
    const { done, value } = await reader.read();
    if (done) {
      await end();
      throw new Error(`${command.join(" ")} printed no ports`);
    }
    text += decoder.decode(value, { stream: true });
  }
  reader.releaseLock();
  return { pid: child.pid, ports: JSON.parse(text), end };
}
