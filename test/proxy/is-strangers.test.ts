import { expect, test } from "bun:test";
import { isStrangers } from "../../src/proxy/request/is-strangers.ts";
import { routeTable } from "../../src/routes/table.ts";
import { encode } from "../../src/wire/bytes.ts";
import { RequestHead } from "../../src/wire/head.ts";
import { testService, testSupervised } from "../support/test-proxy.ts";

const table = routeTable([testService("api", { port: 1 })], {
  tlds: ["test"],
  supervised: [testSupervised({ routeName: "lazy" })],
});

function strangers(fields: readonly string[]): boolean {
  const bytes = encode(
    `GET / HTTP/1.1\r\nHost: x\r\n${fields.map((its) => `${its}\r\n`).join("")}\r\n`,
  );
  const head = new RequestHead();
  expect(head.read(bytes).kind).toBe("done");
  return isStrangers(head, bytes, table);
}

const cross = "Sec-Fetch-Site: cross-site";
const image = [cross, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"];
const cors = [cross, "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"];
const frame = [cross, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"];
const link = [cross, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"];
const typed = ["Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"];
const html = "Accept: text/html,*/*;q=0.8";

test.each<[what: string, fields: string[]]>([
  ["an image of it", [...image, "Referer: https://example.com/"]],
  ["an image without a referrer", image],
  ["its fetch", [...cors, "Origin: https://example.com", "Referer: https://example.com/"]],
  ["a fetch of a page in a sandbox", [...cors, "Origin: null"]],
  ["a frame of it", [...frame, "Referer: https://example.com/"]],
  ["a frame of the old kind", [cross, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: frame"]],
  ["a WebSocket of it", [cross, "Sec-Fetch-Mode: websocket", "Origin: https://example.com"]],
  ["a page that it has fetched ahead", [...link, "Sec-Purpose: prefetch;prerender"]],
  [
    "a page that its speculation rules have fetched ahead, of which Chromium says that it was typed",
    [...typed, "Sec-Purpose: prefetch"],
  ],
  [
    "the same with a referrer",
    [...typed, "Sec-Purpose: prefetch;prerender", "Referer: https://example.com/"],
  ],
  ["a name that begins like ours", [...image, "Referer: http://localhost.example.com/"]],
  ["a name that ends like ours", [...image, "Referer: http://evil-localhost/"]],
  ["a bare name that nobody has", [...image, "Referer: http://nosuch/"]],
  [
    "ours only in its path or user",
    [...image, "Referer: http://api.localhost@example.com/localhost"],
  ],
  ["an address of the network", [...cors, "Origin: http://192.168.1.5:8081"]],
  ["its fetch, of a URL that browsers take for insecure", ["Origin: https://example.com", html]],
  ["an image of it there", ["Accept: image/png", "Referer: http://example.com/"]],
])("%s is a stranger's", (_, fields) => {
  expect(strangers(fields)).toBe(true);
});

test.each<[what: string, fields: string[]]>([
  ["a program's request", ["User-Agent: curl/8"]],
  ["an address that was typed", ["Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate"]],
  [
    "a page that one of ours has fetched ahead",
    [...typed, "Sec-Purpose: prefetch", "Referer: http://api.localhost:9090/"],
  ],
  ["a page's own fetch", ["Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors"]],
  ["that of another port of localhost", ["Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: cors"]],
  ["a link of a stranger's page", [...link, "Referer: https://example.com/"]],
  ["a link in an early browser", [cross, "Sec-Fetch-Mode: navigate"]],
  ["a fetch of another app here", [...cors, "Origin: http://web.localhost:9090"]],
  ["an image of another app here", [...image, "Referer: http://web.localhost:9090/a?b"]],
  ["a frame of another app here", [...frame, "Referer: https://web.localhost/"]],
  ["an app on a port", [...cors, "Origin: http://localhost:5173"]],
  ["an app at an address", [...cors, "Origin: http://127.0.0.1:5173"]],
  ["an app at the other address", [...cors, "Origin: http://[::1]:5173"]],
  ["an app under a configured domain", [...cors, "Origin: https://web.test"]],
  ["an app with a bare name", [...cors, "Origin: http://api"]],
  ["one of the supervisor's with a bare name", [...image, "Referer: http://lazy/"]],
  [
    "a page of ours that hides its origin",
    [...cors, "Origin: null", "Referer: http://web.localhost/"],
  ],
  ["a link, at a URL that browsers take for insecure", [html, "Referer: http://example.com/"]],
  ["a fetch of ours there", ["Origin: http://web.test", "Accept: */*"]],
])("%s is not", (_, fields) => {
  expect(strangers(fields)).toBe(false);
});
