import { expect, test } from "bun:test";
import { markIn, markOf } from "../../src/supervisor/family/mark.ts";
import { processCalls } from "../../src/system/process-calls.ts";

const limits = (soft: string, hard = "unlimited") =>
  `Limit                     Soft Limit           Hard Limit           Units     
Max realtime priority     0                    0                    
Max realtime timeout      ${soft.padEnd(20)} ${hard.padEnd(20)} us        
`;

test("two runs have two marks, and what is none of our run ids has none", () => {
  const one = markOf("0123456789abcdef0000000000000001");
  const other = markOf("0123456789abcdef0000000000000002");
  expect(one).toMatch(/^\d{19}$/);
  expect(other).not.toBe(one);
  expect(markOf("f".repeat(48))).toBe("5764607523034234879");
  for (const id of ["", "abc", "a run", "0123456789ABCDEF"]) expect(markOf(id)).toBeUndefined();
});

test("a mark is read where it is one, and a limit that a person has set is not", () => {
  const mark = markOf("f".repeat(48))!;
  expect(markIn(limits(mark))).toBe(mark);
  for (const other of ["unlimited", "0", "200000", "4611686018427387903", "99999999999999999999"]) {
    expect(markIn(limits(other))).toBeUndefined();
  }
  expect(markIn("")).toBeUndefined();
});

test.skipIf(process.platform !== "linux")(
  "a mark stays with all that comes of a process, and leaves this one as it was",
  async () => {
    const calls = processCalls("linux");
    const own = () => Bun.file("/proc/self/limits").text();
    const before = await own();
    const mark = markOf("0".repeat(33))!;
    const shown = calls.marked(mark, () =>
      Bun.spawn(["env", "-i", "/usr/bin/setsid", "/bin/sh", "-c", "(cat /proc/self/limits)"], {
        stdout: "pipe",
      }),
    );
    expect(await own()).toBe(before);
    expect(markIn(await shown.stdout.text())).toBe(mark);
    expect(() =>
      calls.marked(mark, () => {
        throw new Error("there is no shell");
      }),
    ).toThrow("there is no shell");
    expect(await own()).toBe(before);
    expect(calls.marked(undefined, () => 7)).toBe(7);
  },
);
