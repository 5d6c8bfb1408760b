/**
 * Handshakes that are cut, odd, many or never finished, on the proxy's own port: each has one outcome, and
 * strangers cost nothing.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect, type TLSSocket } from "node:tls";
import { FakeClock } from "../support/fake-clock.ts";
import { type ProxyProcess, startProxyProcess } from "../support/proxy-process.ts";
import { Random } from "../support/random.ts";
import { connectRaw, type RawEnd } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { startTestProxy, type TestProxy } from "../support/test-proxy.ts";
import { testTerminator } from "../support/test-tls.ts";
import { turns, turnsUntil } from "../support/turn.ts";
import { describeWith } from "../support/with-programs.ts";
import {
  type ThrowawayCertificateAuthority,
  throwawayCertificateAuthority,
} from "../support/throwaway-certificate-authority.ts";
import type { Clock } from "../../src/system/clock.ts";
import type { Terminator } from "../../src/tls/terminate.ts";
import type { Leaf } from "../../src/tls/leaf.ts";

let throwaway: ThrowawayCertificateAuthority;
let api: RawServer;
/** What was asked for, and what there is of it: each checked by pkijs as it was made. */
const leaves = new Map<string, Promise<Leaf>>();

beforeAll(async () => {
  throwaway = await throwawayCertificateAuthority();
  api = new RawServer({ answer: () => ok("inside") });
});
afterAll(async () => {
  api[Symbol.dispose]();
  await throwaway[Symbol.asyncDispose]();
});

function terminates(clock?: Clock): Terminator {
  const certificateFor = (name: string | undefined): Promise<Leaf> | undefined => {
    if (name !== undefined && !name.endsWith("localhost")) return undefined;
    const key = name ?? "";
    const found = leaves.get(key) ?? throwaway.leafFor(name);
    leaves.set(key, found);
    return found;
  };
  return testTerminator(certificateFor, { ...(clock && { clock }) });
}

async function captured(name: string): Promise<string> {
  const text = await Bun.file(`${import.meta.dir}/../corpus/client-hello/${name}.hex`).text();
  return Buffer.from(text.replace(/\s/g, ""), "hex").toString("latin1");
}

/** Handshake type 2 in a record of type 22: the server speaks on. */
const isServerHello = (bytes: Buffer): boolean => bytes[0] === 22 && bytes[5] === 2;

