/** What holds whatever anyone sends: what goes on is one well-formed message, and it answers whoever asked. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { type MadeRequest, madeRequest, mutated } from "../support/arbitrary-request.ts";
import { eventually } from "../support/eventually.ts";
import { inParallel } from "../support/in-parallel.ts";
import { some } from "../support/property.ts";
import { suiteSeed, Random } from "../support/random.ts";
import { latin1Bytes } from "../support/latin1.ts";
import { type RawEnd, connectRaw } from "../support/raw-end.ts";
import { turn, turns } from "../support/turn.ts";
import { echo, type Script, RawServer } from "../support/raw-server.ts";
import { readAnswers, readRequests, type Message, valuesOf } from "../support/strict-reader.ts";
import { startTestProxy } from "../support/test-proxy.ts";
import { withProxies } from "../support/with-proxies.ts";
import { FakeClock } from "../support/fake-clock.ts";

/** Sends `bytes` whole or in pieces, and gives what came back: up to the end, or as much as is enough. */
async function exchange(
  port: number,
  bytes: string,
  { random, enough }: { random: Random; enough?: (text: string) => boolean },
): Promise<RawEnd> {
  const client = await connectRaw(port);
  if (random.chance(0.3)) await client.sendEach(bytes, 1 + random.below(30));
  else client.send(bytes);
  // A client that ends first keeps its port from others for a minute, so not all of them do.
  const ends = enough === undefined || random.chance(0.1);
  if (ends) client.finish();
  const came = ends ? client.rest() : client.enough((text) => client.over || enough(text));
  await came.catch((error: Error) => {
    throw new Error(`neither answered nor closed: ${JSON.stringify(bytes)}`, { cause: error });
  });
  client.reset();
  return client;
}

/** Whether a whole answer is there; one that is none is waited for no longer. */
function isAnswered(text: string, method: string): boolean {
  const { messages, fault } = readAnswers(text, { methods: [method], ended: false });
  return fault !== undefined || messages.some(({ status }) => status >= 200);
}

const generated = 2_000;
/** On a machine that is busy with other things. */
const atLeast = 200;

test("an upstream gets the well-formed request that its client made, with its framing and body", async () => {
  const seed = suiteSeed();
  const random = new Random(seed);
  const requests = fc.sample(madeRequest, { numRuns: generated, seed });
  const wrong: string[] = [];
  await withProxies(some(requests, { atLeast }), echo, async (made, proxy, upstream) => {
    const before = upstream.requests.length;
    const faultsBefore = upstream.faults.length;
    const client = await exchange(proxy.port, made.bytes, {
      random,
      enough: (text) => isAnswered(text, made.method),
    });
    const got = upstream.requests.slice(before);
    const say = (what: string): number => wrong.push(`${what}: ${JSON.stringify(made.bytes)}`);
    for (const fault of upstream.faults.slice(faultsBefore)) say(fault.message);
    const answers = readAnswers(client.text, { methods: [made.method], ended: true });
    if (answers.fault !== undefined || answers.rest !== "") say(`answered by ${client.text}`);
    if (got.length !== 1) say(`${got.length} requests`);
    const [first] = got;
    if (first === undefined) return;
    if (first.method !== made.method || first.target !== made.target) say(first.raw);
    if (first.body !== made.body || first.framing !== made.framing) say(`body of ${first.raw}`);
    if (!Bun.deepEquals(first.trailers, made.trailers)) say(`trailers of ${first.raw}`);
    // Everything the client said is there in its order, and what we say is behind it.
    if (!Bun.deepEquals(first.fields.slice(0, made.fields.length), made.fields)) say(first.raw);
  });
  expect({ seed, wrong: wrong.slice(0, 5) }).toEqual({ seed, wrong: [] });
});

