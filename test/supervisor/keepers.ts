/**
 * The keeper or host process into something that a test can ask, and the machine into the processes that show a
 * mark.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { HostOrder } from "./host.ts";
import type { Order } from "./keeper.ts";

export class Keeper<O extends Order | HostOrder = Order> {
  #process;
  #lines = this.#read();

  constructor(script = "keeper.ts") {
    this.#process = Bun.spawn([process.execPath, join(import.meta.dir, script)], {
      // Not given, it would be that of before the tests.
      env: { ...process.env },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
      detached: true,
    });
  }

  async *#read(): AsyncGenerator<string> {
    let rest = "";
    const decoder = new TextDecoder();
    for await (const bytes of this.#process.stdout) {
      rest += decoder.decode(bytes, { stream: true });
      const lines = rest.split("\n");
      rest = lines.pop()!;
      yield* lines;
    }
  }

  get pid(): number {
    return this.#process.pid;
  }

  async ask<T>(order: O): Promise<T> {
    this.#process.stdin.write(`${JSON.stringify(order)}\n`);
    await this.#process.stdin.flush();
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the keeper has ended");
    return JSON.parse(value) as T;
  }

  /** As the kernel's out-of-memory killer would. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }

  /** No more orders: it ends by itself. */
  async finish(): Promise<void> {
    await this.#process.stdin.end();
    await this.#process.exited;
  }
}

/** Pids of all processes with this text among their arguments; with `whole`, of those that have no others. */
export function marked(mark: string, { whole = false } = {}): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "latin1");
        return whole ? line === `${mark}\0` : line.includes(mark);
      } catch {
        // Gone in between.
        return false;
      }
    });
}

/** Also one that has ended and is not reaped exists. */
export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** One that has ended runs no more, whether it is reaped or not. */
export function runs(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}
