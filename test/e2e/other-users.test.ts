/**
 * What another person of this machine gets from a daemon, and what they can take from its owner: a real daemon,
 * and a real second user.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { cpuSeconds } from "../bench/cpu.ts";
import { eventually } from "../support/eventually.ts";
import { asOther, asRoot, canBeOther, otherClient } from "../support/other-user.ts";
import { projectPlace, type ProjectPlace } from "../support/project-place.ts";
import { connectRaw } from "../support/raw-end.ts";
import { startServer } from "../support/servers.ts";

const describeAsRoot = canBeOther ? describe : describe.skip;
const patience = 120_000;

/** Words that tell of the owner's services, in any answer. */
const secrets = /other-users-app|other-users-lazy|locald\.toml|projects|secret line/;

describeAsRoot(`another person ${asRoot}`, () => {
  let place: ProjectPlace;
  let port = 0;
  let api = 0;

  beforeAll(async () => {
    place = await projectPlace();
    const found = await place.daemon.find();
    if (found.kind !== "healthy") throw new Error(found.kind);
    port = found.registration.port;
    api = Number(new URL(found.registration.url).port);
    const directory = await place.project(
      "other-users",
      `[project]
name = "other-users"
[services.app]
command = "echo secret line; exec sleep 1000"
type = "worker"
[services.lazy]
command = "exec sleep 1000"
lazy = true
`,
    );
    await place.up(directory);
  }, patience);
  afterAll(() => place[Symbol.asyncDispose]());

  const started: { kill(signal: "SIGKILL"): void }[] = [];
  afterEach(() => {
    for (const child of started.splice(0)) child.kill("SIGKILL");
  });

  /** As the other person, what curl is told: status and body. */
  async function curl(...args: string[]): Promise<string> {
    const child = Bun.spawn(
      asOther(["curl", "-sk", "--noproxy", "*", "-m", "20", "-w", "\n%{http_code}", ...args]),
      { cwd: "/", env: { PATH: "/usr/bin:/bin", HOME: "/" }, stdout: "pipe", stderr: "pipe" },
    );
    return (await child.stdout.text()) + (await child.stderr.text());
  }

  const asLazy = ["-H", "Host: lazy.other-users.localhost"];

  test("is refused by the proxy, whatever they ask for, and reads no name", async () => {
    for (const args of [
      [],
      ["-H", "Accept: application/json"],
      ["-H", "Accept: text/html"],
      ["-H", "Host: nobody-has-this.localhost"],
      ["-H", "Host: app.other-users.localhost"],
      asLazy,
    ]) {
      const got = await curl(...args, `http://127.0.0.1:${port}/`);
      expect(got).toEndWith("\n403");
      expect(got).not.toMatch(secrets);
    }
    expect(
      await curl("--noproxy", "", "-x", `http://127.0.0.1:${port}`, "http://lazy.other-users/"),
    ).toEndWith("\n403");
    expect(await curl("-g", `http://[::1]:${port}/`)).toEndWith("\n403");
  });

  test("gets an alert by https, and no certificate, which would tell a name that is served", async () => {
    const got = await curl("-v", `https://localhost:${port}/`);
    expect(got).toMatch(/alert access denied/);
    expect(got).not.toMatch(/subject:|issuer:/);
  });

  test("wakes no service", async () => {
    await curl(...asLazy, `http://127.0.0.1:${port}/`);
    expect((await place.row("other-users:lazy")).state).toBe("stopped");
  });

  test("wakes none either by sending and being gone at once", async () => {
    for (const end of [
      `close($s);`,
      `setsockopt($s, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0)); close($s);`,
    ]) {
      const client = otherClient(port, {
        script: `syswrite($s, "GET / HTTP/1.1\\r\\nHost: lazy.other-users.localhost\\r\\n\\r\\n"); ${end}`,
      });
      started.push(client);
      expect(await client.exited).toBe(0);
    }
    // A request of our own comes behind them.
    const own = await fetch(`http://127.0.0.1:${port}/`, { headers: { Host: "localhost" } });
    expect(own.status).toBe(200);
    expect((await place.row("other-users:lazy")).state).toBe("stopped");
  });

  test("cannot use the link of the owner's command, nor use it up, even with the port number of the owner's browser", async () => {
    const printed = await place.daemon.run("dashboard", "--print");
    const link = new URL(printed.out.trim());
    expect(await curl(link.href)).toEndWith("\n401");
    using browser = await connectRaw(api);
    const request = `GET ${link.pathname}${link.search} HTTP/1.1\r\nHost: ${link.host}\r\n\r\n`;
    const client = otherClient(api, {
      from: ["127.0.0.3", browser.localPort],
      script: `syswrite($s, "${request.replaceAll("\r\n", "\\r\\n")}"); sysread($s, my $got, 65536); print $got;`,
    });
    started.push(client);
    expect(await client.stdout.text()).toStartWith("HTTP/1.1 401");
    // Sent, and reset: nobody is there to be asked for.
    const gone = otherClient(api, {
      script: `syswrite($s, "${request.replaceAll("\r\n", "\\r\\n")}"); setsockopt($s, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0)); close($s);`,
    });
    started.push(gone);
    await gone.exited;
    browser.send(request);
    expect(await browser.until("\r\n\r\n")).toStartWith("HTTP/1.1 303");
  });

  test("has no use for the owner's session", async () => {
    const printed = await place.daemon.run("dashboard", "--print");
    const opened = await fetch(printed.out.trim(), { redirect: "manual" });
    const entry = new URL(opened.headers.get("location")!);
    const at = `http://127.0.0.1:${api}`;
    const entered = await fetch(`${at}${entry.pathname}${entry.search}`, {
      redirect: "manual",
      headers: { host: entry.host },
    });
    const cookie = entered.headers.get("set-cookie")!.split(";")[0]!;
    const own = await fetch(`${at}/v1/services`, { headers: { cookie, host: entry.host } });
    expect(own.status).toBe(200);
    const headers = ["-H", `Cookie: ${cookie}`, "-H", `Host: ${entry.host}`];
    expect(await curl(...headers, `${at}/v1/services`)).toEndWith("\n401");
    expect(
      await curl(
        ...headers,
        ...["-H", `Origin: http://${entry.host}`, "-H", "Content-Type: application/json"],
        ...["-d", "{}", `${at}/v1/stop-all`],
      ),
    ).toEndWith("\n401");
  });

  test(
    "who opens 600 connections to the API's port keeps nobody from status, up and stop",
    async () => {
      const crowd = otherClient(api, {
        script: `
          my @all = ($s);
          for (2 .. 600) {
            socket(my $t, PF_INET, SOCK_STREAM, 0) or die $!;
            connect($t, sockaddr_in(${api}, inet_aton("127.0.0.1"))) or die "connect $!";
            push @all, $t;
          }
          print "there\\n"; <STDIN>;`,
      });
      started.push(crowd);
      const reader = crowd.stdout.getReader();
      expect(Buffer.from((await reader.read()).value!).toString()).toBe("there\n");
      const cwd = join(place.daemon.directory, "projects/other-users");
      for (const words of [
        ["status"],
        ["stop", "other-users"],
        ["up", cwd],
        ["server", "status"],
        ["ls"],
      ]) {
        const ended = await place.daemon.run(...words);
        expect([words[0], ended.code, ended.code === 0 ? "" : ended.err]).toEqual([
          words[0],
          0,
          "",
        ]);
      }
      // Those who have the credential come by HTTP as well: the oldest of the crowd make way.
      const credential = await Bun.file(join(place.daemon.directory, "credential")).text();
      const answer = await fetch(`http://127.0.0.1:${api}/v1/ping`, {
        headers: { Authorization: `Bearer ${credential.trim()}` },
      });
      expect(answer.status).toBe(200);
    },
    patience,
  );

  test(
    "who knocks 300 times at once without the credential costs less than 100 ms of the daemon, and keeps nobody waiting",
    async () => {
      await using server = await startServer("node");
      const toIt = { headers: { Host: `${server.name}.localhost` } };
      const found = await place.daemon.find();
      if (found.kind !== "healthy") throw new Error(found.kind);
      const { pid } = found.registration;
      await eventually("the server is found", async () => {
        return (await fetch(`http://127.0.0.1:${port}/`, toIt)).status === 200;
      });
      const knock = `GET /v1/services HTTP/1.1\r\nHost: 127.0.0.1:${api}\r\nCookie: localhostess_session=1.2.3\r\nAuthorization: Bearer ${"0".repeat(64)}\r\n\r\n`;
      // The best of some: what else the machine does is not the daemon's.
      const best = { cpu: Number.POSITIVE_INFINITY, waited: Number.POSITIVE_INFINITY };
      for (let round = 0; round < 20 && (best.cpu >= 0.1 || best.waited >= 50); round++) {
        const before = cpuSeconds(pid);
        const client = otherClient(api, {
          script: `
            my $all = "${knock.replaceAll("\r\n", "\\r\\n")}" x 300;
            syswrite($s, $all); print "sent\\n";
            my ($got, $count) = ("", 0);
            while ($count < 300 && sysread($s, my $more, 65536)) { $got .= $more; $count = () = $got =~ /^HTTP/mg; }
            print "$count\\n";`,
        });
        started.push(client);
        const reader = client.stdout.getReader();
        await reader.read();
        const began = performance.now();
        const proxied = await fetch(`http://127.0.0.1:${port}/`, toIt);
        expect(proxied.status).toBe(200);
        await proxied.arrayBuffer();
        const waited = performance.now() - began;
        await client.exited;
        best.cpu = Math.min(best.cpu, cpuSeconds(pid) - before);
        best.waited = Math.min(best.waited, waited);
      }
      expect(best.cpu).toBeLessThan(0.1);
      expect(best.waited).toBeLessThan(50);
    },
    patience,
  );
});