test("whatever a client sends, an upstream gets well-formed requests with the bodies that were meant", async () => {
  const seed = suiteSeed();
  const random = new Random(seed);
  const texts = fc.sample(mutated(madeRequest.map(({ bytes }) => bytes)), {
    numRuns: generated / 2,
    seed,
  });
  const wrong: string[] = [];
  await withProxies(some(texts, { atLeast }), echo, async (text, proxy, upstream) => {
    const before = upstream.requests.length;
    const faultsBefore = upstream.faults.length;
    const client = await exchange(proxy.port, text, { random });
    const got = upstream.requests.slice(before);
    const say = (what: string): number => wrong.push(`${what}: ${JSON.stringify(text)}`);
    for (const fault of upstream.faults.slice(faultsBefore)) say(fault.message);
    const methods = got.map(({ method }) => method);
    const answers = readAnswers(client.text, { methods, ended: true });
    if (answers.fault !== undefined) say(`${answers.fault} in ${client.text}`);
    // Where a strict reader understands the sender, the upstream has to have understood the same.
    const meant = readRequests(text.replace(/^(?:\r\n)+/, "")).messages[0];
    if (meant === undefined || got[0] === undefined) return;
    if (got[0].body !== meant.body) say(`another body, ${JSON.stringify(got[0].body)}`);
  });
  expect({ seed, wrong: wrong.slice(0, 5) }).toEqual({ seed, wrong: [] });
});

/** A made request with a status line in the place of its request line: fields, framing and body are the same. */
function answerOf({ bytes }: MadeRequest): string {
  const text = bytes.replace(/^\r\n/, "");
  return `HTTP/1.1 200 OK${text.slice(text.indexOf("\r\n"))}`;
}

const probe = "GET /x HTTP/1.1\r\nHost: api.localhost\r\n\r\n";

test("a client gets the well-formed answer that its upstream made, with its framing and body", async () => {
  const seed = suiteSeed();
  const made = fc.sample(madeRequest, { numRuns: generated, seed });
  const random = new Random(seed);
  const wrong: string[] = [];
  await withProxies(
    some(made.entries(), { atLeast }),
    ({ target }, connection) => {
      const answer = made[Number(target.slice(1))]!;
      connection.send(answerOf(answer));
      // Without framing fields the end of the connection is the end of the answer.
      if (answer.framing === "none") connection.end();
    },
    async ([index, answer], proxy) => {
      const client = await exchange(proxy.port, probe.replace("x", String(index)), {
        random,
        enough: (text) => isAnswered(text, "GET"),
      });
      const { messages, fault, rest } = readAnswers(client.text, { methods: ["GET"], ended: true });
      const [first] = messages;
      const right =
        fault === undefined &&
        rest === "" &&
        messages.length === 1 &&
        first?.status === 200 &&
        first.framing === (answer.framing === "none" ? "close" : answer.framing) &&
        first.body === answer.body &&
        Bun.deepEquals(first.trailers, answer.trailers) &&
        Bun.deepEquals(first.fields.slice(0, answer.fields.length), answer.fields);
      if (!right)
        wrong.push(`${JSON.stringify(answerOf(answer))} as ${JSON.stringify(client.text)}`);
    },
  );
  expect({ seed, wrong: wrong.slice(0, 5) }).toEqual({ seed, wrong: [] });
});

test("whatever an upstream sends, a client gets well-formed answers, or one that breaks off", async () => {
  const seed = suiteSeed();
  const random = new Random(seed);
  const texts = fc.sample(mutated(madeRequest.map(answerOf)), { numRuns: generated, seed });
  const wrong: string[] = [];
  await withProxies(
    some(texts.entries(), { atLeast }),
    ({ target }, connection) => {
      connection.send(texts[Number(target.slice(1))]!);
      connection.end();
    },
    async ([index, text], proxy) => {
      const client = await exchange(proxy.port, probe.replace("x", String(index)), {
        random,
        enough: (text) => isAnswered(text, "GET"),
      });
      const { messages, fault, rest } = readAnswers(client.text, {
        methods: ["GET"],
        ended: client.ended,
      });
      const finals = messages.filter(({ status }) => status >= 200);
      const broken = rest !== "" || client.broken;
      if (fault !== undefined || finals.length > 1 || (finals.length === 0 && !broken)) {
        wrong.push(`${fault}, ${JSON.stringify(text)} as ${JSON.stringify(client.text)}`);
      }
    },
  );
  expect({ seed, wrong: wrong.slice(0, 5) }).toEqual({ seed, wrong: [] });
});

// Whose answer is it?

const tagged = 10_000;

