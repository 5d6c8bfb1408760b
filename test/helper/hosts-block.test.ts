/** A listed user's daemon, and the real `localhostess-hosts`: names resolve while their servers run, and no longer. */
import { expect, test } from "bun:test";
import { chownSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { eventually } from "../support/eventually.ts";
import { canHaveEtc, type OwnEtc, ownEtc, ownUid, withEtc } from "../support/own-etc.ts";

/** Milliseconds: a daemon's start is long on a busy machine. */
const patience = 60_000;

const main = resolve(import.meta.dir, "../../src/main.ts");
const usual = "127.0.0.1 localhost\n10.1.2.3 db.corp # by hand";

interface Running extends AsyncDisposable {
  said(): string;
  end(): Promise<void>;
  exited: Promise<number>;
}

function started(its: OwnEtc, argv: readonly string[], env: Record<string, string> = {}): Running {
  const child = Bun.spawn(its.words([process.execPath, ...argv]), {
    ...{ cwd: "/", stdin: "ignore", stdout: "pipe", stderr: "pipe" },
    env: { PATH: "/usr/bin:/bin", HOME: its.home, ...env },
  });
  let text = "";
  const listen = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    for await (const chunk of stream) text += new TextDecoder().decode(chunk);
  };
  void listen(child.stdout);
  void listen(child.stderr);
  const end = async (): Promise<void> => {
    child.kill("SIGTERM");
    await child.exited;
  };
  return { said: () => text, end, exited: child.exited, [Symbol.asyncDispose]: end };
}

function daemonOf(its: OwnEtc): Running {
  const ports = ["--port", "0", "--http-port", "off", "--https-port", "off"];
  return started(its, [main, "server", "start", ...ports]);
}

const listener = `Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("x") })`;
const server = (its: OwnEtc, NAME: string) => started(its, ["-e", listener], { NAME });

function configured(its: OwnEtc, text: string): void {
  const folder = join(its.home, ".config/localhostess");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.toml"), text);
  for (const path of [join(its.home, ".config"), folder]) chownSync(path, ownUid, ownUid);
}

test.skipIf(!canHaveEtc)(
  `a name resolves while its server runs, a handover leaves it alone, and a stop leaves the file as it was ${withEtc}`,
  async () => {
    await using its = await ownEtc({
      hosts: usual,
      users: `${ownUid} hosts\n`,
      domains: "test\n",
    });
    configured(its, 'tlds = ["test"]\ninfer = false\n');
    const resolves = (name: string) =>
      its.run(["getent", "ahostsv4", name]).out.startsWith("127.0.0.1 ");
    // Each look is cheap, and a resolver is a program.
    const has = (name: string) => its.hosts().includes(`127.0.0.1 ${name}\n`);
    await using daemon = daemonOf(its);
    await using _api = server(its, "api");
    await eventually("api", () => has("api.localhost"), patience);
    expect(resolves("api.localhost")).toBe(true);
    expect(resolves("api.test")).toBe(true);
    expect(resolves("other.localhost")).toBe(false);
    const python = "import socket; print(socket.getaddrinfo('api.test', 80)[0][4][0])";
    if (Bun.which("python3", { PATH: "/usr/bin" }) !== null) {
      expect(its.run(["/usr/bin/python3", "-I", "-c", python]).out).toBe("127.0.0.1\n");
    }
    if (Bun.which("psql", { PATH: "/usr/bin" }) !== null) {
      // Nobody listens there; the resolver has been asked, and has answered.
      const asked = its.run(["/usr/bin/psql", "-h", "api.localhost", "-p", "1", "-c", "select 1"]);
      expect(asked.err).toMatch(/"api\.localhost" \((127\.0\.0\.1|::1)\), port 1 failed/);
    }

    await using web = server(its, "web");
    await eventually("web", () => has("web.test"), patience);
    await web.end();
    await eventually("web goes", () => !has("web.test"), patience);
    expect(resolves("web.test")).toBe(false);
    expect(resolves("api.test")).toBe(true);

    const before = statSync(join(its.etc, "hosts")).ino;
    await using next = daemonOf(its);
    await daemon.exited;
    await eventually("words", () => next.said().includes("took over from pid"), patience);
    // With the words of both, where it is another one.
    const now = statSync(join(its.etc, "hosts")).ino;
    expect([now, now === before ? "" : `${daemon.said()}\n${next.said()}`]).toEqual([before, ""]);

    await next.end();
    expect(its.hosts()).toBe(usual);
  },
  300_000,
);

test.skipIf(!canHaveEtc)(
  `a torn file is told of and left as it is, until somebody mends it ${withEtc}`,
  async () => {
    const torn = `${usual}\n# BEGIN localhostess ${ownUid}\n`;
    await using its = await ownEtc({ hosts: torn, users: `${ownUid} hosts\n` });
    await using _api = server(its, "api");
    await using daemon = daemonOf(its);
    await eventually(
      "a note",
      () => daemon.said().includes("names are not kept in /etc/hosts"),
      patience,
    );
    expect(daemon.said()).toContain("/etc/hosts line 3: this block does not end");
    expect(its.hosts()).toBe(torn);
    writeFileSync(join(its.etc, "hosts"), usual);
    await eventually("the block", () =>
      its.hosts().includes("127.0.0.1 api.localhost\n::1 api.localhost\n"),
    );
    await daemon.end();
    expect(its.hosts()).toBe(usual);
  },
  300_000,
);
