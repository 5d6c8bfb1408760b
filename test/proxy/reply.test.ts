import { reasonOf } from "../../src/wire/reason.ts";
import { expect, test } from "bun:test";
import { encodeReply, jsonReply, type Reply, textReply } from "../../src/proxy/pages/reply.ts";

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const hello: Reply = { status: 200, fields: [["Content-Type", "text/plain"]], body: "hé\n" };

test("a reply is the bytes of one complete response", () => {
  expect(decode(encodeReply(hello, { head: false, close: false }))).toBe(
    "HTTP/1.1 200 OK\r\n" +
      "Server: localhostess\r\n" +
      "Cache-Control: no-store\r\n" +
      "X-Content-Type-Options: nosniff\r\n" +
      "Cross-Origin-Resource-Policy: same-origin\r\n" +
      "Content-Type: text/plain\r\n" +
      "Content-Length: 4\r\n" +
      "\r\n" +
      "hé\n",
  );
});

test("an answer to HEAD has the length of the body and not the body", () => {
  const whole = decode(encodeReply(hello, { head: false, close: false }));
  const head = decode(encodeReply(hello, { head: true, close: false }));
  expect(head).toBe(whole.slice(0, whole.indexOf("\r\n\r\n") + 4));
  expect(head).toContain("\r\nContent-Length: 4\r\n");
});

test("the last answer on a connection says so", () => {
  const closing = decode(encodeReply(hello, { head: false, close: true }));
  expect(closing).toContain("\r\nConnection: close\r\n");
  expect(decode(encodeReply(hello, { head: false, close: false }))).not.toContain("Connection");
});

test("the date is HTTP's form of the time given", () => {
  const dated = decode(encodeReply(hello, { head: true, close: false, date: 784_111_777_000 }));
  expect(dated).toContain("\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
});

test.each(["a\r\nSet-Cookie: x", "a\nb", "a\0b", "é", ""])(
  "a field that could end its line is our fault and is never sent: %j",
  (value) => {
    const reply: Reply = { ...hello, fields: [["X", value]] };
    expect(() => encodeReply(reply, { head: false, close: false })).toThrow("bad field");
  },
);

test.each([200, 400, 404, 405, 408, 414, 421, 431, 501, 502, 503, 504, 505, 508])(
  "%d has a reason phrase",
  (status) => {
    expect(reasonOf(status)).toMatch(/^[A-Z]/);
  },
);

test("text ends in a newline and JSON can be read back", () => {
  expect(textReply(404, "gone").body).toBe("gone\n");
  expect(JSON.parse(jsonReply(200, [{ name: "api" }]).body)).toEqual([{ name: "api" }]);
});