test("a hello that is cut at any octet, with a pause there, is heard as if it were whole", async () => {
  const hello = await captured("openssl");
  await using proxy = await startTestProxy({ services: { api }, terminator: terminates() });
  const cuts = Array.from({ length: hello.length - 1 }, (_, index) => index + 1);
  const worker = async (): Promise<void> => {
    for (let cut = cuts.pop(); cut !== undefined; cut = cuts.pop()) {
      using client = await connectRaw(proxy.port);
      client.send(hello.slice(0, cut));
      await client.sent();
      // The proxy has read it before the rest comes.
      await turns(3);
      client.send(hello.slice(cut));
      const answer = await client.bytes(6);
      expect([cut, isServerHello(answer)]).toEqual([cut, true]);
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
});

describe("garbage behind 0x16", () => {
  const random = new Random(7);
  const garbage: [string, string][] = [
    ["text", "\x16garbage that is no record"],
    ["HTTP", "\x16GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n"],
    ["zeros", `\x16${"\0".repeat(100)}`],
    ["ones", `\x16${"\xff".repeat(100)}`],
    ["a record too long", "\x16\x03\x01\xff\xff"],
    ["a record of nothing", "\x16\x03\x01\0\0"],
    ["a message that is no hello", "\x16\x03\x01\0\x04\x0e\0\0\0"],
    ...Array.from({ length: 20 }, (_, index): [string, string] => [
      `random octets ${index}`,
      `\x16\x03\x01\0\x40${Buffer.from(random.bytes(64)).toString("latin1")}`,
    ]),
  ];
  test.each(garbage)("%s: an alert, and the end", async (_, bytes) => {
    await using proxy = await startTestProxy({ terminator: terminates() });
    using client = await connectRaw(proxy.port);
    client.send(bytes);
    // A hello may still be coming where what there is could be the beginning of one.
    client.finish();
    const rest = Buffer.from(await client.rest(), "latin1");
    if (rest.length > 0) expect([rest[0], rest.length, rest[5]]).toEqual([21, 7, 2]);
    await client.gone();
    expect(proxy.connections).toBe(0);
  });
});

describe("a client that stops in the middle of a handshake is dropped after 10 s", () => {
  const stops: [string, (hello: string, client: RawEnd) => Promise<void>][] = [
    [
      "within its hello",
      async (hello, client) => {
        client.send(hello.slice(0, 100));
      },
    ],
    [
      "behind its whole hello",
      async (hello, client) => {
        client.send(hello);
        await client.bytes(6);
      },
    ],
    [
      "behind a hello in two pieces",
      async (hello, client) => {
        client.send(hello.slice(0, 50));
        await client.sent();
        await turns(5);
        client.send(hello.slice(50));
        await client.bytes(6);
      },
    ],
  ];
  test.each(stops)("%s", async (_, stop) => {
    const clock = new FakeClock();
    const hello = await captured("openssl");
    await using proxy = await startTestProxy({ clock, terminator: terminates(clock) });
    const idle = clock.waiting;
    using client = await connectRaw(proxy.port);
    await stop(hello, client);
    await turnsUntil("the limit is set", () => clock.waiting > idle);
    clock.advance(9_999);
    expect(proxy.connections).toBe(1);
    clock.advance(1);
    await client.rest();
    await turnsUntil("it is dropped", () => proxy.connections === 0);
    expect(clock.waiting).toBe(idle);
  });
});

test("a client that says something else behind a hello in two pieces is closed", async () => {
  const hello = await captured("openssl");
  await using proxy = await startTestProxy({ terminator: terminates() });
  using client = await connectRaw(proxy.port);
  client.send(hello.slice(0, 50));
  await client.sent();
  await turns(5);
  client.send(hello.slice(50));
  await client.bytes(6);
  client.send("\x17\x03\x03\0\x20garbage garbage garbage garbage ");
  await client.rest();
  client.finish();
  await client.gone();
  expect(proxy.connections).toBe(0);
});

test("1,000 handshakes at once to 100 names: each is verified and answered", async () => {
  await using proxy = await startTestProxy({ services: { api }, terminator: terminates() });
  const ca = throwaway.ca.pem;
  const before = leaves.size;
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, async (_, index) => {
      const servername = `n${index % 100}.api.localhost`;
      const socket = await new Promise<TLSSocket>((resolve, reject) => {
        const opened = connect({ host: "127.0.0.1", port: proxy.port, ca, servername }, () =>
          resolve(opened),
        );
        opened.on("error", reject);
      });
      expect(socket.authorized).toBe(true);
      socket.write(`GET / HTTP/1.1\r\nHost: ${servername}\r\nConnection: close\r\n\r\n`);
      let text = "";
      for await (const piece of socket) text += piece;
      return text.slice(9, 12);
    }),
  );
  expect(new Set(answers)).toEqual(new Set(["200"]));
  expect(leaves.size - before).toBe(100);
}, 120_000);

/** Every second of its sockets has Nagle's algorithm on, as a socket has it that nobody asked otherwise. */
const pythonClient = `
import socket, ssl, sys, time
file, port = sys.argv[1:]
context = ssl.create_default_context(cafile=file)
for turn in range(30):
    begin = time.monotonic()
    plain = socket.create_connection(("127.0.0.1", int(port)))
    if turn % 2 == 1:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with context.wrap_socket(plain, server_hostname="api.localhost") as client:
        client.sendall(b"GET / HTTP/1.1\\r\\nHost: api.localhost\\r\\nConnection: close\\r\\n\\r\\n")
        while client.recv(4096):
            pass
    print((time.monotonic() - begin) * 1000)
`;

describeWith(["python3"])(
  "a client that waits for an acknowledgement before it sends its request",
  () => {
    test("does not wait for 40 ms", async () => {
      await using proxy = await startTestProxy({ services: { api }, terminator: terminates() });
      const { certificatePath } = throwaway.ca;
      const child = Bun.spawn(["python3", "-", certificatePath, String(proxy.port)], {
        stdin: Buffer.from(pythonClient),
        stdout: "pipe",
      });
      const times = (await child.stdout.text()).trim().split("\n").map(Number);
      expect(times).toHaveLength(30);
      // Where we kept it waiting, Nagle's algorithm would hold up every one of those that have it on.
      const least = (first: number): number =>
        Math.min(...times.filter((_, index) => index % 2 === first));
      expect(least(0) - least(1)).toBeLessThan(30);
    });
  },
);

