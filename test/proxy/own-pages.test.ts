/** Our own pages over a socket: what they are, in which form, and that they spoil no connection. */
import { expect, test } from "bun:test";
import type { Message } from "../support/strict-reader.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { scene } from "../support/scene.ts";
import { startTestProxy, testSupervised } from "../support/test-proxy.ts";

async function ask(port: number, line: string, fields = "Host: localhost\r\n"): Promise<Message> {
  using client = await connectRaw(port);
  client.send(`${line} HTTP/1.1\r\n${fields}\r\n`);
  return await client.message({ head: line.startsWith("HEAD") });
}

test("the front page lists the live services with links, and our version", async () => {
  using api = new RawServer();
  await using proxy = await startTestProxy({
    services: { api, "api.shop": api },
    version: "9.8.7",
  });
  const page = await ask(proxy.port, "GET /", "Host: localhost\r\nAccept: text/html\r\n");
  expect(page.status).toBe(200);
  expect(page.one("content-type")).toBe("text/html; charset=utf-8");
  const html = page.body;
  expect(html).toContain(`http://api.localhost:${proxy.port}/`);
  expect(html).toContain(`http://api.shop.localhost:${proxy.port}/`);
  expect(html).toContain("9.8.7");
  expect(html).toContain("NAME=");
});

test("the front page holds no secret: no working directory, no environment, no mark of ours", async () => {
  using api = new RawServer();
  await using proxy = await startTestProxy({ services: { api } });
  for (const accept of ["text/html", "application/json", "*/*"]) {
    const page = await ask(proxy.port, "GET /", `Host: localhost\r\nAccept: ${accept}\r\n`);
    const text = page.raw;
    expect(text).not.toContain("0123abcd");
    expect(text).not.toContain(process.env.HOME ?? "no home");
    expect(page.all("set-cookie")).toEqual([]);
    expect(text).not.toMatch(/access-control-allow/i);
  }
});

test("a query makes no difference to which page it is", async () => {
  await using proxy = await startTestProxy();
  expect((await ask(proxy.port, "GET /?x=1")).status).toBe(200);
  const pac = await ask(proxy.port, "GET /proxy.pac?x=/?y");
  expect(pac.one("content-type")).toBe("application/x-ns-proxy-autoconfig");
});

test("proxy.pac has its own content type, and names our port", async () => {
  await using proxy = await startTestProxy();
  const pac = await ask(proxy.port, "GET /proxy.pac");
  expect(pac.one("content-type")).toBe("application/x-ns-proxy-autoconfig");
  expect(pac.body).toContain("FindProxyForURL");
  expect(pac.body).toContain(`:${proxy.port}`);
});

test("proxy.pac names the services of now, after a look at the machine, and no page reads the names", async () => {
  using api = new RawServer();
  const looks: string[] = [];
  await using proxy = await startTestProxy({
    services: { api },
    supervised: [testSupervised({ routeName: "asleep", state: "stopped" })],
    refresh: async () => void looks.push("look"),
  });
  const pac = await ask(proxy.port, "GET /proxy.pac");
  expect(pac.body).toContain('" api asleep "');
  expect(looks).toEqual(["look"]);
  // A script element runs any text without it; and a page that could embed the file could run it.
  expect(pac.one("x-content-type-options")).toBe("nosniff");
  expect(pac.one("cross-origin-resource-policy")).toBe("same-origin");
  expect(pac.raw).not.toMatch(/access-control-allow/i);
});

for (const [accept, type] of [
  ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"],
  ["application/json", "application/json"],
  ["*/*", "text/plain; charset=utf-8"],
  ["", "text/plain; charset=utf-8"],
] as const) {
  test(`an unknown name, asked with Accept ${JSON.stringify(accept)}, is 404 as ${type}`, async () => {
    await using proxy = await startTestProxy();
    const fields = `Host: nobody.localhost\r\n${accept === "" ? "" : `Accept: ${accept}\r\n`}`;
    const page = await ask(proxy.port, "GET /x", fields);
    expect(page.status).toBe(404);
    expect(page.one("content-type")).toBe(type);
    if (type === "application/json") expect(JSON.parse(page.body)).toBeDefined();
    if (type.startsWith("text/plain")) expect(page.body).toMatch(/^[^\n]+\n$/);
  });
}

for (const [what, line, fields, status] of [
  ["404", "HEAD /", "Host: nobody.localhost\r\n", 404],
  ["our front page", "HEAD /", "Host: localhost\r\n", 200],
  ["a page we have not", "HEAD /nothing", "Host: localhost\r\n", 404],
  ["421", "HEAD /", "Host: example.com\r\n", 421],
] as const) {
  test(`HEAD of ${what} tells a length and sends no body`, async () => {
    await using proxy = await startTestProxy();
    using client = await connectRaw(proxy.port);
    client.send(`${line} HTTP/1.1\r\n${fields}Connection: close\r\n\r\n`);
    const text = await client.rest();
    expect(text).toStartWith(`HTTP/1.1 ${status} `);
    expect(text).toEndWith("\r\n\r\n");
    expect(Number(/content-length: (\d+)/i.exec(text)?.[1])).toBeGreaterThan(0);
  });
}

