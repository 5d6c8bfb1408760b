/** One origin, several checkouts: which server answers for a plain name, and what it is told. */
import { expect, test } from "bun:test";
import http2 from "node:http2";
import { connect } from "node:tls";
import { useCookie } from "../../src/routes/origins.ts";
import type { Choice } from "../../src/routes/origins.ts";
import { Denials } from "../../src/proxy/request/denials.ts";
import { Recorder } from "../../src/proxy/request/recorder.ts";
import { leads, routeTable } from "../../src/routes/table.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { connectRaw, type RawEnd } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import {
  startTestProxy,
  testCheckouts,
  testRepository,
  testService,
  testSupervised,
  type TestProxyOptions,
} from "../support/test-proxy.ts";
import { testTls } from "../support/test-tls.ts";

const shown: Choice = {
  repository: testRepository,
  root: "/srv/shop-fix-nav",
  label: "fix-nav",
  of: undefined,
  names: [],
};

const shownOld: Choice = { ...shown, root: "/srv/shop-old", label: "old" };

/** `shop` and `api.shop` in the main checkout and in the worktree fix-nav; of the worktree old, nothing runs. */
async function open(options: TestProxyOptions = {}) {
  const made = new AsyncDisposableStack();
  const server = (text: string) => made.use(new RawServer({ answer: () => ok(text) }));
  const servers = { main: server("main"), fixed: server("fixed"), api: server("api") };
  const place = ({ port }: RawServer, label: string) => ({ port, label });
  const services = {
    shop: place(servers.main, ""),
    "fix-nav.shop": place(servers.fixed, "fix-nav"),
    "api.fix-nav.shop": place(servers.api, "fix-nav"),
    mail: { port: servers.main.port },
  };
  const proxy = made.use(await startTestProxy({ services, checkouts: testCheckouts, ...options }));
  const client = made.use(await connectRaw(proxy.port));
  return {
    ...servers,
    proxy,
    services,
    client,
    connect: async (): Promise<RawEnd> => made.use(await connectRaw(proxy.port)),
    async ask(host: string, ...fields: string[]): Promise<string> {
      using asking = await connectRaw(proxy.port);
      asking.send(`GET / HTTP/1.1\r\n${[`Host: ${host}`, ...fields].join("\r\n")}\r\n\r\n`);
      const { status, body } = await asking.message();
      return status === 200 ? body : String(status);
    },
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

test("a plain name shows the main checkout, unless all browsers, the cookie or the field say otherwise", async () => {
  await using its = await open();
  const cookie = (label: string) => `Cookie: ${useCookie}=${label}`;
  const field = (label: string) => `Localhostess-Use: ${label}`;
  expect(await its.ask("shop.localhost")).toBe("main");
  expect(await its.ask("shop.localhost", cookie("fix-nav"))).toBe("fixed");
  expect(await its.ask("shop.localhost", field("fix-nav"))).toBe("fixed");
  expect(await its.ask("shop.localhost", field("FIX-nav"))).toBe("fixed");
  expect(await its.ask("tenant.shop.localhost", field("fix-nav"))).toBe("fixed");
  expect(await its.ask("api.shop.localhost", field("fix-nav"))).toBe("api");
  expect(await its.ask("shop.localhost", cookie("fix-nav"), field("--"))).toBe("main");
  expect(await its.ask("shop.localhost", cookie("--"), field("fix-nav"))).toBe("fixed");
  // By https, a browser has that one before the other.
  const both = `Cookie: ${useCookie}=old; __Host-${useCookie}=fix-nav`;
  expect(await its.ask("shop.localhost", both)).toBe("fixed");
  // Clients of HTTP/1.1 may send more than one field.
  expect(await its.ask("shop.localhost", `Cookie: my-${useCookie}=1`, cookie("fix-nav"))).toBe(
    "fixed",
  );
  its.proxy.setChoices([shown]);
  expect(await its.ask("shop.localhost")).toBe("fixed");
  expect(await its.ask("shop.localhost", cookie("--"))).toBe("main");
  expect(await its.ask("shop.localhost", cookie(""))).toBe("fixed");
  its.proxy.setChoices([]);
  expect(await its.ask("shop.localhost")).toBe("main");
});

test("a worktree without a server gets no other checkout's answer, and is asked again when one has started", async () => {
  await using its = await open();
  for (const label of ["old", "nosuch", "%00", "a".repeat(300)]) {
    expect(await its.ask("shop.localhost", `Cookie: ${useCookie}=${label}`)).toBe("404");
    expect(await its.ask("shop.localhost", `Localhostess-Use: ${label}`)).toBe("404");
  }
  its.proxy.setChoices([{ ...shown, root: "/srv/shop-old", label: "old" }]);
  expect(await its.ask("shop.localhost")).toBe("404");
  expect(await its.ask("x.shop.localhost")).toBe("404");
  expect(await its.ask("mail.localhost")).toBe("main");
  const old = { port: its.api.port, label: "old" };
  its.proxy.setServices({ ...its.services, "old.shop": old });
  expect(await its.ask("shop.localhost")).toBe("api");
});

test("the page of a worktree without a server names the way to end the choice, and waits for the server", async () => {
  await using its = await open({ choices: [{ ...shown, root: "/srv/shop-old", label: "old" }] });
  const { client } = its;
  client.send("GET / HTTP/1.1\r\nHost: shop.localhost\r\nAccept: text/html\r\n\r\n");
  const { status, body } = await client.message();
  expect(status).toBe(404);
  expect(body).toContain("localhostess use -- shop");
  expect(body).toContain('href="/.localhostess/use"');
});

test("each request on one connection goes to its own checkout", async () => {
  await using its = await open();
  const { client } = its;
  for (const [label, answer] of [
    ["fix-nav", "fixed"],
    ["--", "main"],
    ["fix-nav", "fixed"],
  ]) {
    client.send(`GET / HTTP/1.1\r\nHost: shop.localhost\r\nLocalhostess-Use: ${label}\r\n\r\n`);
    expect((await client.message()).body).toBe(answer!);
    client.send("GET / HTTP/1.1\r\nHost: shop.localhost\r\n\r\n");
    expect((await client.message()).body).toBe("main");
  }
});

test("the server is told the plain name, and sees the field but not the cookie", async () => {
  await using its = await open();
  const mixed = `Cookie: a=1; ${useCookie}=fix-nav; b=2`;
  await its.ask("shop.localhost", mixed, "Localhostess-Use: fix-nav");
  const [request] = its.fixed.requests;
  expect(request!.one("host")).toBe("shop.localhost");
  expect(request!.one("x-forwarded-host")).toBe("shop.localhost");
  expect(request!.one("cookie")).toBe("a=1; b=2");
  expect(request!.one("localhostess-use")).toBe("fix-nav");
  await its.ask("shop.localhost", `Cookie: ${useCookie}=fix-nav`);
  expect(its.fixed.requests[1]!.lines.some((line) => /cookie/i.test(line))).toBe(false);
  // A cookie with our name in its own name or value is the app's.
  for (const [sent, seen] of [
    [`my-${useCookie}=1`, `my-${useCookie}=1`],
    [`a=${useCookie}=x`, `a=${useCookie}=x`],
    [`${useCookie}=--; a=1; ${useCookie}=old`, "a=1"],
    [`a="x;  ${useCookie}=--; b=2`, 'a="x; b=2'],
    [`${useCookie}=fix-nav; __Host-${useCookie}=--; a=1`, "a=1"],
  ]) {
    await its.ask("shop.localhost", `Cookie: ${sent}`);
    expect(its.main.requests.at(-1)!.one("cookie")).toBe(seen!);
  }
});

test("the octets of other cookies stay, also where they end as a space of Latin-1 does", async () => {
  await using its = await open();
  const { client } = its;
  client.send(
    `GET / HTTP/1.1\r\nHost: shop.localhost\r\nCookie: ${useCookie}=fix-nav; a=\u00c3\u00a0\r\n\r\n`,
  );
  await client.message();
  const line = its.fixed.requests[0]!.lines.find((its) => /^cookie/i.test(its))!;
  expect(line).toBe("Cookie: a=\u00c3\u00a0");
});

test("a server under a plain name that is no checkout's answers for itself, whatever is chosen", async () => {
  await using its = await open({ choices: [shown] });
  its.proxy.setServices({ ...its.services, "db.shop": { port: its.main.port } });
  for (const host of ["db.shop.localhost", "x.db.shop.localhost"]) {
    expect(await its.ask(host)).toBe("main");
    expect(await its.ask(host, "Localhostess-Use: fix-nav")).toBe("main");
    expect(await its.ask(host, `Cookie: ${useCookie}=old`)).toBe("main");
  }
  expect(await its.ask("x.shop.localhost")).toBe("fixed");
});

test("a name with one checkout keeps a cookie of that name, whoever has set it", async () => {
  await using its = await open();
  await its.ask("mail.localhost", `Cookie: ${useCookie}=fix-nav`, "Localhostess-Use: fix-nav");
  expect(its.main.requests[0]!.one("cookie")).toBe(`${useCookie}=fix-nav`);
});

test("a bare name by the proxy setting shows the worktree, which is told the name that it knows", async () => {
  await using its = await open();
  const { client, proxy } = its;
  client.send("GET http://shop/ HTTP/1.1\r\nHost: shop\r\nLocalhostess-Use: fix-nav\r\n\r\n");
  expect((await client.message()).body).toBe("fixed");
  expect(its.fixed.requests[0]!.one("host")).toBe(`shop.localhost:${proxy.port}`);
  client.send(`GET http://shop/ HTTP/1.1\r\nHost: shop\r\nCookie: ${useCookie}=old\r\n\r\n`);
  expect((await client.message()).status).toBe(404);
});

test("an upgrade goes to the worktree that its request asks for", async () => {
  await using its = await open();
  const { client } = its;
  client.send(
    `GET / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nCookie: ${useCookie}=fix-nav\r\n\r\n`,
  );
  expect((await client.message()).body).toBe("fixed");
  expect(its.fixed.requests[0]!.one("upgrade")).toBe("websocket");
});

test("CONNECT goes to what all browsers see, or to what its own field asks for", async () => {
  await using its = await open({ choices: [shown] });
  for (const [field, answer] of [
    ["", "fixed"],
    ["Localhostess-Use: --\r\n", "main"],
  ]) {
    const client = await its.connect();
    client.send(`CONNECT shop.localhost:80 HTTP/1.1\r\nHost: shop.localhost\r\n${field}\r\n`);
    await client.until("\r\n\r\n");
    client.send("GET / HTTP/1.1\r\nHost: shop.localhost\r\n\r\n");
    expect((await client.message()).body).toBe(answer!);
  }
  const refused = await its.connect();
  refused.send(
    "CONNECT shop.localhost:80 HTTP/1.1\r\nHost: shop.localhost\r\nLocalhostess-Use: old\r\n\r\n",
  );
  expect((await refused.message()).status).toBe(404);
});

test("a lazy service of the worktree is woken, and a request for the plain name waits for it", async () => {
  const lazy = (state: "stopped" | "starting") =>
    testSupervised({
      ...{ id: "old.shop:web", project: "old.shop", domain: "old.shop.localhost" },
      ...{ service: "web", routeName: "old.shop", directory: "/srv/shop-old" },
      checkout: { repository: testRepository, root: "/srv/shop-old", label: "old" },
      ...{ state, lazy: true, port: undefined },
    });
  const woken: string[] = [];
  await using its = await open({
    choices: [{ ...shown, root: "/srv/shop-old", label: "old" }],
    supervised: [lazy("stopped")],
    supervision: {
      wake(id: string) {
        woken.push(id);
        its.proxy.setSupervised([lazy("starting")]);
      },
      latest: () => [],
    } as unknown as NonNullable<TestProxyOptions["supervision"]>,
  });
  const { client, proxy } = its;
  client.send("GET / HTTP/1.1\r\nHost: shop.localhost\r\n\r\n");
  while (woken.length === 0) await its.ask("mail.localhost");
  expect(woken).toEqual(["old.shop:web"]);
  proxy.setSupervised([{ ...lazy("starting"), state: "ready", port: its.api.port }]);
  expect((await client.message()).body).toBe("api");
});

test("the page of a service that is down says how to start it, and how to end the choice", async () => {
  const down = testSupervised({
    ...{ id: "old.shop:web", project: "old.shop", domain: "old.shop.localhost", service: "web" },
    ...{ routeName: "old.shop", directory: "/srv/shop-old", state: "stopped", pid: undefined },
    checkout: { repository: testRepository, root: "/srv/shop-old", label: "old" },
  });
  await using its = await open({ choices: [shownOld], supervised: [down] });
  const { client } = its;
  const ask = async (accept: string, ...fields: string[]): Promise<string> => {
    const lines = ["Host: shop.localhost", `Accept: ${accept}`, ...fields];
    client.send(`GET / HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    const { status, body } = await client.message();
    expect(status).toBe(503);
    return body;
  };
  expect(await ask("text/plain")).toBe(
    "localhostess: old.shop:web is stopped; to start it: localhostess up /srv/shop-old web; " +
      "shop is to show old; to end that: localhostess use -- shop\n",
  );
  const page = await ask("text/html");
  expect(page).toContain("localhostess use -- shop");
  expect(page).toContain('href="/.localhostess/use"');
  expect(await ask("text/plain", "Localhostess-Use: old")).not.toContain("use --");
});

test("guard = strict lets pages of the plain names ask for the worktree that is shown, and no others", async () => {
  await using its = await open({
    choices: [shown],
    configured: { all: { guard: "strict" }, byName: new Map() },
  });
  const { client } = its;
  const ask = async (page: string, host = "shop.localhost"): Promise<number> => {
    client.send(
      `POST / HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://${page}\r\nContent-Length: 0\r\n\r\n`,
    );
    return (await client.message()).status;
  };
  expect(await ask("shop.localhost")).toBe(200);
  expect(await ask("tenant.shop.localhost")).toBe(200);
  expect(await ask("api.shop.localhost")).toBe(200);
  expect(await ask("mail.localhost")).toBe(403);
  expect(await ask("tenant.shop.localhost", "api.shop.localhost")).toBe(403);
});

test("what config.toml says of the plain name holds for the worktree that it shows", async () => {
  await using its = await open({
    choices: [shown],
    configured: { all: {}, byName: new Map([["shop", { forwarded: "none" as const }]]) },
  });
  expect(await its.ask("shop.localhost")).toBe("fixed");
  expect(await its.ask("fix-nav.shop.localhost")).toBe("fixed");
  const [byPlain, byOwn] = its.fixed.requests;
  expect(byPlain!.lines.some((line) => /^x-forwarded/i.test(line))).toBe(false);
  expect(byOwn!.lines.some((line) => /^x-forwarded/i.test(line))).toBe(true);
});

test("over HTTP/2, a cookie in pieces is read, and only the rest of it goes on", async () => {
  await using its = await open();
  const { port } = its.proxy;
  const session = http2.connect(`http://127.0.0.1:${port}`);
  const get = (fields: http2.OutgoingHttpHeaders) =>
    new Promise<string>((resolve, reject) => {
      const stream = session.request({ ":authority": "shop.localhost", ...fields });
      let text = "";
      stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
      stream.on("end", () => resolve(text)).on("error", reject);
    });
  const answers = await Promise.all([
    get({ cookie: ["a=1", `${useCookie}=fix-nav`, "b=2"] as unknown as string }),
    get({ "localhostess-use": "fix-nav" }),
    get({}),
    get({ cookie: `${useCookie}=fix-nav` }),
  ]);
  session.close();
  expect(answers).toEqual(["fixed", "fixed", "main", "fixed"]);
  const cookies = its.fixed.requests.map((request) =>
    request.lines.filter((line) => /^cookie:/i.test(line)).join(),
  );
  expect(cookies.sort()).toEqual(["", "", expect.stringMatching(/^cookie: a=1; b=2$/i)]);
});

test("a browser's tunnel is read for its cookie, also where the guard is off, and by https too", async () => {
  await using tls = await testTls({ services: ["shop"] });
  await using its = await open({
    configured: { all: { guard: "off" }, byName: new Map() },
    terminator: tls.terminator,
  });
  const browser = "User-Agent: Mozilla/5.0 (X11; Linux x86_64)";
  const request = `GET / HTTP/1.1\r\nHost: shop.localhost\r\nCookie: ${useCookie}=fix-nav\r\n\r\n`;
  const client = await its.connect();
  client.send(`CONNECT shop.localhost:80 HTTP/1.1\r\nHost: shop.localhost\r\n${browser}\r\n\r\n`);
  await client.until("\r\n\r\n");
  client.send(request);
  expect((await client.message()).body).toBe("fixed");
  const socket = connect({
    ...{ host: "127.0.0.1", port: its.proxy.port },
    ...{ ca: tls.ca, servername: "shop.localhost" },
  });
  socket.write(request);
  const answer = await new Promise<Buffer>((resolve) => socket.once("data", resolve));
  socket.destroy();
  expect(answer.toString()).toEndWith("fixed");
  expect(its.fixed.requests.map((its) => its.one("x-forwarded-proto"))).toEqual(["http", "https"]);
});

test("a request is counted for the service that answered", async () => {
  const clock = new FakeClock();
  const denials = new Denials({ clock, tell() {} });
  const recorder = new Recorder({ clock, now: () => clock.now(), denials });
  await using its = await open({ choices: [shown], recorder });
  expect(await its.ask("shop.localhost")).toBe("fixed");
  expect(await its.ask("shop.localhost", "Localhostess-Use: --")).toBe("main");
  expect(await its.ask("shop.localhost", "Localhostess-Use: old")).toBe("404");
  expect(recorder.counts("fix-nav.shop").requests).toBe(1);
  expect(recorder.counts("shop").requests).toBe(1);
  expect(recorder.counts("old.shop").requests).toBe(0);
});

test("a plain name of which only a worktree's server runs is one that the PAC file and certificates have", () => {
  const worktree = testService("fix-nav.shop", { port: 1, label: "fix-nav" });
  const table = routeTable([worktree], { checkouts: testCheckouts });
  expect(table.known()).toContain("shop");
  expect(leads("shop", table)).toBe(true);
  expect(leads("mail", table)).toBe(false);
  const alone = routeTable([testService("shop", { port: 1 })], { checkouts: testCheckouts });
  expect(alone.origins).toBeUndefined();
});
