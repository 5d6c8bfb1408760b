import { describe, expect, test } from "bun:test";
import { createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { tmpdir } from "node:os";
import type { HealthCheck } from "../../src/manifest/project.ts";
import { checks } from "../../src/supervisor/service/checks.ts";
import type { Health } from "../../src/supervisor/service/health.ts";
import {
  lsofListening,
  portsInLsof,
  procfsListening,
} from "../../src/supervisor/service/listening.ts";
import { h2Only } from "../support/h2-only.ts";
import { eventually } from "../support/eventually.ts";
import { neededByTls, startTlsServer } from "../support/tls-servers.ts";
import { throwawayCertificateAuthority } from "../support/throwaway-certificate-authority.ts";
import { describeWith } from "../support/with-programs.ts";
import { childEffects, plainEnv } from "./children.ts";
import { marked } from "./keepers.ts";

const effects = childEffects();
const ask = checks(effects);
const sh = ["/bin/sh", "-c"];
const name = "shop.localhost";

async function health(
  what: HealthCheck["ask"],
  { port, timeout = 2000 }: { port?: number; timeout?: number } = {},
): Promise<Health> {
  return await ask(what, { port, timeout, name, env: plainEnv, shell: sh, workdir: tmpdir() }).done;
}

/** A server that answers with these bytes to whatever comes, and maybe closes. */
async function answering(
  text: string,
  use: (port: number) => Promise<void>,
  { hostname = "127.0.0.1", close = false } = {},
): Promise<void> {
  let asked = "";
  const server = Bun.listen({
    hostname,
    port: 0,
    socket: {
      data(socket, bytes) {
        asked += bytes.toString();
        if (!asked.endsWith("\r\n\r\n")) return;
        asked = "";
        for (const byte of Buffer.from(text)) socket.write(Uint8Array.of(byte));
        if (close) socket.end();
      },
    },
  });
  try {
    await use(server.port);
  } finally {
    server.stop(true);
  }
}

const onlyH2 =
  'it speaks HTTP/2 alone, which no check of ours does; write type = "tcp" in its health_check, or a command such as grpc_health_probe';
const http = { kind: "http", path: "/up?a=1" } as const;
const tcp = { kind: "tcp" } as const;

for (const [answer, wanted] of [
  ["HTTP/1.1 200 OK\r\n\r\n", { kind: "well" }],
  ["HTTP/1.0 204 No Content\r\n\r\n", { kind: "well" }],
  ["HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", { kind: "well" }],
  ["HTTP/1.1 399 \r\n\r\n", { kind: "well" }],
  ["HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", { kind: "well" }],
  ["HTTP/1.1 404 Not Found\r\n\r\n", { kind: "ill", why: "it answered with status 404" }],
  ["HTTP/1.1 503 x\r\n\r\n", { kind: "ill", why: "it answered with status 503" }],
  ["\0\0\0\x04\0\0\0\0\0", { kind: "ill", why: onlyH2 }],
  ["SSH-2.0-OpenSSH_9.2\r\n", { kind: "ill", why: "its answer is not HTTP" }],
] as const) {
  test(`http: ${answer.split("\r")[0]}`, () =>
    answering(answer, async (port) => {
      expect(await health(http, { port })).toEqual(wanted);
    }));
}

test("http: asks for the path, as a client that keeps nothing open", async () => {
  const { promise, resolve } = Promise.withResolvers<{ url: string; host: string | null }>();
  const server = Bun.serve({
    port: 0,
    hostname: "::1",
    fetch(request) {
      resolve({ url: request.url, host: request.headers.get("host") });
      return new Response("fine");
    },
  });
  try {
    expect(await health(http, { port: server.port! })).toEqual({ kind: "well" });
    const host = `localhost:${server.port}`;
    expect(await promise).toEqual({ url: `http://${host}/up?a=1`, host });
  } finally {
    await server.stop(true);
  }
});

test("http: silence, a close and nobody at all are each told", async () => {
  await answering("", async (port) => {
    expect(await health(http, { port, timeout: 50 })).toEqual({
      kind: "ill",
      why: "no answer within 50 ms",
    });
  });
  await answering(
    "HTT",
    async (port) => {
      expect(await health(http, { port })).toEqual({
        kind: "ill",
        why: "it closed the connection without an answer",
      });
      free = port;
    },
    { close: true },
  );
  const nobody = { kind: "ill", why: `nothing listens on port ${free}` } as const;
  expect(await health(http, { port: free })).toEqual(nobody);
  expect(await health(tcp, { port: free })).toEqual(nobody);
});
let free = 0;

const https = { kind: "https", path: "/up?a=1" } as const;
const speaksHttps = 'it speaks https, not http; write type = "https" in its health_check';
const speaksHttp = 'it speaks http, not https; write type = "http" in its health_check';

/** Starting a server is not what is timed. */
const ample = 60_000;

for (const kind of ["node", "bun", "python", "openssl"] as const) {
  describeWith(neededByTls[kind])(`https: a server of ${kind}`, () => {
    test("is well whoever signed its certificate, and does not speak http", async () => {
      await using server = await startTlsServer(kind);
      const { port } = server;
      expect(await health(https, { port, timeout: ample })).toEqual({ kind: "well" });
      const plain = await health(http, { port, timeout: ample });
      expect(plain).toEqual({ kind: "ill", why: speaksHttps });
    });
  });
}

test.each(["TLSv1.2", "TLSv1.3"] as const)("https: over %s, asks by its name", async (version) => {
  await using authority = await throwawayCertificateAuthority();
  const leaf = await authority.leafFor(name);
  const asked: unknown[] = [];
  const server = createServer(
    { key: leaf.key, cert: leaf.certificate, minVersion: version, maxVersion: version },
    (request, response) => {
      const { servername } = request.socket as TLSSocket & { servername: string };
      asked.push([servername, request.headers.host, request.url]);
      response.writeHead(asked.length === 1 ? 302 : 503).end();
    },
  );
  await new Promise<void>((resolve) => void server.listen(0, "::1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    expect(await health(https, { port, timeout: ample })).toEqual({ kind: "well" });
    expect(await health(https, { port, timeout: ample })).toEqual({
      kind: "ill",
      why: "it answered with status 503",
    });
    expect(asked).toEqual([
      [name, name, "/up?a=1"],
      [name, name, "/up?a=1"],
    ]);
  } finally {
    server.close();
  }
});

test("https: a server of http is told from one that speaks neither", async () => {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("fine") });
  try {
    const ill = await health(https, { port: server.port!, timeout: ample });
    expect(ill).toEqual({ kind: "ill", why: speaksHttp });
  } finally {
    await server.stop(true);
  }
  const banner = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { open: (socket) => void socket.write("SSH-2.0-OpenSSH_9.2\r\n"), data() {} },
  });
  try {
    expect(await health(https, { port: banner.port, timeout: ample })).toEqual({
      kind: "ill",
      why: "its answer is not TLS",
    });
  } finally {
    banner.stop(true);
  }
});

