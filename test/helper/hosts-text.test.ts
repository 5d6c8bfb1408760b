/** A hosts file with blocks in it: the user's own is written and taken away again, and nothing else changes. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { editedHosts } from "../../src/helper/hosts-text.ts";
import { compiled } from "../support/own-etc.ts";
import { holdsFor } from "../support/property.ts";

const usual = "127.0.0.1\tlocalhost\n::1 localhost # ip6\n";
const api = ["# BEGIN localhostess 1000", "127.0.0.1 api.localhost", "::1 api.localhost"];
const block = `${[...api, "# END localhostess 1000"].join("\n")}\n`;
const another = "# BEGIN localhostess 1001\n::1 web.localhost\n# END localhostess 1001\n";

function edited(text: string, names: readonly string[], uid = 1000): string {
  const its = editedHosts(text, { uid, names });
  if (its.kind === "torn") throw new Error(`line ${its.line}: ${its.why}`);
  return its.text;
}

describe("a block", () => {
  test("stands at the end, and goes again", () => {
    expect(edited(usual, ["api.localhost"])).toBe(usual + block);
    expect(edited(usual + block, [])).toBe(usual);
    expect(edited("", ["api.localhost"])).toBe(block);
  });

  test("is replaced where it stands, beside that of another user", () => {
    const text = `${usual}${block}${another}10.0.0.1 db\n`;
    expect(edited(text, [])).toBe(`${usual}${another}10.0.0.1 db\n`);
    const two = edited(text, ["api.localhost", "web.localhost"]);
    expect(two.indexOf("127.0.0.1 web.localhost")).toBeLessThan(two.indexOf(another));
    expect(two.endsWith("10.0.0.1 db\n")).toBe(true);
  });

  test("behind a last line without an end leaves the file without one", () => {
    const open = usual.trimEnd();
    expect(edited(open, ["api.localhost"])).toBe(`${open}\n${block.trimEnd()}`);
    expect(edited(edited(open, ["api.localhost"]), [])).toBe(open);
  });

  test("has no name that somebody has given another line", () => {
    const text = `${usual}10.1.2.3 web API.localhost. # ours\n`;
    expect(editedHosts(text, { uid: 1000, names: ["api.localhost"] })).toEqual({
      kind: "text",
      text,
      leftOut: ["api.localhost"],
    });
    expect(edited(`# 10.1.2.3 api.localhost\n`, ["api.localhost"])).toEndWith(block);
  });

  test("of a user whose number begins like ours is not ours", () => {
    expect(edited(block, [], 100)).toBe(block);
    expect(edited(block, [], 10_000)).toBe(block);
  });
});

describe("a torn file is refused, with the line", () => {
  for (const [what, text, line] of [
    ["no end", `${usual}${api.join("\n")}\n`, 3],
    ["another user's without an end", "# BEGIN localhostess 7\n", 1],
    ["no begin", `${usual}# END localhostess 1000\n`, 3],
    ["twice", block + block, 5],
    ["one in another", `${api.join("\n")}\n${another}`, 4],
    ["another one's end", "# BEGIN localhostess 1000\n# END localhostess 1001\n", 2],
    ["a number with a zero in front", "# BEGIN localhostess 01000\n", 1],
    ["a blank behind the number", "# BEGIN localhostess 1000 \n", 1],
    ["no number", "# END localhostess\n", 1],
    ["no user", "# BEGIN localhostess 4294967295\n", 1],
    ["a NUL byte", "127.0.0.1 a\0b\n", 1],
  ] as const) {
    test(what, () => {
      expect(editedHosts(text, { uid: 1000, names: [] })).toMatchObject({ kind: "torn", line });
    });
  }

  test("but a comment that begins like a mark is none, and a carriage return behind one is no matter", () => {
    const comment = "# BEGIN localhostess's own\n#BEGIN localhostess 1\n # END localhostess 1\n";
    expect(edited(comment, [])).toBe(comment);
    expect(edited(block.replaceAll("\n", "\r\n"), [])).toBe("");
  });
});

const someLine = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom("", "127.0.0.1 localhost", "::1 a.localhost b", "# note"),
  },
  { weight: 3, arbitrary: fc.constantFrom(...block.trimEnd().split("\n"), "# BEGIN localhostess") },
  {
    weight: 2,
    arbitrary: fc.constantFrom(...another.trimEnd().split("\n"), "10.1.1.1 b.LOCALHOST."),
  },
  {
    weight: 1,
    arbitrary: fc
      .uint8Array({ maxLength: 12 })
      .map((bytes) => Buffer.from(bytes).toString("latin1")),
  },
);
const someText = fc
  .tuple(fc.array(someLine, { maxLength: 12 }), fc.constantFrom("", "\n", "\r\n"))
  .map(([lines, end]) => lines.join("\n") + end);
const someNames = fc
  .uniqueArray(fc.constantFrom("a.localhost", "api.localhost", "b.localhost", "c.test"))
  .map((names) => names.sort());

describe("for any text and names", () => {
  test("a second time changes nothing, and without names the text is as it was without the block", () => {
    holdsFor(
      fc.property(someText, someNames, (text, names) => {
        const once = editedHosts(text, { uid: 1000, names });
        if (once.kind === "torn") return;
        expect(edited(once.text, names)).toBe(once.text);
        expect(edited(once.text, [])).toBe(edited(text, []));
        if (!text.includes("BEGIN localhostess 1000")) expect(edited(once.text, [])).toBe(text);
      }),
      { runs: 2_000 },
    );
  }, 30_000);

  test("every line of others is kept, in its order", () => {
    const others = (text: string): string[] => {
      const [before = "", inside = ""] = text.split("# BEGIN localhostess 1000");
      const after = inside.split("# END localhostess 1000")[1] ?? "";
      return `${before}\n${after}`.split("\n").filter((line) => line.trim() !== "");
    };
    holdsFor(
      fc.property(someText, someNames, (text, names) => {
        const its = editedHosts(text, { uid: 1000, names });
        if (its.kind === "text") expect(others(its.text)).toEqual(others(text));
      }),
      { runs: 2_000 },
    );
  }, 30_000);
});

const canCompile = process.platform === "linux" && Bun.which("gcc") !== null;

test.skipIf(!canCompile)(
  "the program that is root's makes the same of any text (with gcc)",
  () => {
    const directory = mkdtempSync(join(tmpdir(), "localhostess-hosts-text-"));
    try {
      const program = join(directory, "edit-hosts");
      const own = resolve(import.meta.dir, "../support/edit-hosts.c");
      compiled([own, "hosts-text.c", "text.c"], { to: program, flags: ["-I."] });
      const cases = fc.sample(fc.tuple(someText, someNames), { numRuns: 4_000, seed: 16 });
      const input = cases.map(([text, names]) =>
        [`1000 ${names.length} ${text.length}`, ...names, text, ""].join("\n"),
      );
      const stdin = Buffer.from(input.join(""), "latin1");
      const done = Bun.spawnSync([program], { stdin, stdout: "pipe" });
      const expected = cases.map(([text, names]) => {
        const its = editedHosts(text, { uid: 1000, names });
        if (its.kind === "torn") return `torn ${its.line} ${its.why}\n`;
        return `text ${its.text.length} ${its.leftOut.length}\n${its.text}\n`;
      });
      expect(expected.filter((its) => its.startsWith("text")).length).toBeGreaterThan(1_000);
      expect(done.stdout.toString("latin1").split("\n")).toEqual(expected.join("").split("\n"));
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
  30_000,
);
