/**
 * Random walks of a client, its upstreams, the clock and the supervisor around a Connection, over links that are
 * not real.
 */
import { expect, test } from "bun:test";
import type { Asked } from "../../../src/discovery/callers.ts";
import type { CancelDial } from "../../../src/link/dial.ts";
import { type Link, type LinkHandler, nobody } from "../../../src/link/link.ts";
import { Connection } from "../../../src/proxy/client/connection.ts";
import { At, states } from "../../../src/proxy/client/states.ts";
import { type Entry, Recorder } from "../../../src/proxy/request/recorder.ts";
import type { RequestHead } from "../../../src/wire/head.ts";
import { Dialect, Dialects } from "../../../src/proxy/upstream/dialect.ts";
import { type HeadWriter, HeadWriters } from "../../../src/proxy/frames/head-writer.ts";
import { type DialRequest, type DialTurn, Upstream } from "../../../src/proxy/upstream/pool.ts";
import type { Service } from "../../../src/routes/service.ts";
import type { Supervised } from "../../../src/routes/supervised.ts";
import { routeTable } from "../../../src/routes/table.ts";
import { encode, latin1 } from "../../../src/wire/bytes.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { testShared } from "../../support/h2-proxy.ts";
import { suiteSeed, Random } from "../../support/random.ts";
import { readAnswers } from "../../support/strict-reader.ts";
import { testService, testSupervised } from "../../support/test-proxy.ts";

/** A link whose other end is the walk. A paused one keeps what the other end sends. */
class WalkedLink implements Link {
  handler: LinkHandler = nobody;
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort = 50_000;
  readonly localAddress = "127.0.0.1";
  readonly localPort = 80;
  readonly descriptor = -1;
  pending = 0;
  paused = false;
  written = "";
  /** The other end takes nothing for now. */
  blocked = false;
  #owing = false;
  #sending: "open" | "half-closed" | "closing" = "open";
  #gone = false;
  readonly #coming: (Uint8Array | "end")[] = [];
  #endSent = false;

  constructor(
    /** The link is gone within the call that closes it, rather than later. */
    readonly atOnce: boolean,
  ) {}

  get over(): boolean {
    return this.#gone;
  }

  /** Our side has sent its end, or will. */
  get ended(): boolean {
    return this.#sending !== "open" || this.#gone;
  }

  get closing(): boolean {
    return this.#sending === "closing" || this.#gone;
  }

  get endSent(): boolean {
    return this.#endSent;
  }

