/** Scans of a machine with 500 more processes, 50 of them listening: procfs and portable, side by side. */
import { once } from "node:events";
import { createServer } from "node:net";
import { lsofSource } from "../../src/discovery/lsof.ts";
import type { Scan, Source } from "../../src/discovery/observation.ts";
import { procfsSource } from "../../src/discovery/procfs.ts";

const extra = 500;
export const listening = 50;
const rounds = 15;

/** Milliseconds that every process here has been seen, for the scan of a machine that is up for a while. */
export const settledAfter = 3_600_000;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

async function timed(source: Source): Promise<{ time: number; scan: Scan }> {
  const start = performance.now();
  const scan = await source.scan();
  return { time: performance.now() - start, scan };
}

export type CrowdOptions = {
  /** Folders in which the listening ones stand, without a NAME: each is a project's. */
  folders?: readonly string[] | undefined;
};

/**
 * `sleep` is the lightest process there is. The listening ones get a socket of ours as their standard input,
 * one each, which is then closed here: no runtime is started 50 times.
 */
export async function crowd({ folders }: CrowdOptions = {}): Promise<{
  end: () => Promise<void>;
  ports: Set<number>;
}> {
  const children: Bun.Subprocess[] = [];
  const ports = new Set<number>();
  const end = async () => {
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(children.map((child) => child.exited));
  };
  const sleeper = (stdin: "ignore" | number, env: Record<string, string>, cwd?: string) =>
    children.push(
      Bun.spawn(["sleep", "600"], {
        ...(cwd === undefined ? {} : { cwd, argv0: "./server" }),
        stdin,
        stdout: "ignore",
        stderr: "ignore",
        env,
        detached: true,
      }),
    );
  const { PATH = "/usr/bin:/bin" } = process.env;
  try {
    for (let at = 0; at < extra - listening; at++) sleeper("ignore", { PATH });
    for (let at = 0; at < listening; at++) {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      ports.add((server.address() as { port: number }).port);
      // Node's interface has no public way to the descriptor of a listening socket.
      const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
      if (folders === undefined) sleeper(fd, { PATH, NAME: `bench-${at}` });
      else sleeper(fd, { PATH }, folders[at % folders.length]);
      server.close();
      await once(server, "close");
    }
  } catch (error) {
    await end();
    throw error;
  }
  return { end, ports };
}

/**
 * Cold: the first scan of a new source. Warm: the second and later ones while every process is young, and
 * so walked again. Settled: the same once they are not.
 */
export async function benchScan(): Promise<{ label: string; value: string }[]> {
  const uid = process.getuid!();
  const { end, ports } = await crowd();
  try {
    const uptime = performance.now();
    const warm = procfsSource({ uid });
    const settled = procfsSource({ uid, uptime: () => uptime + settledAfter });
    const portable = lsofSource({ uid });
    const times = { cold: [], warm: [], settled: [], portable: [] } as Record<string, number[]>;
    const measure = async (label: string, source: Source) => {
      const { time, scan } = await timed(source);
      const seen = scan.observations.filter(({ port }) => ports.has(port)).length;
      if (seen !== listening) throw new Error(`${label} saw ${seen} of ${listening} servers`);
      times[label]!.push(time);
    };
    await Promise.all([warm.scan(), settled.scan(), portable.scan()]);
    for (let round = 0; round < rounds; round++) {
      await measure("cold", procfsSource({ uid }));
      await measure("warm", warm);
      await measure("settled", settled);
      await measure("portable", portable);
    }
    const ms = (label: string) => `${median(times[label]!).toFixed(1)} ms`;
    const ratio = (label: string) =>
      `${(median(times.portable!) / median(times[label]!)).toFixed(1)}x`;
    return [
      { label: "procfs, first scan", value: ms("cold") },
      { label: "procfs, processes younger than 30 s", value: ms("warm") },
      { label: "procfs, settled", value: ms("settled") },
      { label: "portable (lsof and ps)", value: ms("portable") },
      { label: "portable / procfs first scan", value: ratio("cold") },
      { label: "portable / procfs young", value: ratio("warm") },
      { label: "portable / procfs settled", value: ratio("settled") },
    ];
  } finally {
    await end();
  }
}

if (import.meta.main) {
  console.log(`${extra} extra processes, ${listening} of them listening; medians of ${rounds}`);
  for (const { label, value } of await benchScan()) console.log(`${label.padEnd(40)}${value}`);
}
