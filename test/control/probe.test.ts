/** The probe: four results, told apart, against everything that may listen on a recorded port. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Handshake, handshake } from "../../src/control/found/handshake.ts";
import { socketAuthority } from "../../src/control/found/handshake.ts";
import { probe } from "../../src/control/found/probe.ts";
import { daemonProof } from "../../src/control/found/proof.ts";
import { protocol, type Registration } from "../../src/control/found/protocol.ts";

const credential = "ab".repeat(32);
const facts: Registration = {
  id: "one",
  version: "0.1.0",
  url: "http://127.0.0.1:1",
  pid: process.pid,
  protocol,
  startedAt: 1,
  socket: "/run/daemon.sock",
  port: 9090,
  tlds: [],
};

interface Squatter extends Disposable {
  record: Registration;
  /** All that it was sent. */
  heard(): string;
}

/** Whatever listens on the recorded port; `answer` gets the request's head. */
function squatter(
  answer: (head: string, record: Registration) => string | undefined,
  hostname = "127.0.0.1",
): Squatter {
  let heard = "";
  const listener = Bun.listen({
    hostname,
    port: 0,
    socket: {
      data(socket, bytes) {
        heard += Buffer.from(bytes).toString("latin1");
        if (!heard.endsWith("\r\n\r\n")) return;
        const text = answer(heard, record);
        if (text !== undefined) socket.end(text);
      },
    },
  });
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  const record = { ...facts, url: `http://${host}:${listener.port}` };
  return { record, heard: () => heard, [Symbol.dispose]: () => listener.stop(true) };
}

