/** The proxy's own answers over HTTP/2: the pages that HTTP/1.1 gets, in the form that the client accepts. */
import { describe, expect, test } from "bun:test";
import { Flag, FrameType } from "../../../src/wire/h2/frame.ts";
import { H2Frames } from "../../support/h2-frames.ts";
import { connectRaw } from "../../support/raw-end.ts";
import { startTestProxy } from "../../support/test-proxy.ts";

const forms = [
  ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"],
  ["application/json", "application/json"],
  ["*/*", "text/plain; charset=utf-8"],
] as const;

type Fields = [string, string][];
type Asked = { authority?: string; method?: string; path?: string; more?: Fields };

async function ask(client: H2Frames, { more = [], ...asked }: Asked) {
  client.request(1, { ...asked, more });
  const { lines } = await client.next(FrameType.headers, 1);
  await client.finished(1);
  const field = (name: string): string | undefined =>
    lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  return { status: Number(field(":status")), field, body: client.bodyOf(1).toString() };
}

const session = (): H2Frames => new H2Frames({}, "api.localhost").greet();

describe.each(forms)("to who accepts %s", (accept, type) => {
  const accepts: Fields = [["accept", accept]];

  test("421 for a name that the certificate is not for says which connection it came on", async () => {
    const answer = await ask(session(), { authority: "web.localhost", more: accepts });
    expect([answer.status, answer.field("content-type")]).toEqual([421, type]);
    expect(answer.body).toContain("web.localhost");
    expect(answer.body).toContain("api.localhost");
  });

  test("421 for a host of somebody else is the page of HTTP/1.1", async () => {
    const answer = await ask(session(), { authority: "evil.example", more: accepts });
    await using proxy = await startTestProxy();
    const client = await connectRaw(proxy.port, {
      send: `GET / HTTP/1.1\r\nHost: evil.example\r\nAccept: ${accept}\r\n\r\n`,
    });
    await client.rest();
    expect(answer.field("content-type")).toBe(type);
    expect(client.text).toStartWith("HTTP/1.1 421 ");
    expect(client.text).toEndWith(`\r\n\r\n${answer.body}`);
  });

  test("404 for a name that nobody has", async () => {
    const answer = await ask(session(), { authority: "x.api.localhost", more: accepts });
    expect([answer.status, answer.field("content-type")]).toEqual([404, type]);
  });

  test("405 for CONNECT", async () => {
    const client = session();
    const payload = client.block([
      [":method", "CONNECT"],
      [":authority", "api.localhost:443"],
      ...accepts,
    ]);
    client.frame(FrameType.headers, { flags: Flag.endHeaders, payload });
    const { lines } = await client.next(FrameType.headers, 1);
    expect(lines[0]).toBe(":status: 405");
    expect(lines).toContain(`content-type: ${type}`);
    expect(lines.some((line) => line.startsWith("allow: "))).toBe(true);
  });

  test("405 for what our own page does not do", async () => {
    const client = new H2Frames({}, "localhost").greet();
    const answer = await ask(client, { authority: "localhost", method: "PUT", more: accepts });
    expect([answer.status, answer.field("content-type")]).toEqual([405, type]);
  });

  test("431 for fields that are too large, where Accept came before them", async () => {
    const cookies: Fields = Array.from({ length: 5 }, () => ["cookie", "c".repeat(15_000)]);
    const client = session();
    const block = client.block([
      [":method", "GET"],
      [":scheme", "https"],
      [":authority", "api.localhost"],
      [":path", "/"],
      ...accepts,
      ...cookies,
    ]);
    for (let at = 0; at < block.length; at += 16_000) {
      client.frame(at === 0 ? FrameType.headers : FrameType.continuation, {
        flags:
          (at === 0 ? Flag.endStream : 0) | (at + 16_000 >= block.length ? Flag.endHeaders : 0),
        payload: block.slice(at, at + 16_000),
      });
    }
    const { lines } = await client.next(FrameType.headers, 1);
    expect(lines[0]).toBe(":status: 431");
    expect(lines).toContain(`content-type: ${type}`);
  });

  test("431 over HTTP/1.1 too", async () => {
    await using proxy = await startTestProxy();
    const client = await connectRaw(proxy.port, {
      send: `GET / HTTP/1.1\r\nHost: api.localhost\r\nAccept: ${accept}\r\nCookie: ${"c".repeat(70_000)}`,
    });
    await client.until("\r\n\r\n");
    expect(client.text).toStartWith("HTTP/1.1 431 ");
    expect(client.text.toLowerCase()).toContain(`content-type: ${type}`);
  });
});

test("HEAD gets the fields alone", async () => {
  const answer = await ask(session(), { method: "HEAD", authority: "web.localhost" });
  expect(answer.status).toBe(421);
  expect(Number(answer.field("content-length"))).toBeGreaterThan(50);
  expect(answer.body).toBe("");
});
