/** Running proxies into megabytes per second of one large body, each way, against a direct connection, by curl. */
import { closeSync, ftruncateSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Crew } from "./crew.ts";
import { median } from "./median.ts";
import type { Backend, Peer } from "./peer.ts";
import { rounds } from "./rounds.ts";
import type { Measured, Row } from "./table.ts";

const size = 2 ** 30;

export type TransferTurn = {
  ours: Peer;
  theirs: readonly Peer[];
  backend: Backend;
  rounds: number;
};

export async function measureDownload(turn: TransferTurn): Promise<Measured> {
  return measure("download", turn, (port) =>
    curl(["-o", "/dev/null", `http://127.0.0.1:${port}/bytes/${size}`], {
      host: turn.backend.host,
      counter: "size_download",
    }),
  );
}

export async function measureUpload(crew: Crew, turn: TransferTurn): Promise<Measured> {
  // A file of holes: read from memory, not from a disk.
  const file = join(crew.dir, "upload");
  const descriptor = openSync(file, "w");
  ftruncateSync(descriptor, size);
  closeSync(descriptor);
  return measure("upload", turn, (port) =>
    curl(["-o", "/dev/null", "-T", file, "-H", "Expect:", `http://127.0.0.1:${port}/upload`], {
      host: turn.backend.host,
      counter: "size_upload",
    }),
  );
}

async function measure(
  label: string,
  { ours, theirs, backend, rounds: count }: TransferTurn,
  transfer: (port: number) => Promise<number>,
): Promise<Measured> {
  const direct: Peer = { name: "direct", port: backend.port, pid: process.pid };
  const peers = [direct, ours, ...theirs];
  const samples = await rounds(peers, count, ({ port }) => transfer(port));
  const rate = (peer: Peer) => median(samples.get(peer)!);
  const row: Row = {
    label: `${label} of 1 GiB, against a direct connection`,
    unit: "MB/s",
    ours: rate(ours),
    theirs: rate(direct),
    ratio: rate(ours) / rate(direct),
    target: { of: "ratio", least: 0.8 },
  };
  const notes = theirs.map(
    (peer) =>
      `${label}: ${peer.name}: ${rate(peer).toFixed(0)} MB/s, ${(rate(peer) / rate(direct)).toFixed(2)}x of direct`,
  );
  return { rows: [row], notes };
}

/** @returns megabytes (10^6 bytes) per second. @throws when not every byte went. */
async function curl(
  argv: readonly string[],
  { host, counter }: { host: string; counter: string },
): Promise<number> {
  const format = `%{http_code} %{${counter}} %{time_total}`;
  const child = Bun.spawn(["curl", "-sS", "-H", `Host: ${host}`, "-w", format, ...argv], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [printed, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  const [status, bytes, seconds] = printed.split(" ").map(Number);
  if (status !== 200 || bytes !== size) throw new Error(`curl: ${printed} ${errors}`);
  return size / 1e6 / seconds!;
}
