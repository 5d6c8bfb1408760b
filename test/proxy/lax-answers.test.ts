/**
 * Generated answers of servers that never read RFC 9112, to clients of HTTP/1.1, 1.0 and 2: what goes on is one
 * well-formed message.
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import { Flag, FrameType } from "../../src/wire/h2/frame.ts";
import { mutated } from "../support/arbitrary-request.ts";
import { eventually } from "../support/eventually.ts";
import { H2Frames } from "../support/h2-frames.ts";
import { type LaxAnswer, laxAnswer } from "../support/lax-answer.ts";
import { latin1Bytes } from "../support/latin1.ts";
import { running } from "../support/running.ts";
import { freePort } from "../support/servers.ts";
import { startTestProxy } from "../support/test-proxy.ts";
import { some } from "../support/property.ts";
import { suiteSeed, Random } from "../support/random.ts";
import { connectRaw, type RawEnd } from "../support/raw-end.ts";
import type { RawServer } from "../support/raw-server.ts";
import { readAnswers } from "../support/strict-reader.ts";
import { turn } from "../support/turn.ts";
import { withProxies } from "../support/with-proxies.ts";

type Lines = readonly (readonly [name: string, value: string])[];

const welcome = join(import.meta.dir, "../e2e/fixtures/frameworks/bun-welcome.ts");

/** What a client got. */
type Got = {
  /** Why it is no well-formed message, as far as it goes. */
  fault: string | undefined;
  statuses: number[];
  /** The final answer is there to its end. */
  whole: boolean;
  fields: Lines;
  body: string;
  trailers: Lines;
};

const shapes = ["whole", "octet by octet", "in pieces", "with bytes behind"] as const;
type Shape = (typeof shapes)[number];

const stray = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray";

async function send(
  connection: RawEnd,
  text: string,
  { shape, random, ends }: { shape: Shape; random: Random; ends: boolean },
): Promise<void> {
  const bytes = latin1Bytes(shape === "with bytes behind" && !ends ? text + stray : text);
  for (let at = 0; at < bytes.length && !connection.over;) {
    const size =
      shape === "octet by octet" ? 1 : shape === "in pieces" ? 1 + random.below(40) : bytes.length;
    connection.send(bytes.subarray(at, at + size));
    at += size;
    if (at < bytes.length) await turn();
  }
  if (ends) connection.end();
}

/** Asks for `/n`, in HTTP/1.1 or 1.0. */
async function askPlain(port: number, n: number, minor: 0 | 1): Promise<Got> {
  const request = `GET /${n} HTTP/1.${minor}\r\nHost: api.localhost\r\n\r\n`;
  const client = await connectRaw(port, { send: request });
  const read = () => readAnswers(client.text, { methods: ["GET"], ended: client.ended });
  await client.enough(() => {
    const { fault, messages } = read();
    return client.over || fault !== undefined || messages.some(({ status }) => status >= 200);
  });
  const { fault, messages, rest } = read();
  client.reset();
  const last = messages.at(-1);
  return {
    fault: fault ?? (messages.length > 0 && last!.status >= 200 && rest !== "" ? rest : undefined),
    statuses: messages.map(({ status }) => status),
    whole: last !== undefined && last.status >= 200,
    fields: last?.fields ?? [],
    body: last?.body ?? "",
    trailers: last?.trailers ?? [],
  };
}

