/** WebSockets in real browsers by https: on the connection of HTTP/2 that the page came by, and no other. RFC 8441. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TerminateOutcome, Terminator } from "../../src/tls/terminate.ts";
import { whereIs } from "../support/debian.ts";
import { writePreferences } from "../support/firefox-preferences.ts";
import { startTestProxy, type TestProxy } from "../support/test-proxy.ts";
import { type TestTls, testTls } from "../support/test-tls.ts";
import { describeWith } from "../support/with-programs.ts";

/** Lengths of payloads around every form of a frame's length, and one of a whole window and more. */
const sizes = [0, 1, 125, 126, 65_535, 65_536, 1_048_576];

const page = `<!doctype html><script>
const base = "wss://" + location.host;
const opened = (path) => new Promise((resolve) => {
  const socket = new WebSocket(base + path, "echo");
  socket.binaryType = "arraybuffer";
  socket.onopen = () => resolve(socket);
  socket.onclose = ({ code }) => resolve({ refused: code });
});
const closed = (socket) => new Promise((resolve) => {
  socket.onclose = ({ code, wasClean }) => resolve([code, wasClean]);
});
const answer = (socket) => new Promise((resolve) => {
  socket.onmessage = ({ data }) => resolve(data);
});
async function run() {
  const said = {};
  const socket = await opened("/echo");
  said.protocol = socket.protocol;
  said.sizes = [];
  for (const size of ${JSON.stringify(sizes)}) {
    const sent = new Uint8Array(size).map((_, at) => at % 251);
    let back = answer(socket);
    socket.send(sent);
    const bytes = new Uint8Array(await back);
    back = answer(socket);
    socket.send("é".repeat(size / 2));
    const text = await back;
    const same = bytes.length === size && bytes.every((byte, at) => byte === at % 251);
    said.sizes.push(same && text === "é".repeat(size / 2) ? size : "another");
  }
  let end = closed(socket);
  socket.close(4001, "by the page");
  said.byPage = await end;
  const theirs = await opened("/echo");
  end = closed(theirs);
  theirs.send("close");
  // Whether Firefox calls this end a clean one changes from run to run, without us as well.
  [said.byServer] = await end;
  const dying = await opened("/echo");
  end = closed(dying);
  dying.send("die");
  said.died = await end;
  said.refused = (await opened("/refused")).refused;
  const many = await Promise.all(Array.from({ length: 20 }, () => opened("/echo")));
  said.many = (await Promise.all(many.map((one, at) => {
    const back = answer(one);
    one.send(String(at));
    return back;
  }))).join();
  return said;
}
run().catch((error) => ({ error: String(error) })).then((said) =>
  fetch("/report", { method: "POST", body: JSON.stringify(said) }));
</script>`;

let tls: TestTls;
let reported: (text: string) => void;
const origins = new Set<string | null>();

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request, its) {
    const { pathname } = new URL(request.url);
    if (pathname === "/report") {
      reported(await request.text());
      return new Response("thanks");
    }
    if (pathname === "/refused") return new Response("no", { status: 403 });
    if (pathname !== "/echo")
      return new Response(page, { headers: { "Content-Type": "text/html" } });
    origins.add(request.headers.get("Origin"));
    return its.upgrade(request, { headers: { "Sec-WebSocket-Protocol": "echo" } })
      ? undefined
      : new Response("no upgrade", { status: 400 });
  },
  websocket: {
    maxPayloadLength: 4 << 20,
    message(socket, message) {
      if (message === "close") socket.close(4002, "by the server");
      else if (message === "die") socket.terminate();
      else socket.send(message);
    },
  },
});

beforeAll(async () => {
  tls = await testTls({ services: ["api"] });
});

afterAll(async () => {
  await server.stop(true);
  await tls[Symbol.asyncDispose]();
});

/** Notes the protocol of every handshake. */
function noting(protocols: (string | undefined)[]): Terminator {
  const noted = (outcome: TerminateOutcome): TerminateOutcome => ({
    terminated(result) {
      protocols.push(result.protocol);
      outcome.terminated(result);
    },
    failed: () => outcome.failed(),
  });
  return {
    unread: (link, hello, outcome) => tls.terminator.unread(link, hello, noted(outcome)),
    read: (link, first, outcome) => tls.terminator.read(link, first, noted(outcome)),
  };
}

async function certutil(database: string, ...more: string[]): Promise<void> {
  const child = Bun.spawn([whereIs("certutil")!, "-d", `sql:${database}`, ...more], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  await child.exited;
}

/** A database of certificates with ours in it. */
async function trusting(database: string, file: string): Promise<void> {
  await mkdir(database, { recursive: true });
  await certutil(database, "-N", "--empty-password");
  await certutil(database, "-A", "-n", "ours", "-t", "C,,", "-i", file);
}

const browsers = {
  chromium: async (home: string, ca: string, url: string): Promise<string[]> => {
    await trusting(join(home, ".pki", "nssdb"), ca);
    const quiet = [
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ];
    const options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", ...quiet];
    const place = [`--user-data-dir=${join(home, "profile")}`, "--remote-debugging-port=0"];
    return [whereIs("chromium")!, ...options, "--no-first-run", ...place, url];
  },
  firefox: async (home: string, ca: string, url: string): Promise<string[]> => {
    const profile = join(home, "profile");
    await trusting(profile, ca);
    await writePreferences(profile, {
      "network.proxy.type": 0,
    });
    return [whereIs("firefox")!, "--headless", "--no-remote", "--profile", profile, url];
  },
};

/** The page's report, and the protocols of the browser's connections. */
async function visit(
  command: (home: string, ca: string, url: string) => Promise<string[]>,
): Promise<{ said: unknown; protocols: (string | undefined)[] }> {
  const protocols: (string | undefined)[] = [];
  const home = await mkdtemp(join(tmpdir(), "localhostess-websockets-"));
  const ca = join(home, "ca.pem");
  await writeFile(ca, tls.ca);
  const services = { api: { port: server.port! } };
  const proxy: TestProxy = await startTestProxy({ services, terminator: noting(protocols) });
  const report = Promise.withResolvers<string>();
  reported = report.resolve;
  const { NAME: _, ...env } = process.env;
  const url = `https://api.localhost:${proxy.port}/`;
  const child = Bun.spawn(await command(home, ca, url), {
    env: { ...env, HOME: home },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
    detached: true,
  });
  try {
    const late = Bun.sleep(25_000).then(() => '"no report"');
    return { said: JSON.parse(await Promise.race([report.promise, late])), protocols };
  } finally {
    process.kill(-child.pid, "SIGKILL");
    await child.exited;
    await proxy.stop();
    await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

for (const [name, command] of Object.entries(browsers)) {
  describeWith([name as keyof typeof browsers, "certutil"])(name, () => {
    test("opens them by HTTP/2: frames of every length, and ends of every kind", async () => {
      const { said, protocols } = await visit(command);
      expect(said).toEqual({
        protocol: "echo",
        sizes,
        byPage: [4001, true],
        byServer: 4002,
        died: [1006, false],
        refused: 1006,
        many: Array.from({ length: 20 }, (_, at) => at).join(),
      });
      expect(new Set(protocols)).toEqual(new Set(["h2"]));
      for (const origin of origins) expect(origin).toStartWith("https://api.localhost:");
    }, 60_000);
  });
}
