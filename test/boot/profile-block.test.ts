/** The block in a profile: put in, changed, taken out. */
import { expect, test } from "bun:test";
import { profileBlock, withBlock } from "../../src/boot/profile-block.ts";

const block = profileBlock("/usr/bin/localhostess", "posix");

test("it goes in once, is changed in its place, and leaves what was there before", () => {
  for (const before of ["", "a\n", "a", "a\r\nb\n"]) {
    const once = withBlock(before, block)!;
    expect(withBlock(once, block)).toBe(once);
    const other = profileBlock("/opt/it's/localhostess", "posix");
    expect(withBlock(`${once}z\n`, other)).toBe(`${once.replace(block, other)}z\n`);
    expect(withBlock(once, "")).toBe(before === "a" ? "a\n" : before);
    expect(withBlock(before, "")).toBe(before);
  }
});

test("markers that are no pair are nobody's to change", () => {
  const [begin, line, end] = block.split(/(?<=\n)/) as [string, string, string];
  for (const torn of [begin, end, end + line + begin, begin + begin + end, block + block]) {
    expect(withBlock(torn, block)).toBeUndefined();
    expect(withBlock(torn, "")).toBeUndefined();
  }
});

test("a shell runs it, does not wait, and prints nothing where the program is gone", () => {
  const gone = Bun.spawnSync(["sh", "-ec", profileBlock("/no such/localhostess", "posix")]);
  expect([gone.exitCode, gone.stdout.toString(), gone.stderr.toString()]).toEqual([0, "", ""]);
  const slow = Bun.spawnSync(["sh", "-ec", `${profileBlock("/bin/sleep", "posix")}echo on`]);
  expect(slow.stdout.toString()).toBe("on\n");
});