/** RFC 9113 section 8.2.1, and no capital. */
const h2Line =
  /^(:status|[!#$%&'*+.^_`|~0-9a-z-]+): ?((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)$/;

async function askFrames(upstream: RawServer, n: number): Promise<Got> {
  const client = new H2Frames({ api: upstream }).greet();
  client.request(1, { path: `/${n}` });
  const isEnd = ({ type, flags }: { type: number; flags: number }): boolean =>
    type === FrameType.resetStream || (type <= 1 && (flags & Flag.endStream) !== 0);
  const own = () => client.heard.filter(({ stream }) => stream === 1);
  await eventually("the end of the stream", () => own().some(isEnd));
  const heads = own().filter(({ type }) => type === FrameType.headers);
  const sections = heads.map(({ lines }) =>
    lines.map((line): [string, string] => {
      const match = h2Line.exec(line);
      return match === null ? ["malformed", line] : [match[1]!, match[2]!];
    }),
  );
  const finalAt = sections.findIndex(([first]) => Number(first?.[1]) >= 200);
  const final = sections[finalAt] ?? [];
  const body = client.bodyOf(1).toString("latin1");
  const whole = own().every(({ type }) => type !== FrameType.resetStream);
  const length = final.find(([name]) => name === "content-length")?.[1];
  const malformed = sections.flat().find(([name]) => name === "malformed");
  const wrongLength = whole && length !== undefined && length !== String(body.length);
  client.abort();
  client.shared.pool.stop();
  return {
    fault: malformed?.[1] ?? (wrongLength ? `${length} for ${body.length}` : undefined),
    statuses: sections.slice(0, finalAt + 1).map(([first]) => Number(first?.[1])),
    whole,
    fields: final,
    body,
    trailers: sections[finalAt + 1] ?? [],
  };
}

const clients = ["HTTP/1.1", "HTTP/1.0", "HTTP/2"] as const;
type Client = (typeof clients)[number];

function ask(client: Client, port: number, upstream: RawServer, n: number): Promise<Got> {
  return client === "HTTP/2"
    ? askFrames(upstream, n)
    : askPlain(port, n, client === "HTTP/1.0" ? 0 : 1);
}

const generated = 1_500;
const atLeast = 60;
const milliseconds = 700;

/** Does `judge` on what each client got of each text. */
async function everyClient(
  texts: readonly { text: string; ends: boolean }[],
  random: Random,
  judge: (got: Got, n: number, client: Client) => string | undefined,
): Promise<string[]> {
  const wrong: string[] = [];
  const jobs = texts.map((_, n) => ({
    n,
    client: clients[n % clients.length]!,
    shape: random.pick(shapes),
  }));
  await withProxies(
    some(jobs, { atLeast, milliseconds }),
    async ({ target }, connection) => {
      const n = Number(target.slice(1));
      const { text, ends } = texts[n]!;
      await send(connection, text, { shape: jobs[n]!.shape, random, ends });
    },
    async ({ n, client, shape }, proxy, upstream) => {
      const say = (what: string): number =>
        wrong.push(`${client}, ${shape}: ${what}: ${JSON.stringify(texts[n]!.text)}`);
      try {
        const problem = judge(await ask(client, proxy.port, upstream, n), n, client);
        if (problem !== undefined) say(problem);
      } catch (error) {
        say((error as Error).message.slice(0, 300));
      }
    },
  );
  return wrong;
}

/** Lines of HTTP/2 as H2Frames has them: it takes U+00A0 at a line's end for white space. */
function lowered(lines: Lines, client: Client): Lines {
  if (client !== "HTTP/2") return lines;
  return lines.map(([name, value]) => [name.toLowerCase(), value.trimEnd()]);
}

/** The model's fields begin with `X-l-`; ours and the framing's do not. */
function ofModel(lines: Lines): Lines {
  return lines.filter(([name]) => /^x-l-/i.test(name));
}

test("a client gets the answer that a lax server means, well-formed", async () => {
  const seed = suiteSeed();
  const random = new Random(seed);
  const answers: LaxAnswer[] = fc.sample(laxAnswer, { numRuns: generated, seed });
  const texts = answers.map(({ bytes, framing }) => ({ text: bytes, ends: framing === "close" }));
  const wrong = await everyClient(texts, random, (got, n, client) => {
    const { interim, status, fields, body, trailers } = answers[n]!;
    const old = client === "HTTP/1.0";
    const wanted: Got = {
      fault: undefined,
      statuses: [...(old ? [] : interim), status],
      whole: true,
      fields: lowered(fields, client),
      body,
      trailers: old ? [] : lowered(trailers, client),
    };
    const its = { ...got, fields: ofModel(got.fields) };
    return Bun.deepEquals(its, wanted)
      ? undefined
      : `${JSON.stringify(its)} and not ${JSON.stringify(wanted)}`;
  });
  expect({ seed, wrong: wrong.slice(0, 3) }).toEqual({ seed, wrong: [] });
}, 30_000);

test("whatever a server says, a client gets 502, one well-formed answer, or one that visibly breaks off", async () => {
  const seed = suiteSeed();
  const random = new Random(seed);
  const texts = fc.sample(mutated(laxAnswer.map(({ bytes }) => bytes)), {
    numRuns: generated,
    seed,
  });
  const wrong = await everyClient(
    texts.map((text) => ({ text, ends: true })),
    random,
    ({ fault, statuses, whole }) => {
      if (fault !== undefined) return fault;
      const finals = statuses.filter((status) => status >= 200);
      return finals.length > 1 || (whole && finals.length === 0) ? `${statuses}` : undefined;
    },
  );
  expect({ seed, wrong: wrong.slice(0, 3) }).toEqual({ seed, wrong: [] });
}, 30_000);

test("the page of a Bun server whose handler returns nothing arrives, and one after it", async () => {
  const port = freePort();
  const bun = await running([process.execPath, welcome, String(port)], {
    ready: /listening/,
    env: {},
  });
  const proxy = await startTestProxy({ services: { api: { port } } });
  try {
    const client = await connectRaw(proxy.port);
    for (let n = 1; n <= 2; n++) {
      client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
      const { status, body } = await client.message();
      expect({ status, body }).toEqual({
        status: 200,
        body: expect.stringContaining("Welcome to Bun!"),
      });
    }
    client.reset();
  } finally {
    await bun.end();
    await proxy.stop();
  }
});