test("https: a server of http that takes the handshake for the beginning of a request", () =>
  answering("HTTP/1.1 200 OK\r\n\r\n", async (port) => {
    expect(await health(https, { port, timeout: ample })).toEqual({
      kind: "ill",
      why: speaksHttp,
    });
  }));

test("https: silence and nobody at all are told", async () => {
  await answering("", async (port) => {
    expect(await health(https, { port, timeout: 50 })).toEqual({
      kind: "ill",
      why: "no answer within 50 ms",
    });
    free = port;
  });
  expect(await health(https, { port: free })).toEqual({
    kind: "ill",
    why: `nothing listens on port ${free}`,
  });
});

test("http: status 400 is told where the server does not speak TLS", () =>
  answering("HTTP/1.1 400 Bad Request\r\n\r\n", async (port) => {
    expect(await health(http, { port, timeout: ample })).toEqual({
      kind: "ill",
      why: "it answered with status 400",
    });
  }));

for (const hostname of ["127.0.0.1", "::1"]) {
  test(`tcp: a connection to ${hostname} is enough`, () =>
    answering(
      "",
      async (port) => {
        expect(await health(tcp, { port })).toEqual({ kind: "well" });
      },
      { hostname },
    ));
}

test("command: by the shell, with the service's environment and folder", async () => {
  const command = `test "$TERM" = xterm-256color && test "$PWD" = "${tmpdir()}"`;
  expect(await health({ kind: "command", command })).toEqual({ kind: "well" });
});

test("command: its standard input is at its end", async () => {
  expect(await health({ kind: "command", command: "cat" }, { timeout: 60_000 })).toEqual({
    kind: "well",
  });
});

