import { expect, test } from "bun:test";
import fc from "fast-check";
import { byteExact, bytesOf, textOf } from "../../src/system/byte-text.ts";

test("any bytes become a text that JSON carries, and the same bytes again", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const text = JSON.parse(JSON.stringify(textOf(bytes))) as string;
      expect([...bytesOf(text)]).toEqual([...bytes]);
    }),
  );
});

test("a text without such bytes is what it was", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(textOf(Buffer.from(text))).toBe(text);
    }),
  );
  // The second half of a pair has the same number as a kept byte.
  const env = { A: "\u{1f480}", B: "\uFFFD" };
  expect(byteExact({ argv: ["x"], env })).toEqual({ argv: ["x"], env });
});

test("a program gets the bytes, whatever a shell makes of them, and nothing of them stands in an argument", async () => {
  const bytes = Buffer.from([
    ...Buffer.from("-n \\0 %s 'x' \"$A\" `b` ${c} \\c\t é"),
    ...[0x80, 0xff, 0xc3, 0x28, 0x01, 0x7f, 0x0a, 0x0a],
  ]);
  const env = {
    PATH: process.env.PATH!,
    VALUE: textOf(bytes),
    OTHER: "ö\n",
    "not-a-name": "\udcff",
  };
  const argv = ["/bin/sh", "-c", 'printf %s "$VALUE"; printf %s "$OTHER|$0" >&2; exit 7', "$x y"];
  const exact = byteExact({ argv, env });
  expect(exact.argv.join(" ")).not.toContain("c3");
  const child = Bun.spawn(exact.argv, { env: exact.env, stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([
    new Response(child.stdout).bytes(),
    new Response(child.stderr).text(),
  ]);
  expect([...out]).toEqual([...bytes]);
  expect(err).toBe("ö\n|$x y");
  expect(await child.exited).toBe(7);
});