describeWith(["openssl"])("openssl s_client", () => {
  let proxy: TestProxy;
  beforeAll(async () => {
    proxy = await startTestProxy({ services: { api }, terminator: terminates() });
  });
  afterAll(() => proxy.stop());

  /** Its messages and its summary. `octets`: about as long a hello, filled with names of protocols. */
  async function shake(options: readonly string[], octets = 0): Promise<string> {
    const fill = Array.from({ length: octets / 250 }, (_, at) => String(at).padStart(249, "x"));
    const alpn = ["-alpn", ["h2", "http/1.1", ...fill].join(",")];
    const to = ["-connect", `127.0.0.1:${proxy.port}`, "-servername", "api.localhost"];
    const child = Bun.spawn(["openssl", "s_client", "-msg", ...to, ...alpn, ...options], {
      stdin: Buffer.from(""),
      stdout: "pipe",
      stderr: "ignore",
    });
    return await child.stdout.text();
  }

  const aead = ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"];
  const others = ["ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "AES128-SHA"];

  // A hello of 6 KB is read before it is understood, which leads to other TLS than one that is looked at.
  test.each([0, 6_000])(
    "TLS 1.2 has suites with AEAD alone, behind a hello of %d octets",
    async (octets) => {
      const outcomes = await Promise.all(
        [...aead, ...others].map(async (cipher) => {
          const text = await shake(["-tls1_2", "-cipher", `${cipher}:@SECLEVEL=0`], octets);
          return /Cipher is (\S+)/.exec(text)?.[1];
        }),
      );
      expect(outcomes).toEqual([...aead, ...others.map(() => "(NONE)")]);
    },
  );

  // Each server's own limit on extensions is 64 KiB, and the client's on protocols a little less.
  test.each([15_000, 16_000, 17_000, 40_000, 64_000])(
    "a hello of %d octets, in records of 16 KiB, is heard, and nobody is asked for a certificate",
    async (octets) => {
      const text = await shake(["-tls1_3"], octets);
      expect(text).toContain("Cipher is TLS_");
      expect(text).toContain("ALPN protocol: h2");
      expect(text).not.toContain("CertificateRequest");
    },
  );

  test("so is one of TLS 1.2, which may be asked for a certificate and has none", async () => {
    const text = await shake(["-tls1_2"], 40_000);
    expect(text).toContain("ALPN protocol: h2");
  });
});

describe.skipIf(process.platform !== "linux")("strangers", () => {
  test("10,000 names that are not ours cost no memory, and a name that is ours is served at once behind them", async () => {
    await using proxy: ProxyProcess = await startProxyProcess({ api: api.port }, { tls: true });
    const hello = await captured("curl");
    // As long as the name that was captured.
    const foreign = (index: number): string => {
      const name = `.${String(index).padStart(8, "x")}`;
      return hello.replace(".localhost", `${name}y`);
    };
    expect(foreign(1)).not.toBe(hello);
    expect(foreign(1).length).toBe(hello.length);
    let next = 0;
    const flood = async (count: number): Promise<void> => {
      const end = next + count;
      const worker = async (): Promise<void> => {
        while (next < end) {
          using client = await connectRaw(proxy.port);
          client.send(foreign(next++));
          // A fatal alert, unrecognized_name.
          expect([...(await client.bytes(7))]).toEqual([21, 3, 3, 0, 2, 2, 112]);
          client.close();
        }
      };
      await Promise.all(Array.from({ length: 20 }, worker));
    };
    await flood(2_000);
    const before = proxy.memory();
    await flood(10_000);
    expect(proxy.memory() - before).toBeLessThan(16 << 20);
    const response = await fetch(`https://127.0.0.1:${proxy.port}/`, {
      headers: { Host: "api.localhost" },
      tls: { ca: proxy.ca, serverName: "api.localhost" },
      proxy: "",
    });
    expect(await response.text()).toBe("inside");
  }, 120_000);
});