test("command: its output can be opened by its name", async () => {
  const command = "echo a >/dev/stdout; echo no db >/dev/stderr; exit 1";
  expect(await health({ kind: "command", command })).toEqual({
    kind: "ill",
    why: "its check: no db (exit code 1)",
  });
});

test("command: its exit code and its last line are told", async () => {
  const ill = async (command: string) => await health({ kind: "command", command });
  expect(await ill("exit 3")).toEqual({ kind: "ill", why: "its check ended with exit code 3" });
  expect(await ill("echo a; echo 'no db' >&2; exit 1")).toEqual({
    kind: "ill",
    why: "its check: no db (exit code 1)",
  });
  expect(await ill("kill -9 $$")).toEqual({ kind: "ill", why: "its check ended with SIGKILL" });
});

test("command: one that takes too long is ended with all it started, and one that is given up too", async () => {
  const mark = `77.${process.pid}${Date.now()}`;
  const what = { kind: "command", command: `sleep ${mark} & sleep ${mark}` } as const;
  expect(await health(what, { timeout: 100 })).toEqual({
    kind: "ill",
    why: "no answer within 100 ms",
  });
  await eventually("all have ended", () => marked(mark).length === 0);
  const asked = ask(what, {
    port: undefined,
    timeout: 60_000,
    name,
    env: plainEnv,
    shell: sh,
    workdir: tmpdir(),
  });
  await eventually("it runs", () => marked(mark).length > 0);
  asked.cancel();
  asked.cancel();
  expect(await asked.done).toMatchObject({ kind: "ill" });
  await eventually("all have ended", () => marked(mark).length === 0);
  await eventually("Bun has seen it", () => effects.own.size === 0);
});

test("who listens where is read from procfs, for one port and for processes", async () => {
  const listening = procfsListening();
  const servers = ["127.0.0.1", "::1"].map((hostname) =>
    Bun.listen({ hostname, port: 0, socket: { data() {} } }),
  );
  const ports = servers.map(({ port }) => port);
  try {
    expect(await Promise.all(ports.map((port) => listening.on(port)))).toEqual([true, true]);
    const found = (await listening.of([process.pid, 999_999_999])).map(({ port }) => port);
    expect(found).toEqual(expect.arrayContaining(ports));
  } finally {
    for (const server of servers) server.stop(true);
  }
  expect(await Promise.all(ports.map((port) => listening.on(port)))).toEqual([false, false]);
  expect(await listening.of([])).toEqual([]);
});

test("where there is no procfs, lsof and a connection tell the same", async () => {
  const text = "p123\nf12\nn127.0.0.1:5173\nf13\nn[::1]:5173\nf14\nn*:24678\n";
  expect(portsInLsof(text)).toEqual([5173, 24_678]);
  expect(portsInLsof("")).toEqual([]);
  const asked: string[][] = [];
  const listening = lsofListening(async (argv) => {
    asked.push([...argv]);
    return { kind: "done", code: 0, stdout: text, stderr: "" };
  });
  expect(await listening.of([1, 2])).toEqual([
    { port: 5173, uid: undefined },
    { port: 24_678, uid: undefined },
  ]);
  expect(asked[0]!.slice(-2)).toEqual(["-p", "1,2"]);
  await answering("", async (port) => {
    expect(await listening.on(port)).toBe(true);
    free = port;
  });
  expect(await listening.on(free)).toBe(false);
});

const refusals: [string, ((socket: Socket) => unknown) | undefined][] = [
  ["sends frames", undefined],
  ["closes", (socket: Socket) => socket.end()],
  ["resets", (socket: Socket) => socket.resetAndDestroy()],
  ["says 400", (socket: Socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")],
];

describe.each(refusals)("a server of HTTP/2 that %s at a request of HTTP/1.1", (_how, refuse) => {
  test("is told as what it is, by http and by https", async () => {
    const refused = refuse && ((socket: Socket) => void refuse(socket));
    await using plain = await h2Only({ refuse: refused });
    expect(await health(http, plain)).toEqual({ kind: "ill", why: onlyH2 });
    expect(await health({ kind: "tcp" }, plain)).toEqual({ kind: "well" });
    await using throwaway = await throwawayCertificateAuthority();
    const leaf = await throwaway.leafFor(name);
    for (const strict of [false, true]) {
      await using secured = await h2Only({ refuse: refused, leaf, strict });
      const found = await health({ kind: "https", path: "/" }, secured);
      expect(found).toEqual({ kind: "ill", why: onlyH2 });
    }
  });
});
