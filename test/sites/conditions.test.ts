import { expect, test } from "bun:test";
import { isSameVersion, verdictOn } from "../../src/sites/conditions.ts";

const version = { tag: '"a1"', modified: Date.parse("Sun, 06 Nov 1994 08:49:37 GMT") };
const before = "Sun, 06 Nov 1994 08:49:36 GMT";
const same = "Sun, 06 Nov 1994 08:49:37 GMT";
const after = "Sun, 06 Nov 1994 08:49:38 GMT";

function judged(fields: Record<string, string>): string {
  return verdictOn((name) => fields[name], version);
}

test("If-None-Match beats If-Modified-Since, and is compared weakly", () => {
  for (const [fields, verdict] of [
    [{}, "send"],
    [{ "if-none-match": '"a1"' }, "not modified"],
    [{ "if-none-match": 'W/"a1"' }, "not modified"],
    [{ "if-none-match": '"x", W/"a1"' }, "not modified"],
    [{ "if-none-match": "*" }, "not modified"],
    [{ "if-none-match": '"a,1", "b"' }, "send"],
    [{ "if-none-match": "a1" }, "send"],
    [{ "if-none-match": '"b"', "if-modified-since": same }, "send"],
    [{ "if-none-match": '"a1"', "if-modified-since": before }, "not modified"],
    [{ "if-modified-since": same }, "not modified"],
    [{ "if-modified-since": after }, "not modified"],
    [{ "if-modified-since": before }, "send"],
    [{ "if-modified-since": "Sun Nov  6 08:49:37 1994" }, "not modified"],
    [{ "if-modified-since": "yesterday" }, "send"],
    [{ "if-modified-since": "784111777" }, "send"],
  ] as [Record<string, string>, string][]) {
    expect({ fields, verdict: judged(fields) }).toEqual({ fields, verdict });
  }
});

test("If-Match and If-Unmodified-Since fail for another version, and If-Match needs a strong tag", () => {
  for (const [fields, verdict] of [
    [{ "if-match": '"a1"' }, "send"],
    [{ "if-match": "*" }, "send"],
    [{ "if-match": '"b", "a1"' }, "send"],
    [{ "if-match": 'W/"a1"' }, "precondition failed"],
    [{ "if-match": '"b"' }, "precondition failed"],
    [{ "if-match": '"a1"', "if-unmodified-since": before }, "send"],
    [{ "if-unmodified-since": before }, "precondition failed"],
    [{ "if-unmodified-since": same }, "send"],
    [{ "if-match": '"b"', "if-none-match": '"a1"' }, "precondition failed"],
    [{ "if-match": '"a1"', "if-none-match": '"a1"' }, "not modified"],
  ] as [Record<string, string>, string][]) {
    expect({ fields, verdict: judged(fields) }).toEqual({ fields, verdict });
  }
});

test("a range goes on only with the version that its part is of", () => {
  expect(isSameVersion(undefined, version)).toBe(true);
  expect(isSameVersion('"a1"', version)).toBe(true);
  expect(isSameVersion('W/"a1"', version)).toBe(false);
  expect(isSameVersion('"a2"', version)).toBe(false);
  expect(isSameVersion(same, version)).toBe(true);
  expect(isSameVersion(after, version)).toBe(false);
  expect(isSameVersion("rubbish", version)).toBe(false);
});
