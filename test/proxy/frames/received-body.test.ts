/** DATA and trailers into the body that HTTP/1.1 has for them. */
import { expect, test } from "bun:test";
import { chunkLineRoom, ReceivedBody } from "../../../src/proxy/frames/received-body.ts";
import { HeadWriter } from "../../../src/proxy/frames/head-writer.ts";
import { CHUNKED } from "../../../src/wire/framing.ts";

function contentOf(text: string): HeadWriter {
  const body = new HeadWriter(chunkLineRoom);
  body.length = chunkLineRoom;
  body.append(Buffer.from(text));
  return body;
}

function bodyOf(length: number): ReceivedBody {
  const body = new ReceivedBody();
  body.begin(length);
  return body;
}

const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && Buffer.from(bytes).toString();

const noTrailers = new Uint8Array(0);

test("a body whose length was announced goes on as it is, and is held to its length", () => {
  const body = bodyOf(3);
  expect([body.take(2), body.complete, body.end(noTrailers)]).toEqual([true, false, undefined]);
  expect(textOf(body.piece(contentOf("ab")))).toBe("ab");
  expect([body.take(2), body.take(1), body.complete]).toEqual([false, true, true]);
  expect(textOf(body.end(noTrailers))).toBe("");
});

test("a body of unknown length goes on in chunks, up to the largest piece that a window lets through", () => {
  const body = bodyOf(CHUNKED);
  expect([body.take(2 ** 31 - 1), body.complete]).toEqual([true, false]);
  expect(textOf(body.piece(contentOf("ab")))).toBe("2\r\nab\r\n");
  expect(textOf(body.piece(contentOf("")))).toBe("");
  expect(textOf(body.piece(contentOf("x".repeat(300_000))))).toStartWith("493e0\r\nxxx");
  expect(`${(2 ** 31 - 1).toString(16)}\r\n`).toHaveLength(chunkLineRoom);
  expect(textOf(body.end(Buffer.from("x-sum: 42\r\n")))).toBe("0\r\nx-sum: 42\r\n\r\n");
  expect(body.complete).toBe(true);
});
