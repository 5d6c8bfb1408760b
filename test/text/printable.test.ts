import { expect, test } from "bun:test";
import { printable } from "../../src/text/printable.ts";

test("ordinary text stays as it is", () => {
  expect(printable("bun dev --port 3000 café 日本 🙂")).toBe("bun dev --port 3000 café 日本 🙂");
});

test("control characters are shown as escapes", () => {
  expect(printable("a\x1b[31mb\nc\td\x7f\x9b\0")).toBe("a\\x1b[31mb\\x0ac\\x09d\\x7f\\x9b\\x00");
});

test("characters that turn or hide text are shown as escapes", () => {
  expect(printable("a\u202eb\u200bc\u2066d\ufeffe\u2028f\u00adg\u3164h")).toBe(
    "a\\u202eb\\u200bc\\u2066d\\ufeffe\\u2028f\\xadg\\u3164h",
  );
  expect(printable("\u{e0041}")).toBe("\\u{e0041}");
});

test("half a surrogate pair is shown as an escape", () => {
  expect(printable("a\ud800b")).toBe("a\\ud800b");
});

test("text beyond the limit is cut between characters and says so", () => {
  expect(printable("🙂🙂🙂🙂", 3)).toBe("🙂🙂…");
  expect(printable("🙂🙂🙂", 3)).toBe("🙂🙂🙂");
  expect(printable("x".repeat(5000))).toHaveLength(1000);
});