const json = (value: unknown, status = "200 OK"): string => {
  const body = JSON.stringify(value);
  return `HTTP/1.1 ${status}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
};

const field = (head: string): string => /\r\nAuthorization: ([^\r\n]+)/.exec(head)![1]!;
const nonceOf = (head: string): string => /Proof ([0-9a-f]{64})/.exec(head)![1]!;

/** As the daemon of this record answers, with some of its facts changed. */
const honest =
  (change: Partial<Registration> = {}, its = credential) =>
  (head: string, record: Registration): string => {
    const authority = record.url.slice("http://".length);
    const body = handshake(field(head), {
      credential: its,
      facts: { ...record, ...change },
      authority,
    });
    return body === undefined ? json({}, "401 Unauthorized") : json(body);
  };

test("the daemon of the record is healthy, and tells who it is", async () => {
  using daemon = squatter(honest());
  const probed = await probe(daemon.record, credential);
  expect(probed).toMatchObject({ kind: "healthy", handshake: { id: "one", pid: process.pid } });
});

test("it may listen on ::1", async () => {
  using daemon = squatter(honest(), "::1");
  expect((await probe(daemon.record, credential)).kind).toBe("healthy");
});

test("a newer version is no reason not to talk", async () => {
  using daemon = squatter(honest({ version: "99.0.0" }));
  expect((await probe(daemon.record, credential)).kind).toBe("healthy");
});

test("another protocol is told apart from every other failure", async () => {
  using daemon = squatter(honest({ protocol: "localhostess/99" }));
  const probed = await probe(daemon.record, credential);
  expect(probed).toMatchObject({ kind: "other-protocol", protocol: "localhostess/99" });
});

describe("a stranger is who", () => {
  const strangers: [string, (head: string, record: Registration) => string][] = [
    ["answers 401", () => json({}, "401 Unauthorized")],
    ["answers 404", () => json({}, "404 Not Found")],
    ["sends us elsewhere", () => "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"],
    ["says yes to everything", (_, record) => json(record)],
    ["makes a proof up", (_, record) => json({ ...record, proof: "0".repeat(64) })],
    ["proves nothing but text", (_, record) => json({ ...record, proof: 1 })],
    [
      "sends our own proof back",
      (head, record) => json({ ...record, proof: field(head).slice(-64) }),
    ],
    ["knows another credential", honest({}, "cd".repeat(32))],
    [
      "proves another credential",
      (head, record) =>
        json({
          ...record,
          proof: daemonProof("cd".repeat(32), { ...record, nonce: nonceOf(head) }),
        }),
    ],
    [
      "proves something else than it says",
      (head, record) =>
        json({
          ...record,
          proof: daemonProof(credential, { ...record, id: "x", nonce: nonceOf(head) }),
        }),
    ],
    ["sends null", () => json(null)],
    ["sends no JSON", () => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{]"],
    ["speaks no HTTP", () => "SSH-2.0-OpenSSH_9.2\r\n"],
    ["breaks off within its head", () => "HTTP/1.1 200 OK\r\nConte"],
    ["breaks off within its body", () => "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"],
    ["says no length", () => "HTTP/1.1 200 OK\r\n\r\n{}"],
    ["never stops", () => `HTTP/1.1 200 OK\r\nX: ${"x".repeat(200_000)}`],
    ["promises too much", () => "HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n"],
  ];
  for (const [what, answer] of strangers) {
    test(`${what}; and the credential is not told to it`, async () => {
      using other = squatter(answer);
      const probed = await probe(other.record, credential);
      expect(probed).toMatchObject({ kind: "stranger", why: expect.any(String) });
      expect(other.heard()).toStartWith("GET /v1/handshake HTTP/1.1\r\n");
      expect(other.heard()).not.toContain(credential);
    });
  }
});

const others: [string, Partial<Registration>][] = [
  ["launch", { id: "two" }],
  ["process", { pid: process.pid + 1 }],
];

test.each(others)(
  "a daemon that knows our credential and is another %s is told apart",
  async (_, its) => {
    using daemon = squatter(honest(its));
    const probed = await probe(daemon.record, credential);
    expect(probed).toMatchObject({ kind: "another", handshake: its });
  },
);

test("who passes our proof on to the daemon does not get the daemon's", async () => {
  const asked: string[] = [];
  using other = squatter((head, record) => {
    asked.push(field(head));
    const body = handshake(field(head), { credential, facts: record, authority: "127.0.0.1:1" });
    return body === undefined ? json({}, "401 Unauthorized") : json(body);
  });
  expect((await probe(other.record, credential)).kind).toBe("stranger");
  expect(asked).toHaveLength(1);
});

test("a port that nobody has is dead", async () => {
  const other = squatter(() => "");
  other[Symbol.dispose]();
  expect(await probe(other.record, credential)).toEqual({
    kind: "dead",
    why: "nothing listens there",
  });
});

test("a socket whose path is too long for one is nobody's", async () => {
  const other = squatter(() => "");
  other[Symbol.dispose]();
  const record = { ...other.record, socket: `/tmp/${"d".repeat(200)}/daemon.sock` };
  expect(await probe(record, credential)).toMatchObject({ kind: "dead" });
});

test("who accepts and says nothing is silent, within the time given", async () => {
  using other = squatter(() => undefined);
  const began = performance.now();
  const probed = await probe(other.record, credential, { deadline: 100 });
  expect(probed).toEqual({ kind: "silent", by: "port", why: "no answer within 100 ms" });
  expect(performance.now() - began).toBeLessThan(900);
});

test("who closes without a word is dead", async () => {
  using other = squatter(() => "");
  expect((await probe(other.record, credential)).kind).toBe("dead");
});

test("the environment's proxy hears nothing of it", async () => {
  using proxy = squatter(() => json({}));
  using daemon = squatter(honest());
  const script = `
    import { probe } from ${JSON.stringify(require.resolve("../../src/control/found/probe.ts"))};
    const [record, credential] = JSON.parse(await Bun.stdin.text());
    console.log((await probe(record, credential)).kind);
  `;
  const child = Bun.spawn([process.execPath, "-e", script], {
    env: { ...process.env, http_proxy: proxy.record.url, HTTP_PROXY: proxy.record.url },
    stdin: new Blob([JSON.stringify([daemon.record, credential])]),
    stdout: "pipe",
  });
  expect((await child.stdout.text()).trim()).toBe("healthy");
  expect(proxy.heard()).toBe("");
});

test("every field of its answer is read as strictly as the record's", async () => {
  using other = squatter((head, record) => {
    const body: Handshake = { ...record, url: "http://evil.com:80" };
    return json({ ...body, proof: daemonProof(credential, { ...record, nonce: nonceOf(head) }) });
  });
  expect((await probe(other.record, credential)).kind).toBe("stranger");
});

const sockets = mkdtempSync(join(tmpdir(), "lh-probe-"));
afterAll(() => rmSync(sockets, { recursive: true, force: true }));
let count = 0;

type Answering = (proof: string, path: string) => unknown;

/** Whatever listens on the recorded socket; `answer` gets the proof of a request. Undefined: it says nothing. */
function socketSquatter(answer: Answering) {
  const path = join(sockets, `${count++}.sock`);
  const listener = Bun.listen({
    unix: path,
    socket: {
      data(socket, bytes) {
        const { Handshake } = JSON.parse(bytes.toString()) as { Handshake: { proof: string } };
        const value = answer(Handshake.proof, path);
        if (value !== undefined) socket.end(`${JSON.stringify(value)}\n`);
      },
    },
  });
  return { path, [Symbol.dispose]: () => listener.stop(true) };
}

const shaken =
  (change: Partial<Registration> = {}, its = credential): Answering =>
  (proof, path) => ({
    Handshake: handshake(`Proof ${proof}`, {
      credential: its,
      facts: { ...facts, socket: path, ...change },
      authority: socketAuthority(path),
    }),
  });

describe("the socket is asked first", () => {
  test("a daemon that answers there needs no port", async () => {
    using daemon = socketSquatter(shaken());
    using other = squatter(() => undefined);
    const probed = await probe(
      { ...facts, url: other.record.url, socket: daemon.path },
      credential,
    );
    expect(probed).toMatchObject({ kind: "healthy", handshake: { id: "one" } });
    expect(other.heard()).toBe("");
  });

  const elsewhere: [string, Answering][] = [
    ["is the next daemon's", shaken({ id: "two" })],
    ["is another process's", shaken({ pid: process.pid + 1 })],
    ["is of one who knows another credential", shaken({}, "cd".repeat(32))],
    ["says yes to everything", (_, path) => ({ Handshake: { ...facts, socket: path } })],
    ["sends our proof back", (proof) => ({ Handshake: { ...facts, proof: proof.slice(-64) } })],
    ["knows no such request", () => ({ error: { code: "unknown_command", message: "what?" } })],
    ["sends null", () => null],
  ];
  test.each(elsewhere)("where it %s, the port is", async (_, answer) => {
    using squatting = socketSquatter(answer);
    using daemon = squatter(honest());
    const record = { ...daemon.record, socket: squatting.path };
    expect((await probe(record, credential)).kind).toBe("healthy");
    expect(daemon.heard()).toContain("/v1/handshake");
  });

  test("where it says nothing for the whole time, the daemon is silent", async () => {
    using silent = socketSquatter(() => undefined);
    const record = { ...facts, socket: silent.path };
    expect(await probe(record, credential, { deadline: 100 })).toEqual({
      kind: "silent",
      by: "socket",
      why: "no answer within 100 ms",
    });
  });

  const verdicts: [string, Answering, string][] = [
    ["is another daemon's", shaken({ id: "two" }), "another"],
    ["speaks another protocol", shaken({ protocol: "localhostess/99" }), "other-protocol"],
    ["is of one who knows another credential", shaken({}, "cd".repeat(32)), "stranger"],
    [
      "knows no such request",
      () => ({ error: { code: "unknown_command", message: "what?" } }),
      "stranger",
    ],
  ];
  test.each(verdicts)(
    "where it %s and nobody has the port, that is the answer",
    async (_, answer, kind) => {
      using squatting = socketSquatter(answer);
      const other = squatter(() => "");
      other[Symbol.dispose]();
      const record = { ...facts, url: other.record.url, socket: squatting.path };
      expect(await probe(record, credential)).toMatchObject({ kind });
    },
  );

  test("a stranger at the port does not hide that a process of ours has the socket", async () => {
    using squatting = socketSquatter(() => ({ error: { message: "what?" } }));
    using other = squatter(() => json({}));
    const record = { ...other.record, socket: squatting.path };
    expect(await probe(record, credential)).toMatchObject({ kind: "stranger", by: "socket" });
  });

  test("a proof that was made for the socket is worth nothing at the port, nor the other way round", async () => {
    using daemon = squatter(honest());
    let heard = "";
    using passer = socketSquatter((proof) => {
      heard = proof;
      return null;
    });
    await probe({ ...daemon.record, socket: passer.path }, credential);
    const at = (authority: string) => handshake(`Proof ${heard}`, { credential, facts, authority });
    expect(at(socketAuthority(passer.path))).toBeDefined();
    expect(at(new URL(daemon.record.url).host)).toBeUndefined();
    expect(at(socketAuthority("/elsewhere"))).toBeUndefined();
  });
});
