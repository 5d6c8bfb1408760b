/**
 * Payloads that two readers may cut differently, each sent on a connection of its own, with another client's request
 * behind it -> how many left the server behind the proxy with requests that nobody sent.
 */
import { dirtyOnes, type Sent } from "./desync/judge.ts";
import { type Payload, payloads } from "./desync/payloads.ts";
import { takeSeen } from "./echo-server.ts";
import { connectRaw, type RawEnd } from "../support/raw-end.ts";
import type { Score, Suite, Target, Turn } from "./suite.ts";

const atOnce = 24;
/** Milliseconds that a payload has for its first answer: proxies wait for bodies that do not come. */
const firstWithin = 400;
/** Milliseconds that answers may be apart. */
const quiet = 40;
/** Of the payloads, for a quick look. */
const sample = 20;

export const desync: Suite = {
  label: "desync",
  title: "desync payloads, clean",
  behind: "echo",
  run,
};

export const desyncToH2: Suite = {
  label: "desync-h2",
  title: "the same, in front of a server that speaks HTTP/2 alone",
  behind: "h2-echo",
  run,
};

async function run(target: Target, { quick }: Turn): Promise<Score> {
  const all = payloads().filter((_, index) => !quick || index % sample === 0);
  await takeSeen(target.control);
  const sent = await attackAll(all, { ...target, firstWithin });
  const failures = dirtyOnes(sent, await takeSeen(target.control));
  return { passed: all.length - failures.length, total: all.length, failures };
}

type Front = Pick<Target, "port" | "host"> & { firstWithin: number };

export async function attackAll(
  all: readonly Payload[],
  { port, host, firstWithin }: Front,
): Promise<Sent[]> {
  const sent: Sent[] = [];
  const left = all.entries();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const [index, { name, bytes }] of left) {
        const id = `p${index}`;
        const made = bytes({ host, id });
        await attack(made, { port, host, firstWithin });
        sent.push({ id, name, bytes: made, poisoned: await poisoned({ port, host }, id) });
      }
    }),
  );
  return sent;
}

async function attack(bytes: string, { port, firstWithin }: Front): Promise<void> {
  using client = await connectRaw(port, { send: bytes });
  await client.counted(1, firstWithin).catch(() => undefined);
  while (!client.over) {
    const { total } = client;
    await client.counted(total + 1, quiet).catch(() => undefined);
    if (client.total === total) break;
  }
}

/** The next client's own request, whose answer nothing else has. @returns what it got instead. */
async function poisoned(
  { port, host }: Pick<Target, "port" | "host">,
  id: string,
): Promise<string | undefined> {
  let client: RawEnd | undefined;
  try {
    const mine = `mine-${id}`;
    client = await connectRaw(port);
    client.send(`GET /say/${mine} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    await client.rest().catch(() => undefined);
    const { text } = client;
    if (/^HTTP\/1\.1 200 /.test(text) && text.includes(`\r\n\r\n${mine}`)) return undefined;
    // A dechunked or re-chunked answer has its own text all the same.
    if (/^HTTP\/1\.1 200 /.test(text) && text.includes(mine) && !text.includes("hidden"))
      return undefined;
    return `the next client got ${JSON.stringify(text.slice(0, 100))}`;
  } finally {
    client?.close();
  }
}