type Manner =
  | "length"
  | "chunked"
  | "until close"
  | "after 103"
  | "late"
  | "and closes"
  | "and resets"
  | "and a second answer"
  | "and a second answer in the next packet"
  | "and a second answer shortly after"
  | "and garbage"
  | "shorter than its length"
  | "chunks that break off"
  | "reset in its middle"
  | "malformed"
  | "nothing";

const sound: readonly Manner[] = [
  "length",
  "chunked",
  "until close",
  "after 103",
  "late",
  "and closes",
];
const unsound: readonly Manner[] = [
  "and resets",
  "and a second answer",
  "and a second answer in the next packet",
  "and a second answer shortly after",
  "and garbage",
  "shorter than its length",
  "chunks that break off",
  "reset in its middle",
  "malformed",
  "nothing",
];

/** Full of its tag, so that any run of its bytes says whose it is. */
function bodyOf(tag: string, size: number): string {
  return `<${tag}>`.repeat(1 + Math.floor(size / (tag.length + 2)));
}

async function answerIn(manner: Manner, request: Message, connection: RawEnd): Promise<void> {
  const [, tag = "", size = ""] = /^\/(t\d+)\/(\d+)\//.exec(request.target) ?? [];
  const body = bodyOf(tag, Number(size));
  const own = [
    `X-Tag: ${tag}`,
    `X-Body: ${request.body === "" ? "none" : request.body.slice(0, 40)}`,
  ];
  const head = (...fields: string[]): string =>
    `${["HTTP/1.1 200 OK", ...own, ...fields].join("\r\n")}\r\n\r\n`;
  const isHead = request.method === "HEAD";
  const whole = head(`Content-Length: ${body.length}`) + (isHead ? "" : body);
  const stray = `HTTP/1.1 200 OK\r\nX-Tag: stray-${tag}\r\nContent-Length: 5\r\n\r\nstray`;
  const half = body.slice(0, body.length / 2);
  switch (manner) {
    case "length":
      connection.send(whole);
      return;
    case "chunked": {
      const chunk = `${body.length.toString(16)}\r\n${body}\r\n`;
      connection.send(head("Transfer-Encoding: chunked") + (isHead ? "" : `${chunk}0\r\n\r\n`));
      return;
    }
    case "until close":
      connection.send(head("Connection: close") + (isHead ? "" : body));
      connection.end();
      return;
    case "after 103":
      connection.send(`HTTP/1.1 103 Early Hints\r\nX-Tag: ${tag}\r\n\r\n${whole}`);
      return;
    case "late":
      await turn();
      await turn();
      connection.send(whole);
      return;
    case "and closes":
      connection.send(whole);
      connection.end();
      return;
    case "and resets":
      connection.send(whole);
      await turn();
      connection.reset();
      return;
    case "and a second answer":
      connection.send(whole + stray);
      return;
    case "and a second answer in the next packet":
      connection.send(whole);
      await turn();
      connection.send(stray);
      return;
    case "and a second answer shortly after":
      connection.send(whole);
      setTimeout(() => connection.send(stray), 3);
      return;
    case "and garbage":
      connection.send(`${whole}\0\r\n\0stray-${tag}`);
      return;
    case "shorter than its length":
      connection.send(head(`Content-Length: ${body.length + 10}`) + body);
      connection.end();
      return;
    case "chunks that break off":
      connection.send(
        `${head("Transfer-Encoding: chunked")}${body.length.toString(16)}\r\n${half}`,
      );
      connection.end();
      return;
    case "reset in its middle":
      connection.send(head(`Content-Length: ${body.length}`) + half);
      await turn();
      connection.reset();
      return;
    case "malformed":
      connection.send(
        `HTTP/1.1 200 OK\r\nX-Tag: ${tag}\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n${body}`,
      );
      return;
    case "nothing":
      connection.end();
  }
}

const strayStart = "HTTP/1.1 200 OK\r\nX-Tag: stray-";

type Asked = { tag: string; method: string; size: number; body: string };

