import { expect, test } from "bun:test";
import { hearsDetails } from "../../src/proxy/pages/hears-details.ts";
import { encode } from "../../src/wire/bytes.ts";
import { RequestHead } from "../../src/wire/head.ts";

function hears(...fields: string[]): boolean {
  const bytes = encode(
    `GET / HTTP/1.1\r\nHost: x\r\n${fields.map((its) => `${its}\r\n`).join("")}\r\n`,
  );
  const head = new RequestHead();
  expect(head.read(bytes).kind).toBe("done");
  return hearsDetails(head, bytes);
}

const chrome =
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";
const language = "Accept-Language: de";
const html = "Accept: text/html,application/xhtml+xml,*/*;q=0.8";
const navigate = "Sec-Fetch-Mode: navigate";
const page = [navigate, "Sec-Fetch-Dest: document", "Sec-Fetch-Site: none"];

test.each<[what: string, fields: string[]]>([
  ["a tab of a browser", [chrome, language, html, ...page, "Sec-Fetch-User: ?1"]],
  [
    "a link from another page",
    [chrome, ...page.slice(0, 2), "Sec-Fetch-Site: cross-site", "Referer: http://x/"],
  ],
  ["a form that is sent", [chrome, ...page, "Origin: http://x"]],
  ["a browser of the first that had the mode", [chrome, navigate]],
  [
    "the fields in other letters and HTTP/2's",
    ["sec-fetch-mode: navigate", "SEC-FETCH-DEST: document"],
  ],
  ["curl", ["User-Agent: curl/8.5.0", "Accept: */*"]],
  [
    "curl that asks for JSON",
    ["User-Agent: curl/8.5.0", "Accept: application/json", "Cookie: a=b"],
  ],
  ["HTTPie", ["User-Agent: HTTPie/3.2", "Accept-Encoding: gzip, deflate", "Accept: */*"]],
  ["a program that says nothing", []],
])("%s is told", (_, fields) => {
  expect(hears(...fields)).toBe(true);
});

test.each<[what: string, fields: string[]]>([
  [
    "fetch",
    [chrome, "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty", "Sec-Fetch-Site: same-origin"],
  ],
  [
    "fetch with a page's Accept",
    [chrome, html, "Sec-Fetch-Mode: same-origin", "Sec-Fetch-Dest: empty"],
  ],
  ["an image", ["Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"]],
  ["a WebSocket", ["Sec-Fetch-Mode: websocket", "Sec-Fetch-Dest: empty"]],
  ["a frame", [navigate, "Sec-Fetch-Dest: iframe"]],
  ["a frame of the old kind", [navigate, "Sec-Fetch-Dest: frame"]],
  ["an object", [navigate, "Sec-Fetch-Dest: object"]],
  ["an embed", [navigate, "Sec-Fetch-Dest: embed"]],
  ["a fenced frame", [navigate, "Sec-Fetch-Dest: fencedframe"]],
  ["a service worker that passes a navigation on", [navigate, "Sec-Fetch-Dest: empty"]],
  [
    "what is loaded ahead for a service worker's script",
    [...page, "Service-Worker-Navigation-Preload: true"],
  ],
  ["a browser that says only whose it is", [chrome, "Sec-Fetch-Site: same-origin"]],
  ["one that says only for what", ["Sec-Fetch-Dest: document"]],
  ["one with two modes", [navigate, "Sec-Fetch-Mode: cors"]],
  ["one with two modes the other way round", ["Sec-Fetch-Mode: cors", navigate]],
  ["one with two destinations", [...page, "Sec-Fetch-Dest: iframe"]],
  ["a browser that says nothing of it", [chrome, html]],
  ["one whose script has changed its name", ["User-Agent: curl/8", language]],
  ["one whose script has changed its language too", ["User-Agent: curl/8", "Accept-Language:"]],
  ["whoever has an Origin", ["User-Agent: curl/8", "Origin: http://x"]],
  ["whoever has a Referer", ["User-Agent: curl/8", "Referer: http://x/"]],
  ["fetch of Node", ["User-Agent: node", "Accept-Language: *", "Sec-Fetch-Mode: cors"]],
])("%s is not told", (_, fields) => {
  expect(hears(...fields)).toBe(false);
});
