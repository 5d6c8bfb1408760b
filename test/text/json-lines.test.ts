/** JSON for a person: the same values as any JSON, and few lines. */
import { expect, test } from "bun:test";
import { jsonLines } from "../../src/text/json-lines.ts";

const values: unknown[] = [
  null,
  'a "text"\n',
  [],
  {},
  [1, [2, { three: [] }], "4"],
  { a: { b: { c: "x".repeat(200) } }, gone: undefined, list: Array.from({ length: 60 }, () => 1) },
];

test.each(values.map((value) => ({ value })))("$value is the same value again", ({ value }) => {
  for (const width of [10, 40, 100]) {
    expect(JSON.parse(jsonLines(value, { width }))).toEqual(JSON.parse(JSON.stringify(value)));
  }
});

test("what fits is on one line, and an entry a line where it does not", () => {
  const value = { id: "port", needs: [], op: { port: { name: "redis" } } };
  expect(jsonLines(value)).toBe(
    '{ "id": "port", "needs": [], "op": { "port": { "name": "redis" } } }',
  );
  expect(jsonLines(value, { width: 44 })).toBe(`{
  "id": "port",
  "needs": [],
  "op": { "port": { "name": "redis" } }
}`);
});

test("no line is wider than asked for, with what stands before and behind a value", () => {
  const value = Array.from({ length: 40 }, (_, at) => ({
    [`key-${"k".repeat(at)}`]: [at, { at }],
  }));
  for (const line of jsonLines(value, { width: 80 }).split("\n")) {
    expect(line.length).toBeLessThanOrEqual(80);
  }
});