/** What a session got that it should not have got. */
function complaintsOf(
  text: string,
  asked: readonly Asked[],
  { ended, clean }: { ended: boolean; clean: boolean },
): string[] {
  const complaints: string[] = [];
  const mine = new Set(asked.map(({ tag }) => tag));
  for (const [found] of text.matchAll(/<t\d+>|X-Tag: (?:stray-)?t\d+\r/g)) {
    const tag = /t\d+/.exec(found)![0];
    if (!mine.has(tag)) complaints.push(`${tag} is another client's`);
  }
  const { messages, fault } = readAnswers(text, {
    methods: asked.map(({ method }) => method),
    ended,
  });
  if (fault !== undefined) complaints.push(fault);
  const finals = messages.filter(({ status }) => status >= 200);
  for (const [index, message] of finals.entries()) {
    const wanted = asked[index];
    if (message.status !== 200) {
      if (clean) complaints.push(`${message.status} for ${wanted?.tag}: ${message.body}`);
      continue;
    }
    const [tag = ""] = valuesOf(message.fields, "x-tag");
    // Its own server sent this client an answer too many: from here on its answers may be off by one, and are its own.
    if (tag.startsWith("stray-")) break;
    if (wanted === undefined || tag !== wanted.tag) {
      complaints.push(`${tag} answers ${wanted?.tag}`);
      continue;
    }
    const body = wanted.method === "HEAD" ? "" : bodyOf(tag, wanted.size);
    if (message.body !== body) {
      // The same answer too many, in the middle of this client's next one: whose tags it has was looked at above.
      // An answer that breaks off may be filled up with only its beginning.
      const rest = message.body.replace(/^(?:<t\d+>)*/, "");
      if (rest !== "" && (rest.includes(strayStart) || strayStart.startsWith(rest))) break;
      complaints.push(`the body of ${tag} is ${message.body.slice(0, 100)}`);
    }
    const [sent] = valuesOf(message.fields, "x-body");
    if (sent !== (wanted.body === "" ? "none" : wanted.body.slice(0, 40))) {
      complaints.push(`${tag} was asked with the body ${sent}`);
    }
  }
  if (clean && finals.length !== asked.length) {
    complaints.push(`${finals.length} answers to ${asked.length} requests`);
  }
  return complaints;
}

test("no client gets a byte that answers another, in thousands of requests at once", async () => {
  const seed = suiteSeed();
  const random = new Random(seed);
  const script =
    (manners: readonly Manner[]): Script =>
    (request, connection) => {
      void answerIn(
        manners[Number(request.target.split("/")[3]) % manners.length]!,
        request,
        connection,
      );
    };
  const good = new RawServer({ answer: script(sound) });
  // A server that was caught sending bytes too many shares no connection any more, so there are many of them.
  const bad = Array.from(
    { length: 40 },
    () => new RawServer({ answer: script([...sound, ...sound, ...unsound]) }),
  );
  const services = Object.fromEntries([
    ["good", { port: good.port }],
    ...bad.map(({ port }, index) => [`bad${index}`, { port }]),
  ]);
  // A server that says too much does so within 3 ms of the proxy's clock, however long a busy machine keeps us waiting.
  const proxy = await startTestProxy({ services });

  let next = 0;
  const make = (name: string): { asked: Asked; bytes: string } => {
    const tag = `t${next++}`;
    const method = random.pick(["GET", "GET", "GET", "POST", "HEAD", "PUT"]);
    const size = random.chance(0.1) ? random.below(60_000) : random.below(200);
    const body = method === "POST" || method === "PUT" ? bodyOf(tag, random.below(100)) : "";
    const inChunks = random.chance(0.5);
    const head = [
      `${method} /${tag}/${size}/${random.below(1_000)} HTTP/1.1`,
      `Host: ${name}.localhost`,
      ...(body === ""
        ? []
        : [inChunks ? "Transfer-Encoding: chunked" : `Content-Length: ${body.length}`]),
    ];
    const framed =
      body !== "" && inChunks ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body;
    return { asked: { tag, method, size, body }, bytes: `${head.join("\r\n")}\r\n\r\n${framed}` };
  };

  const complaints: string[] = [];
  const session = async (): Promise<void> => {
    const isGood = random.chance(0.4);
    const count = 1 + random.below(8);
    const names = isGood
      ? ["good"]
      : ["good", `bad${random.below(bad.length)}`, `bad${random.below(bad.length)}`];
    const made = Array.from({ length: count }, () => make(random.pick(names)));
    const asked = made.map((one) => one.asked);
    const manner = random.below(6);
    const client = await connectRaw(proxy.port);
    let clean = isGood;
    if (manner < 2) {
      // One after another.
      for (const [index, { bytes }] of made.entries()) {
        if (client.over) break;
        client.send(bytes);
        const methods = asked.map(({ method }) => method);
        await client
          .enough(
            (text) =>
              readAnswers(text, { methods, ended: false }).messages.filter(
                ({ status }) => status >= 200,
              ).length > index,
          )
          .catch(() => {});
      }
    } else {
      const all = latin1Bytes(made.map(({ bytes }) => bytes).join(""));
      if (manner === 2) await client.sendEach(all, 1 + random.below(400));
      else client.send(all);
    }
    const ending = random.below(isGood ? 2 : 4);
    if (ending === 2) {
      clean = false;
      await client.enough((text) => text.length > 0).catch(() => {});
      client.reset();
    } else if (ending === 3) {
      clean = false;
      client.close();
    } else {
      // An answer that ends with its connection ends the session, so what was asked behind it is not answered.
      client.finish();
      await client.rest();
      if (/\r\nConnection: close\r\n/.test(client.text)) clean = false;
    }
    complaints.push(...complaintsOf(client.text, asked, { ended: client.ended, clean }));
    client.close();
  };
  try {
    const sessions = {
      *[Symbol.iterator]() {
        while (next < tagged) yield next;
      },
    };
    await inParallel(some(sessions, { atLeast }), 64, session);
    await eventually("no connection is held", () => proxy.connections === 0);
    const faults = [good, ...bad].flatMap((upstream) => upstream.faults);
    expect({ seed, complaints: complaints.slice(0, 10), faults }).toEqual({
      seed,
      complaints: [],
      faults: [],
    });
    // Who never answers may be asked once whether it speaks TLS; who answers is not.
    expect(good.hellos).toBe(0);
    for (const upstream of bad) expect(upstream.hellos).toBeLessThanOrEqual(1);
  } finally {
    for (const upstream of [good, ...bad]) upstream.stop();
    await proxy.stop();
  }
});

