import { expect, test } from "bun:test";
import {
  chmodSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { raw, sitePlace } from "./site-place.ts";

const page = "<!doctype html><html><head><title>Page</title></head><body>Page</body></html>";
const html = { accept: "text/html,*/*;q=0.8" };

test("a file comes with its type, its length, its date and a strong tag, and HEAD with the same fields", async () => {
  await using site = sitePlace({ "a.js": "let a = 1;" });
  const got = await site.get("/a.js");
  expect(await got.text()).toBe("let a = 1;");
  expect(got.status).toBe(200);
  const fields = Object.fromEntries(got.headers);
  expect(fields).toMatchObject({
    "content-type": "text/javascript; charset=utf-8",
    "content-length": "10",
    "accept-ranges": "bytes",
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
  });
  expect(fields.etag).toMatch(/^"[^"]+"$/);
  expect(fields["last-modified"]).toMatch(/ GMT$/);
  expect(fields["access-control-allow-origin"]).toBeUndefined();
  const head = await site.get("/a.js", { method: "HEAD" });
  expect(await head.text()).toBe("");
  const { date: _date, ...same } = fields;
  expect(Object.fromEntries(head.headers)).toMatchObject(same);
});

test("a client that has the file is told so, and one whose precondition fails gets no file", async () => {
  await using site = sitePlace({ "a.css": "a{}" });
  const { headers } = await site.get("/a.css");
  const [tag, date] = [headers.get("etag")!, headers.get("last-modified")!];
  const statusWith = async (fields: Record<string, string>): Promise<number> =>
    (await site.get("/a.css", { headers: fields })).status;
  expect(await statusWith({ "if-none-match": tag })).toBe(304);
  expect(await statusWith({ "if-modified-since": date })).toBe(304);
  expect(await statusWith({ "if-none-match": '"x"', "if-modified-since": date })).toBe(200);
  expect(await statusWith({ "if-match": '"x"' })).toBe(412);
  expect(await statusWith({ "if-unmodified-since": "Sun, 06 Nov 1994 08:49:37 GMT" })).toBe(412);
  site.write("a.css", "b{}");
  expect(await statusWith({ "if-none-match": tag })).toBe(200);
  const gone = await site.get("/a.css", { headers: { "if-none-match": "*" } });
  expect(gone.headers.get("content-length")).toBeNull();
  expect(gone.headers.get("etag")).not.toBe(tag);
});

test("parts of a file come as they are asked for, one by one, and several in one answer", async () => {
  await using site = sitePlace({ "a.bin": "0123456789", empty: "" });
  const part = async (range: string, fields: Record<string, string> = {}) => {
    const got = await site.get("/a.bin", { headers: { range, ...fields } });
    return [got.status, got.headers.get("content-range"), await got.text()];
  };
  expect(await part("bytes=2-4")).toEqual([206, "bytes 2-4/10", "234"]);
  expect(await part("bytes=8-")).toEqual([206, "bytes 8-9/10", "89"]);
  expect(await part("bytes=-3")).toEqual([206, "bytes 7-9/10", "789"]);
  expect(await part("bytes=10-")).toEqual([416, "bytes */10", ""]);
  expect(await part("bytes=x")).toEqual([200, null, "0123456789"]);
  const tag = (await site.get("/a.bin")).headers.get("etag")!;
  expect(await part("bytes=0-1", { "if-range": tag })).toEqual([206, "bytes 0-1/10", "01"]);
  expect(await part("bytes=0-1", { "if-range": '"x"' })).toEqual([200, null, "0123456789"]);
  expect((await site.get("/empty", { headers: { range: "bytes=0-" } })).status).toBe(416);
  const several = await site.get("/a.bin", { headers: { range: "bytes=0-1,8-9" } });
  expect(several.status).toBe(206);
  const boundary = /boundary=(.+)$/.exec(several.headers.get("content-type")!)![1]!;
  const type = "Content-Type: application/octet-stream";
  const text = await several.text();
  expect(Number(several.headers.get("content-length"))).toBe(text.length);
  expect(text).toBe(
    [
      "",
      `--${boundary}`,
      type,
      "Content-Range: bytes 0-1/10",
      "",
      "01",
      `--${boundary}`,
      type,
      "Content-Range: bytes 8-9/10",
      "",
      "89",
      `--${boundary}--`,
      "",
    ].join("\r\n"),
  );
  const head = await site.get("/a.bin", { method: "HEAD", headers: { range: "bytes=2-4" } });
  expect([head.status, head.headers.get("content-length")]).toEqual([200, "10"]);
});

test("a compressed neighbour goes to those who take it, with a tag of its own, unless it is older", async () => {
  await using site = sitePlace({
    ...{ "app.js": "plain", "app.js.br": "brotli", "app.js.gz": "gzip" },
    ...{ "old.js": "new", "old.js.gz": "old", "a.png": "png", "a.png.gz": "gzip" },
  });
  utimesSync(join(site.folder, "old.js.gz"), 1, 1);
  const got = async (path: string, encoding: string) => {
    const its = await site.get(path, { headers: { "accept-encoding": encoding } });
    const { headers } = its;
    const fields = ["content-encoding", "vary", "etag", "content-type"].map((name) =>
      headers.get(name),
    );
    return [await its.text(), ...fields] as const;
  };
  const plain = await got("/app.js", "identity");
  const brotli = await got("/app.js", "gzip, br");
  const gzip = await got("/app.js", "br;q=0, gzip");
  expect(plain.slice(0, 3)).toEqual(["plain", null, "Accept-Encoding"]);
  expect(brotli.slice(0, 3)).toEqual(["brotli", "br", "Accept-Encoding"]);
  expect(gzip.slice(0, 3)).toEqual(["gzip", "gzip", "Accept-Encoding"]);
  expect(new Set([plain[3], brotli[3], gzip[3]]).size).toBe(3);
  expect(brotli[4]).toBe("text/javascript; charset=utf-8");
  expect((await got("/old.js", "gzip")).slice(0, 3)).toEqual(["new", null, null]);
  expect((await got("/a.png", "gzip")).slice(0, 3)).toEqual(["png", null, null]);
  expect((await got("/app.js.gz", "gzip")).slice(0, 2)).toEqual(["gzip", null]);
});

test("folders have a slash and an index, and pages need no ending", async () => {
  await using site = sitePlace({
    ...{ "index.html": "home", "about.html": "about", "docs/index.html": "docs" },
    ...{ "both.html": "page", "both/index.html": "folder", "a b/index.html": "space" },
  });
  const got = async (path: string) => {
    const its = await site.get(path);
    return its.status === 308
      ? `308 ${its.headers.get("location")}`
      : `${its.status} ${await its.text()}`;
  };
  expect(await got("/")).toBe("200 home");
  expect(await got("/about")).toBe("200 about");
  expect(await got("/about.html")).toBe("200 about");
  expect(await got("/about/?a=1")).toBe("308 /about?a=1");
  expect(await got("/docs")).toBe("308 /docs/");
  expect(await got("/docs?a=%20&b")).toBe("308 /docs/?a=%20&b");
  expect(await got("/docs/")).toBe("200 docs");
  expect(await got("/both")).toBe("200 page");
  expect(await got("/both/")).toBe("200 folder");
  expect(await got("/a%20b")).toBe("308 /a%20b/");
  expect(await got("/index.html/")).toStartWith("404");
  const double = "GET //docs HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  expect(await raw(site.port, double)).toStartWith("HTTP/1.1 404");
});

test("with a fallback every path that a browser goes to is a page, and what a page asks for is not", async () => {
  await using site = sitePlace({ "index.html": "app", "a.js": "a" }, { fallback: "index.html" });
  const got = async (path: string, headers: Record<string, string> = html) => {
    const its = await site.get(path, { headers });
    return `${its.status} ${its.status === 200 ? await its.text() : ""}`.trim();
  };
  expect(await got("/users/5")).toBe("200 app");
  expect(await got("/users/john.doe")).toBe("200 app");
  expect(await got("/users/")).toBe("200 app");
  expect(await got("/users/5", { ...html, "sec-fetch-dest": "document" })).toBe("200 app");
  expect(await got("/users/5", { accept: "*/*" })).toBe("200 app");
  expect(await got("/missing.js")).toBe("404");
  expect(await got("/missing.png", { ...html, "sec-fetch-dest": "document" })).toBe("404");
  expect(await got("/api/users", { accept: "*/*", "sec-fetch-dest": "empty" })).toBe("404");
  expect(await got("/api/users", { accept: "application/json" })).toBe("404");
  expect(await got("/.env")).toBe("404");
});

test("404.html is the page of what is not there, whole and without preconditions", async () => {
  await using site = sitePlace({ "404.html": "not here" });
  const its = await site.get("/x", {
    headers: { ...html, range: "bytes=0-1", "if-none-match": "*" },
  });
  expect([its.status, await its.text()]).toEqual([404, "not here"]);
  const script = await site.get("/x.js", {
    headers: { accept: "*/*", "sec-fetch-dest": "script" },
  });
  expect([script.status, await script.text()]).toEqual([404, "There is no such file\n"]);
});

test("a listing has what is in the folder, escaped, and nothing hidden", async () => {
  const name = `<img src=x onerror=alert(1)>"'&.txt`;
  await using site = sitePlace({
    ...{
      [name]: "x",
      ".env": "secret",
      "b.txt": "12345",
      "sub/c": "",
      "100%.txt": "",
      "a:b.txt": "",
    },
  });
  const its = await site.get("/", { headers: html });
  const text = await its.text();
  expect(its.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(text).not.toContain("<img");
  expect(text).not.toContain(".env");
  expect(text).toContain("&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;.txt");
  expect(text).toContain('href="./sub/">sub/</a>');
  expect(text).toContain("5 B · ");
  expect(text).toContain('href="./a%3Ab.txt"');
  expect((await site.get("/100%25.txt")).status).toBe(200);
  expect(await (await site.get("/sub/", { headers: html })).text()).toContain('href="../"');
  await using other = sitePlace({ a: "" }, { listing: false });
  expect((await other.get("/")).status).toBe(404);
});

test("links out of the folder, files without permission and a folder that is gone say what is wrong", async () => {
  await using site = sitePlace({ "a/b.txt": "b", "locked.txt": "x" });
  symlinkSync("/etc/passwd", join(site.folder, "passwd"));
  symlinkSync("a/b.txt", join(site.folder, "inside.txt"));
  const got = async (path: string) => {
    const its = await site.get(path, { headers: { accept: "text/plain, */*" } });
    return `${its.status} ${(await its.text()).trim()}`;
  };
  expect(await got("/passwd")).toBe(
    "403 This file is not given out\npasswd is a link that leads out of the site's folder.",
  );
  expect(await got("/inside.txt")).toBe("200 b");
  if (process.getuid!() !== 0) {
    chmodSync(join(site.folder, "locked.txt"), 0);
    expect(await got("/locked.txt")).toStartWith("403 This file cannot be read");
  }
  renameSync(site.folder, `${site.folder}-away`);
  expect(await got("/a/b.txt")).toStartWith("503 The folder of this site is not there");
  expect(await got("/")).toStartWith("503");
  renameSync(`${site.folder}-away`, site.folder);
  expect(await got("/a/b.txt")).toBe("200 b");
});

test("other methods are refused with those that there are, and OPTIONS names them", async () => {
  await using site = sitePlace({ a: "" });
  const post = await site.get("/a", { method: "POST", body: "x" });
  expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
  const options = await site.get("/a", { method: "OPTIONS" });
  expect([options.status, options.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
});

test("what is no HTTP is answered and ended, requests in one piece are answered in order", async () => {
  await using site = sitePlace({ a: "A", b: "B" });
  expect(await raw(site.port, "nonsense\r\n\r\n")).toStartWith("HTTP/1.1 400");
  expect(await raw(site.port, "GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")).toStartWith(
    "HTTP/1.1 400",
  );
  const three = ["/a", "/b", "/a"]
    .map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
    .join("");
  const last = "GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  const answers = await raw(site.port, three + last);
  expect([...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
    ...["200", "200", "200", "404"],
  ]);
  expect(await raw(site.port, "GET /a HTTP/1.0\r\n\r\n")).toEndWith("\r\n\r\nA");
  const foreign = await raw(
    site.port,
    "GET /a HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n",
  );
  expect(foreign).toStartWith("HTTP/1.1 421");
});

test("a file that becomes shorter while it is sent ends the connection, so that the client knows", async () => {
  await using site = sitePlace({ big: "" });
  truncateSync(join(site.folder, "big"), 64_000_000);
  const response = await site.get("/big");
  const reader = response.body!.getReader();
  await reader.read();
  truncateSync(join(site.folder, "big"), 1_000_000);
  const readAll = async (): Promise<void> => {
    while (!(await reader.read()).done);
  };
  await expect(readAll()).rejects.toThrow();
  expect(String(site.faults)).toContain("shorter");
});

test("a slow reader costs no memory, and one that goes away leaves no file open", async () => {
  await using site = sitePlace({ big: "" });
  truncateSync(join(site.folder, "big"), 200_000_000);
  Bun.gc(true);
  const before = process.memoryUsage.rss();
  const clients = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const socket = await Bun.connect({
        hostname: "127.0.0.1",
        port: site.port,
        socket: {
          data(its) {
            its.pause();
            resolve();
          },
          close() {},
        },
      });
      socket.write("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
      await promise;
      return socket;
    }),
  );
  expect(process.memoryUsage.rss() - before).toBeLessThan(100_000_000);
  for (const client of clients) client.terminate();
  await site.server.stop(10_000);
});

test("a page gets the script of its reload, with the right length; a fragment and a script do not", async () => {
  const long = `${page}${" ".repeat(300_000)}`;
  await using site = sitePlace(
    {
      "index.html": page,
      "long.html": long,
      "part.html": "<li>x</li>",
      "a.js": "a",
      "a.js.br": "b",
    },
    { reloads: true },
  );
  const tag = '<script src="/.localhostess/reload.js" async></script>';
  const its = await site.get("/");
  const text = await its.text();
  expect(text).toBe(page.replace("<head>", `<head>${tag}`));
  expect(its.headers.get("content-length")).toBe(String(text.length));
  const head = await site.get("/", { method: "HEAD" });
  expect(head.headers.get("content-length")).toBe(String(text.length));
  const part = await site.get("/", { headers: { range: "bytes=20-30" } });
  expect([part.status, await part.text()]).toEqual([206, text.slice(20, 31)]);
  expect(await (await site.get("/long")).text()).toBe(long.replace("<head>", `<head>${tag}`));
  expect(await (await site.get("/part.html")).text()).toBe("<li>x</li>");
  const script = await site.get("/a.js", { headers: { "accept-encoding": "br" } });
  expect(await script.text()).toBe("b");
  expect((await site.get("/.localhostess/reload.js")).status).toBe(200);
});

test("open pages hear of changes until the site ends, which they ask for again", async () => {
  await using site = sitePlace({ "index.html": page }, { reloads: true });
  const events = await site.get("/.localhostess/reload");
  expect(events.headers.get("content-type")).toBe("text/event-stream");
  const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const until = async (wanted: string): Promise<void> => {
    while (!text.includes(wanted)) {
      const { done, value } = await reader.read();
      if (done) throw new Error(`ended after ${text}`);
      text += value;
    }
  };
  await until("event: version\n");
  site.streams.changed(["/a.css"]);
  await until('"paths":["/a.css"]}\n\n');
  site.streams.end();
  while (!(await reader.read()).done);
  const again = await site.get("/.localhostess/reload");
  expect([again.status, await again.text()]).toEqual([200, "retry: 1000\n\n"]);
});

test.if(process.platform === "linux")(
  "a listing of ten thousand files keeps nothing else waiting, and says how many more there are",
  async () => {
    await using site = sitePlace({});
    for (let number = 0; number < 10_020; number++) {
      writeFileSync(join(site.folder, `file-${number}`), "");
    }
    let longest = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 3 && longest >= 50; round++) {
      let isOver = false;
      const got = site.get("/", { headers: html }).then(async (its) => {
        isOver = true;
        return await its.text();
      });
      longest = Math.min(longest, await longestTurn(() => isOver));
      expect(await got).toContain("20 more are not shown.");
    }
    expect(longest).toBeLessThan(50);
  },
  60_000,
);

/** Milliseconds of processor time of the longest turn of the event loop, whatever else the machine does. */
async function longestTurn(isOver: () => boolean): Promise<number> {
  const used = (): number =>
    Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, "latin1").split(" ")[0]) / 1e6;
  let longest = 0;
  for (let before = used(); !isOver();) {
    await new Promise((resume) => setImmediate(resume));
    const now = used();
    longest = Math.max(longest, now - before);
    before = now;
  }
  return longest;
}