  write(bytes: Uint8Array, from: number, to: number): boolean {
    if (this.#sending !== "open" || this.#gone || to <= from) return this.pending === 0;
    this.written += latin1(bytes, from, to);
    if (!this.blocked && this.pending === 0) return true;
    this.pending += to - from;
    this.#owing = true;
    return false;
  }

  halfClose(): void {
    if (this.#sending === "open") this.#sending = "half-closed";
  }

  close(): void {
    if (this.#sending === "closing") return;
    this.#sending = "closing";
    if (this.pending > 0) this.resume();
    else if (this.atOnce) this.die(undefined);
  }

  abort(): void {
    this.#sending = "closing";
    this.pending = 0;
    if (this.atOnce) this.die(undefined);
  }

  pause(): void {
    if (this.#sending !== "closing") this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  // The walk calls:

  send(text: string): void {
    if (!this.#endSent && text.length > 0) this.#coming.push(encode(text));
    this.deliver();
  }

  end(): void {
    if (!this.#endSent) this.#coming.push("end");
    this.#endSent = true;
    this.deliver();
  }

  /** Brings what the other end has sent, as far as the link is not paused. */
  deliver(): void {
    while (!this.paused && !this.closing) {
      const next = this.#coming.shift();
      if (next === undefined) return;
      this.#guarded(() => {
        if (next === "end") this.handler.ended();
        else this.handler.data(next);
      });
    }
  }

  /** The other end takes everything. */
  take(): void {
    this.blocked = false;
    if (this.pending === 0) return;
    this.pending = 0;
    if (this.#sending === "closing") this.die(undefined);
    else if (this.#sending === "open" && this.#owing) {
      this.#owing = false;
      this.#guarded(() => this.handler.drained());
    }
  }

  die(cause: Error | undefined): void {
    if (this.#gone) return;
    this.#gone = true;
    this.pending = 0;
    this.handler.closed(cause);
  }

  /** The link is gone at last, where our side has closed it. */
  settle(): void {
    if (this.#sending === "closing" && this.pending === 0) this.die(undefined);
  }

  #guarded(act: () => void): void {
    try {
      act();
    } catch (fault) {
      this.handler.failed(fault);
      this.abort();
    }
  }
}

/** Writers that are counted while they are out. */
class CountedWriters extends HeadWriters {
  out = 0;

  override take(): HeadWriter {
    this.out++;
    return super.take();
  }

  override give(writer: HeadWriter): void {
    this.out--;
    super.give(writer);
  }
}

/** Counts the requests that have begun and not ended. */
class CountedRecorder extends Recorder {
  underWay = 0;

  override begin(head: RequestHead, bytes: Uint8Array, secured: boolean): Entry {
    this.underWay++;
    return super.begin(head, bytes, secured);
  }

  override end(entry: Entry, broken: boolean): void {
    this.underWay--;
    super.end(entry, broken);
  }
}

type Question = { dialect: Dialect; settle(secure: boolean | undefined): void };

class WalkedDialects extends Dialects {
  readonly asked: Question[] = [];
  readonly #all = new Map<string, Dialect>();

  override of(service: Service): Dialect {
    const key = `${service.endpoint.port}|${service.process?.startedAt}`;
    let dialect = this.#all.get(key);
    if (dialect === undefined) {
      const asked = this.asked;
      dialect = new (class extends Dialect {
        override ask(): Promise<boolean | undefined> {
          if (this.tls !== undefined) return Promise.resolve(this.tls);
          const { promise, resolve } = Promise.withResolvers<boolean | undefined>();
          asked.push({ dialect: this, settle: () => resolve(this.tls) });
          return promise;
        }
      })(service, this.clock);
      this.#all.set(key, dialect);
    }
    return dialect;
  }
}

type Dialled = { request: DialRequest; turn: DialTurn; over: boolean };

const host = "Host: api.shop.localhost\r\n";

/** Requests that may follow each other on one connection. */
const requests = [
  `GET /a HTTP/1.1\r\n${host}\r\n`,
  `GET /a HTTP/1.1\r\n${host}\r\n`,
  `HEAD /a HTTP/1.1\r\n${host}\r\n`,
  `GET /old HTTP/1.0\r\n${host}\r\n`,
  `GET /page HTTP/1.1\r\n${host}Accept: text/html,*/*;q=0.8\r\n\r\n`,
  `POST /b HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello`,
  `POST /b HTTP/1.1\r\n${host}Content-Length: 100000\r\n\r\n${"x".repeat(100_000)}`,
  `PUT /c HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  `PUT /c HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n${`8000\r\n${"y".repeat(32_768)}\r\n`.repeat(3)}0\r\nX: y\r\n\r\n`,
  `PUT /bad HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n`,
  `GET /close HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
  "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "GET /none HTTP/1.1\r\nHost: none.localhost\r\n\r\n",
  "GET /bad HTTP/1.1\r\nHost: a b\r\n\r\n",
  `GET /ws HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
] as const;

const connect = "CONNECT api.shop.localhost:80 HTTP/1.1\r\nHost: api.shop.localhost:80\r\n\r\n";
const insides = [
  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  "GET /ws HTTP/1.1\r\nHost: api.shop.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: api.shop.localhost\r\n\r\n",
  "\x00anything",
  "GE",
  "",
] as const;

const answers = [
  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
  "HTTP/1.1 204 No Content\r\n\r\n",
  "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
  "HTTP/1.1 200 OK\r\n\r\nuntil the end",
  "HTTP/1.1 400 Bad Request\r\nContent-Length: 31\r\n\r\nThis is HTTPS: speak TLS to it.",
  "HTTP/1.1 200 OK\r\nContent-Len",
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhi",
  "\x15\x03\x01\x00\x02\x02\x46",
  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n",
  "nonsense\r\n\r\n",
] as const;

/** What a client sends: requests one behind another, perhaps a tunnel at the end, perhaps not all of the last. */
type Script = {
  text: string;
  ends: readonly number[];
  methods: readonly string[];
  opaque: boolean;
};

function script(random: Random): Script {
  const parts: string[] = [];
  const only = random.chance(0.25);
  const strange = random.chance(0.05);
  if (strange) parts.push(random.pick(insides));
  for (let n = only ? 0 : 1 + random.below(4); n > 0; n--) parts.push(random.pick(requests));
  if (only || random.chance(0.2)) parts.push(connect + random.pick(insides));
  if (random.chance(0.1)) parts.reverse();
  let text = "";
  const ends = parts.map((part) => {
    text += part;
    return text.length;
  });
  const methods = parts.map((part) => part.split(" ")[0]!);
  const opaque = strange || /CONNECT|Upgrade|bad/.test(text);
  return {
    text: random.chance(0.2) ? text.slice(0, random.below(text.length)) : text,
    ends,
    methods,
    opaque,
  };
}

const nothingDown = {
  code: 1,
  signal: null,
  time: 1_700_000_000_000,
  lastLines: [],
} as const;

/** What the supervisor may say. */
function supervised(random: Random): Supervised[] {
  const round = random.below(3);
  const base = { startedAt: 1_700_000_000_000 + round * 5_000, lazy: random.chance(0.3) };
  if (random.chance(0.4)) return [testSupervised({ ...base, port: 3_000 })];
  return random.pick<Supervised[]>([
    [],
    [testSupervised({ ...base, port: 3_000 })],
    [testSupervised({ ...base, port: 3_000 })],
    [testSupervised({ ...base, port: 3_000 + round, state: "unready" })],
    [testSupervised({ ...base, state: "starting" })],
    [testSupervised({ ...base, state: "backoff", restarts: 1 })],
    [testSupervised({ ...base, state: "stopping" })],
    [testSupervised({ ...base, state: "stopped", lazy: true })],
    [testSupervised({ ...base, state: "stopped" })],
    [testSupervised({ ...base, state: "exited", lastExit: { ...nothingDown, time: round } })],
    [testSupervised({ ...base, state: "failed", lastExit: { ...nothingDown, time: round } })],
  ]);
}

/** One world, in which one client comes after another. */
class Walk {
  readonly clock = new FakeClock();
  readonly below = testShared({});
  readonly idle: Upstream[] = [];
  readonly asking = new Set<Asked>();
  readonly recorder = new CountedRecorder({ clock: this.clock, now: () => this.below.now * 1_000 });
  readonly writers = new CountedWriters();
  readonly looks: ((failed: boolean) => void)[] = [];
  readonly dials: Dialled[] = [];
  upstreams: WalkedLink[] = [];
  table = routeTable([testService("api.shop", { port: 3_000 })]);
  readonly dialects = new WalkedDialects(this.clock, () => this.table);
  readonly shared;
  readonly log: string[] = [];
  client!: WalkedLink;
  connection!: Connection;
  goneCount = 0;
  secured = false;
  script: Script = { text: "", ends: [], methods: [], opaque: false };
  sent = 0;

  constructor(readonly random: Random) {
    const queue = { key: "", strays: false, listed: true, size: 0, add() {}, remove() {} };
    const { idle } = this;
    this.shared = {
      ...this.below,
      draining: () => this.below.drains,
      seconds: () => this.below.now,
      writers: this.writers,
      routes: () => this.table,
      recorder: this.recorder,
      dialects: this.dialects,
      callers: {
        ask: (): Asked => {
          const asked = { caller: undefined } as Asked;
          this.asking.add(asked);
          return asked;
        },
        forget: (asked: Asked) => expect(this.asking.delete(asked)).toBe(true),
        stop() {},
      },
      stillThere: () => this.random.chance(0.8),
      terminates: () => true,
      supervision: { wake: () => {}, latest: () => ["a line"] },
      refresh: () =>
        new Promise<void>((resolve, reject) => {
          this.looks.push((failed) => (failed ? reject(new Error("a look failed")) : resolve()));
        }),
      secure: () => {
        this.secured = true;
        this.client.handler = nobody;
        return true;
      },
      fault: (fault: unknown) => {
        if ((fault as Error).message !== "a look failed") this.below.faults.push(fault);
      },
      gone: () => {
        this.goneCount++;
      },
      pool: {
        ...this.below.pool,
        take: (key: string) => {
          const at = idle.findIndex((upstream) => upstream.key === key);
          return at === -1 ? undefined : idle.splice(at, 1)[0];
        },
        release: (upstream: Upstream) => {
          upstream.served++;
          const remove = (): void => {
            const at = idle.indexOf(upstream);
            if (at !== -1) idle.splice(at, 1);
          };
          const broken = (): void => {
            remove();
            upstream.link.close();
          };
          upstream.link.handler = { ...nobody, data: broken, ended: broken, closed: remove };
          upstream.link.resume();
          idle.push(upstream);
        },
        dial: (request: DialRequest, turn: DialTurn): CancelDial => {
          const dialled: Dialled = { request, turn, over: false };
          this.dials.push(dialled);
          return () => {
            dialled.over = true;
          };
        },
      },
    };
    this.connected = (dialled) => {
      const link = new WalkedLink(this.random.chance(0.5));
      link.blocked = this.random.chance(0.2);
      const way = { address: "127.0.0.1", secured: dialled.request.tls !== undefined };
      const dials = { freed() {}, answered() {} };
      const key = dialled.request.key;
      const upstream = new Upstream(link, { ...queue, key } as never, way, dials);
      link.handler = upstream;
      this.upstreams.push(link);
      dialled.turn.connected(upstream);
    };
  }

  readonly connected: (dialled: Dialled) => void;

  come(): void {
    this.client = new WalkedLink(this.random.chance(0.5));
    this.script = script(this.random);
    this.sent = 0;
    this.goneCount = 0;
    this.secured = false;
    this.below.drains = false;
    this.connection = new Connection(this.client, this.shared);
  }

  /** Whether anything is under way that will move a request that waits. */
  get awaited(): boolean {
    return (
      this.looks.length > 0 ||
      this.dials.some(({ over }) => !over) ||
      this.dialects.asked.length > 0 ||
      this.shared.waiting.size > 0
    );
  }

  step(): void {
    const { random, client } = this;
    const live = this.upstreams.filter((link) => !link.closing);
    const waits = this.looks.length + this.dials.length + this.dialects.asked.length > 0;
    const act = random.pick<[string, () => void]>([
      ["send", () => this.send()],
      ["come", () => (waits ? this.comes() : this.send())],
      ["come", () => (waits ? this.comes() : this.send())],
      ["send", () => this.send()],
      ["send all", () => this.send(this.script.text.length)],
      ["look", () => this.looks.shift()?.(random.chance(0.1))],
      ["dial", () => this.dialled()],
      ["dial", () => this.dialled()],
      ["answer", () => random.pick([...live, undefined])?.send(random.pick(answers))],
      ["answer", () => random.pick([...live, undefined])?.send(random.pick(answers))],
      ["answer in parts", () => this.answerPart(random.pick([...live, undefined]))],
      ["upstream ends", () => random.pick([...live, undefined])?.end()],
      ["upstream resets", () => random.pick([...live, undefined])?.die(new Error("reset"))],
      ["upstream takes", () => random.pick([...live, undefined])?.take()],
      ["question", () => this.answerQuestion()],
      ["supervisor", () => this.news()],
      ["supervisor", () => this.news()],
      ["tick", () => this.tick(1)],
      ["ticks", () => this.tick(random.below(30))],
      ["client takes", () => client.take()],
      [
        "client blocks",
        () => {
          client.blocked = random.chance(0.5);
        },
      ],
      ["client ends", () => random.chance(0.1) && client.end()],
      ["client resets", () => random.chance(0.05) && client.die(new Error("reset"))],
      ["client closes", () => random.chance(0.05) && client.die(undefined)],
      ["settle", () => this.settle()],
      ["drain", () => random.chance(0.05) && this.drain()],
    ]);
    this.log.push(act[0]);
    act[1]();
    for (const link of [client, ...this.upstreams]) link.deliver();
  }

  send(most = 1 + this.random.below(2_000)): void {
    const text = this.script.text.slice(this.sent, this.sent + most);
    this.sent += text.length;
    this.client.send(text);
  }

  /** What is awaited comes. */
  comes(): void {
    this.looks.shift()?.(false);
    this.dialled(0.9);
    this.answerQuestion();
  }

  dialled(share = 0.6): void {
    const dialled = this.dials.shift();
    if (dialled === undefined || dialled.over) return;
    dialled.over = true;
    const { random } = this;
    if (random.chance(share)) this.connected(dialled);
    else {
      const secured = dialled.request.tls !== undefined;
      dialled.turn.failed({
        address: "127.0.0.1",
        code: random.pick(["ECONNREFUSED", "ECONNREFUSED", "ETIMEDOUT"]),
        handshake:
          secured && random.chance(0.5) ? { kind: random.pick(["plain", "lost"]) } : undefined,
      });
    }
  }

  answerPart(link: WalkedLink | undefined): void {
    const answer = this.random.pick(answers);
    link?.send(answer.slice(0, 1 + this.random.below(answer.length)));
  }

  answerQuestion(): void {
    const question = this.dialects.asked.shift();
    if (question === undefined) return;
    const secure = this.random.pick([true, false, undefined]);
    if (secure !== undefined) question.dialect.learn(secure ? "asked: yes" : "asked: no");
    question.settle(secure);
  }

  news(): void {
    const { random } = this;
    const services = random.chance(0.3)
      ? [testService("api.shop", { port: 3_000 + random.below(2) })]
      : [];
    this.table = routeTable(services, { supervised: supervised(random) });
    for (const waiting of [...this.shared.waiting]) waiting.news();
  }

  tick(halves: number): void {
    for (let half = 0; half < halves; half++) {
      this.below.now += 0.5;
      this.clock.advance(500);
      if (!this.secured && this.goneCount === 0) this.connection.tick();
    }
  }

  drain(): void {
    this.below.drains = true;
    if (!this.secured && this.goneCount === 0) this.connection.drain();
  }

  settle(): void {
    for (const link of [this.client, ...this.upstreams]) link.settle();
  }

  /** What must hold between two events. */
  check(): void {
    if (this.below.faults.length > 0) throw this.below.faults[0];
    expect(this.writers.out).toBe(0);
    const { state } = this.connection;
    if (this.goneCount > 0) {
      expect(this.goneCount).toBe(1);
      expect(state).toBe(At.closed);
    }
    if (state !== At.waiting) expect(this.shared.waiting.size).toBe(0);
    else expect(this.awaited).toBe(true);
    if (state === At.joined && !this.client.closing) {
      const full = this.upstreams.some(({ pending, ended }) => pending > 0 && !ended);
      if (full) expect(this.client.paused).toBe(true);
    }
    if (state === At.lingering || state === At.closed) {
      expect(this.connection.held.length).toBe(0);
      if (!this.script.opaque) expect(this.recorder.underWay).toBe(0);
    }
  }

  /** Everything comes to its end: what is awaited comes, no service takes a connection, no answer comes any more. */
  async finish(): Promise<void> {
    this.client.blocked = false;
    // Far longer than the requests of a script may wait, one after another.
    for (let round = 0; round < 1_000; round++) {
      this.client.take();
      this.send(this.script.text.length);
      this.client.deliver();
      for (const look of this.looks.splice(0)) look(false);
      for (const dialled of this.dials.splice(0)) {
        if (dialled.over) continue;
        dialled.over = true;
        dialled.turn.failed({ address: "127.0.0.1", code: "ECONNREFUSED", handshake: undefined });
      }
      for (const question of this.dialects.asked.splice(0)) {
        question.dialect.learn("asked: no");
        question.settle(false);
      }
      for (const link of this.upstreams) link.die(undefined);
      this.settle();
      await turn();
      this.check();
      const at = this.connection.state;
      const settled = at === At.idle || at === At.reading || this.client.ended || this.secured;
      if (settled && round > 0 && this.looks.length + this.dials.length === 0) break;
      this.tick(1);
    }
    const { state } = this.connection;
    const read = readAnswers(this.client.written, { methods: this.script.methods, ended: true });
    const answers = read.messages.filter(({ status }) => status >= 200).length;
    const asked = this.script.ends.filter((end) => end <= this.sent).length;
    // A tunnel whose service is gone has gone as well.
    if (!this.client.ended && !this.secured) expect(["idle", "reading"]).toContain(states[state]!);
    if (!this.script.opaque) {
      expect(answers).toBeLessThanOrEqual(asked + (this.client.ended ? 1 : 0));
      if (!this.client.ended) {
        expect(read.fault).toBeUndefined();
        expect(read.rest).toBe("");
        expect(answers).toBe(asked);
      }
    }
    this.client.die(undefined);
    if (this.secured) this.goneCount = 1;
    for (const link of this.upstreams) link.take();
    this.settle();
    await turn();
    expect(this.goneCount).toBe(1);
    expect(this.connection.state).toBe(At.closed);
    expect(this.shared.waiting.size).toBe(0);
    expect(this.recorder.underWay).toBe(0);
    expect(this.asking.size).toBe(0);
    expect(this.dials.filter(({ over }) => !over)).toEqual([]);
    for (const link of this.upstreams) {
      const idle = this.idle.some((upstream) => upstream.link === link);
      expect(idle || link.closing).toBe(true);
    }
    this.upstreams = this.upstreams.filter((link) => !link.closing);
    if (this.below.faults.length > 0) throw this.below.faults[0];
  }
}

/** Lets promises that are settled be heard. */
const turn = (): Promise<void> =>
  new Promise((resolve) => queueMicrotask(() => setImmediate(resolve)));

/** Milliseconds, and as many walks at most. */
const patience = Number(process.env.WALKS_PATIENCE ?? 1_500);
const mostWalks = patience / 5;

test("on every way a connection gets on, answers each request once, and leaves nothing behind", async () => {
  const seed = suiteSeed();
  const end = performance.now() + patience;
  let walks = 0;
  for (; performance.now() < end && walks < mostWalks; walks++) {
    const walk = new Walk(new Random(seed + walks));
    try {
      for (let clients = 0; clients < 4; clients++) {
        walk.come();
        for (let steps = walk.random.below(40); steps >= 0; steps--) {
          walk.step();
          for (let n = 0; n < 6; n++) await Promise.resolve();
          walk.check();
          if (walk.connection.state === At.closed && !walk.secured && walk.random.chance(0.3))
            break;
        }
        walk.log.push("finish");
        await walk.finish();
      }
    } catch (fault) {
      const asked = JSON.stringify(walk.script.text.replace(/([xy])\1{9,}/g, "$1..."));
      const story = walk.log.slice(walk.log.lastIndexOf("finish", -2) + 1).join(", ");
      const about = `${asked} of which ${walk.sent} of ${walk.script.text.length}: ${story}`;
      throw new Error(
        `SEED=${seed + walks}: ${about}; answered: ${JSON.stringify(walk.client.written.slice(-2000))}`,
        { cause: fault },
      );
    }
  }
  expect(walks).toBeGreaterThan(0);
});