test("an answer too many that meets the same client's next request moves no answer on to another client", async () => {
  const answer = (body: string): string =>
    `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  let slow: RawEnd | undefined;
  const upstream = new RawServer({
    answer: ({ target }, connection) => {
      if (target === "/second") {
        // Late behind the first answer, so that the second request is on its way already; its own takes longer.
        connection.send(answer("too many"));
        slow = connection;
        return;
      }
      if (connection === slow) connection.send(answer("/second"));
      connection.send(answer(target));
    },
  });
  const clock = new FakeClock();
  const proxy = await startTestProxy({ services: { api: upstream }, clock });
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: api.localhost\r\n\r\n`;
  try {
    const first = await connectRaw(proxy.port, { send: get("/first") + get("/second") });
    await first.until("too many");
    first.close();
    await eventually("the first client is gone", () => proxy.connections === 0);
    // As long as connections are kept from other clients after an answer, and longer.
    clock.advance(30);
    await turns(10);
    const other = await connectRaw(proxy.port, { send: get("/other") });
    expect(await other.enough((text) => text.includes("\r\n\r\n/"))).not.toContain("/second");
    other.close();
  } finally {
    upstream.stop();
    await proxy.stop();
  }
});

test("an answer too many that came while the proxy was busy answers no other client", async () => {
  let server: RawEnd | undefined;
  const answer = (body: string): string =>
    `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const upstream = new RawServer({
    answer: ({ target }, connection) => {
      server = connection;
      connection.send(answer(target));
    },
  });
  const proxy = await startTestProxy({ services: { api: upstream } });
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: api.localhost\r\n\r\n`;
  try {
    const other = await connectRaw(proxy.port);
    const first = await connectRaw(proxy.port, { send: get("/first") });
    await first.until("/first");
    // Both are there at once when the proxy looks again, whatever the time is then.
    other.send(get("/other"));
    server!.send(answer("too many"));
    const busyUntil = performance.now() + 30;
    while (performance.now() < busyUntil);
    expect(await other.enough((text) => text.includes("\r\n\r\n"))).not.toContain("too many");
    first.close();
    other.close();
  } finally {
    upstream.stop();
    await proxy.stop();
  }
});
