import { expect, test } from "bun:test";
import { ContainerFrames } from "../../src/wire/container-frames.ts";

function frame(stream: number, text: string, length = Buffer.byteLength(text)): Buffer {
  const head = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(length, 4);
  return Buffer.concat([head, Buffer.from(text)]);
}

function read(pieces: readonly Uint8Array[]) {
  const frames = new ContainerFrames();
  const out = { stdout: "", stderr: "" };
  const order: string[] = [];
  for (const piece of pieces) {
    frames.take(piece, (stream, bytes) => {
      out[stream] += Buffer.from(bytes).toString("latin1");
      order.push(stream);
    });
  }
  return { ...out, order, isWhole: frames.isWhole, bad: frames.bad };
}

const both = Buffer.concat([frame(1, "one\n"), frame(2, "oh\n"), frame(1, ""), frame(0, "two\n")]);

test("frames are taken apart, whole, byte by byte and cut anywhere", () => {
  const whole = read([both]);
  expect(whole).toMatchObject({ stdout: "one\ntwo\n", stderr: "oh\n", isWhole: true });
  expect(whole.order).toEqual(["stdout", "stderr", "stdout"]);
  const bytes = [...both].map((byte) => Buffer.from([byte]));
  expect(read(bytes)).toMatchObject({ stdout: "one\ntwo\n", stderr: "oh\n", isWhole: true });
  for (let at = 0; at <= both.length; at++) {
    const cut = read([both.subarray(0, at), both.subarray(at)]);
    expect(cut).toMatchObject({ stdout: "one\ntwo\n", stderr: "oh\n", isWhole: true });
  }
});

test("any byte may be in a frame", () => {
  const all = Buffer.from([...Array(256).keys()]);
  const head = frame(1, "", 256);
  expect(read([head, all]).stdout).toBe(all.toString("latin1"));
});

test("a frame that ends before its length gives what has come, and is not whole", () => {
  expect(read([frame(1, "half", 4_000_000_000)])).toMatchObject({
    stdout: "half",
    isWhole: false,
    bad: undefined,
  });
  expect(read([Buffer.from([1, 0, 0])]).isWhole).toBe(false);
});

test("bytes that are no frames are not taken for output", () => {
  for (const wrong of ["HTTP/1.1 200 OK\r\n", "\x03\0\0\0\0\0\0\x01x", "\x01\0\x01\0\0\0\0\x01x"]) {
    const found = read([Buffer.from(wrong, "latin1"), frame(1, "later")]);
    expect(found).toMatchObject({ stdout: "", bad: "its output is not in frames" });
  }
});