test("HEAD of a service that refuses sends no body", async () => {
  const gone = new RawServer();
  gone[Symbol.dispose]();
  await using proxy = await startTestProxy({ services: { api: { port: gone.port } } });
  using client = await connectRaw(proxy.port);
  client.send("HEAD / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  const text = await client.rest();
  expect(text).toStartWith("HTTP/1.1 502 ");
  expect(text).toEndWith("\r\n\r\n");
});

test("HEAD of a service that answers garbage sends no body", async () => {
  await using its = await scene({ answer: () => "garbage\r\n\r\n" });
  const { client } = its;
  client.send("HEAD / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  const text = await client.rest();
  expect(text).toStartWith("HTTP/1.1 502 ");
  expect(text).toEndWith("\r\n\r\n");
});

for (const method of ["POST", "PUT", "DELETE", "PATCH", "get", "TRACE"]) {
  test(`${method} of our own page is 405, which says what may be asked`, async () => {
    await using proxy = await startTestProxy();
    const page = await ask(proxy.port, `${method} /`, "Host: localhost\r\nContent-Length: 0\r\n");
    expect(page.status).toBe(405);
    expect(page.one("allow")).toBe("GET, HEAD, OPTIONS");
  });
}

test("OPTIONS of ours says what may be asked", async () => {
  await using proxy = await startTestProxy();
  for (const target of ["*", "/"]) {
    const page = await ask(proxy.port, `OPTIONS ${target}`);
    expect(page.one("allow")).toBe("GET, HEAD, OPTIONS");
  }
});

test("a page of ours keeps the connection alive, a request with a body for it does not", async () => {
  await using proxy = await startTestProxy();
  using client = await connectRaw(proxy.port);
  for (let i = 0; i < 5; i++) {
    client.send("GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const page = await client.message();
    expect(page.status).toBe(404);
    expect(page.one("connection")).toBeUndefined();
  }
  client.send(
    "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 48\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n",
  );
  expect((await client.message()).one("connection")).toBe("close");
  expect(await client.rest()).toBe("");
});

test("what a stranger sends comes back in no page unescaped, and in no field", async () => {
  await using proxy = await startTestProxy();
  const fields = "Host: x.localhost\r\nAccept: text/html\r\n";
  const evil = "/%3Cscript%3Ealert(1)%3C/script%3E'&\"".replace('"', "");
  const page = await ask(proxy.port, `GET ${evil}`, fields);
  expect(page.body).not.toContain("<script>alert");
  const own = await ask(proxy.port, `GET /'&x`, "Host: localhost\r\nAccept: text/html\r\n");
  expect(own.body).not.toContain("/'&x");
});

test("no page of ours may be framed, sniffed, cached or read from elsewhere", async () => {
  await using proxy = await startTestProxy();
  const page = await ask(proxy.port, "GET /", "Host: localhost\r\nAccept: text/html\r\n");
  expect(page.one("x-content-type-options")).toBe("nosniff");
  expect(page.one("cache-control")).toBe("no-store");
  expect(page.one("content-security-policy")).toContain("frame-ancestors 'none'");
});

test("the front page shows a server that was started since anybody last looked", async () => {
  using api = new RawServer({ answer: () => ok() });
  let looked = 0;
  await using proxy = await startTestProxy({
    refresh: async () => {
      looked++;
      proxy.setServices({ api });
    },
  });
  using client = await connectRaw(proxy.port);
  client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  expect((await client.message()).body).toContain("http://api.localhost");
  expect(looked).toBe(1);
});

const script = "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n";

test("a script hears of no process, address, command or other name, of our pages and of servers that fail", async () => {
  const gone = new RawServer();
  gone[Symbol.dispose]();
  using garbage = new RawServer({ answer: () => "garbage\r\n\r\n" });
  // No number that any page has for another reason.
  const pid = 98_765_432;
  await using proxy = await startTestProxy({
    services: { gone: { port: gone.port, pid }, garbage: { port: garbage.port, pid } },
  });
  for (const accept of ["text/html", "application/json", "*/*"]) {
    for (const [host, path, status, hidden] of [
      ["localhost", "/", 200, ["serve ", String(pid), `:${gone.port}`, "/srv"]],
      ["localhost", "/nosuch", 404, ["gone", "garbage"]],
      ["garbag.localhost", "/", 404, ["gone", "garbage"]],
      ["gone.localhost", "/", 502, ["serve gone", String(pid), String(gone.port)]],
      ["garbage.localhost", "/", 502, ["serve garb", String(pid), String(garbage.port)]],
    ] as const) {
      const fields = `Host: ${host}\r\nAccept: ${accept}\r\n`;
      const told = await ask(proxy.port, `GET ${path}`, fields);
      expect(told.status).toBe(status);
      const untold = await ask(proxy.port, `GET ${path}`, fields + script);
      expect(untold.status).toBe(status);
      for (const detail of hidden) {
        expect(untold.body).not.toContain(detail);
        // No folder is on any page but as JSON, and the names not on every one.
        if (detail.startsWith("serve")) expect(told.body).toContain(detail);
      }
    }
  }
});

test("a request that is too large to be read again is told nothing of the server that failed it", async () => {
  using garbage = new RawServer({ answer: () => "garbage\r\n\r\n" });
  await using proxy = await startTestProxy({ services: { garbage } });
  // As it goes on it is longer than a head may be, by the percent signs, so that its last fields are not found in it.
  const path = `/${"|".repeat(10_000)}`;
  const fields = `Host: garbage.localhost\r\nX-Large: ${"x".repeat(54_000)}\r\n${script}`;
  const answer = await ask(proxy.port, `GET ${path}`, fields);
  expect(answer.status).toBe(502);
  expect(answer.body).not.toContain("serve garbage");
});
