/**
 * A running proxy into the time of the first request to a name that it has never seen, its certificate made on the
 * way.
 */
import { median } from "./median.ts";
import type { Backend, Peer } from "./peer.ts";
import type { Measured } from "./table.ts";

/**
 * curl by TLS to names under the backend's, each asked for once: what it counts goes from before its connect to
 * the last byte.
 */
export async function measureNewNames(
  { ours, backend }: { ours: Peer; backend: Backend },
  { names }: { names: number },
): Promise<Measured> {
  const prefix = `n${Date.now().toString(36)}`;
  const first = await firstRequest(ours, `${prefix}.${backend.host}`);
  const times: number[] = [];
  for (let index = 0; index < names; index++) {
    times.push(await firstRequest(ours, `${prefix}-${index}.${backend.host}`));
  }
  return {
    rows: [
      {
        label: "first request to a new name by TLS",
        unit: "ms",
        ours: median(times),
        target: { of: "ours", most: 25 },
      },
    ],
    notes: [
      `new-name: ${names} names; fastest ${Math.min(...times).toFixed(1)} ms, slowest ${Math.max(...times).toFixed(1)} ms; the one before them all ${first.toFixed(1)} ms`,
    ],
  };
}

/** @returns milliseconds. */
async function firstRequest({ securePort }: Peer, name: string): Promise<number> {
  const argv = ["curl", "-sS", "-k", "-o", "/dev/null", "-w", "%{http_code} %{time_total}"];
  const child = Bun.spawn(
    [...argv, "--resolve", `${name}:${securePort}:127.0.0.1`, `https://${name}:${securePort}/`],
    { stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  );
  const [printed, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  const [status, seconds] = printed.split(" ").map(Number);
  if (status !== 200) throw new Error(`curl: ${printed} ${errors}`);
  return seconds! * 1_000;
}
