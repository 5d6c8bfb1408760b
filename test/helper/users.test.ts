import { expect, test } from "bun:test";
import { listedUsers } from "../../src/helper/users.ts";

const of = (text: string) =>
  Object.fromEntries([...listedUsers(text)].map(([id, its]) => [id, [...its]]));

test("a line for each user, with comments and blanks around it, and words that are not known", () => {
  expect(of("# who\n1000 ports hosts\n\t1001\tports # not hosts\n1002 dance\n\n")).toEqual({
    1000: ["ports", "hosts"],
    1001: ["ports"],
    1002: [],
  });
});

test("two lines of one user add up", () => {
  expect(of("7 hosts\n7 ports\n")).toEqual({ 7: ["hosts", "ports"] });
});

test("a last line that was cut off, and numbers that no user has, allow nothing", () => {
  expect(of("1000 ports\n100")).toEqual({ 1000: ["ports"] });
  expect(
    of("0x7 ports\n07 ports\n-1 ports\n4294967295 ports\n99999999999 ports\nann ports\n"),
  ).toEqual({});
});
