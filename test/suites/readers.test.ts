/** What the suites print, recorded and shortened, becomes scores; and the few parts of C# that cases are written in. */
import { describe, expect, test } from "bun:test";
import { readReport as readAutobahn } from "./autobahn.ts";
import { malformed } from "./h2-echo-server.ts";
import { readPrinted } from "./h1spec.ts";
import { readReport as readH2spec } from "./h2spec.ts";
import { methodsOf } from "./http11probe.ts";
import { answerIn } from "./http11probe-case.ts";
import { page } from "./page.ts";
import type { Score, Suite } from "./suite.ts";

test("h2spec's report: cases that failed have what came instead", () => {
  const report = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites><testsuite name="1. Starting" package="generic/1" id="1" tests="2">
  <testcase package="generic/1" classname="Sends a client connection preface" time="0.0021"></testcase>
  <testcase package="http2/5.3.1" classname="Sends a &#34;HEADERS&#34; frame" time="2.0">
    <failure><![CDATA[GOAWAY Frame (Error Code: PROTOCOL_ERROR)
Connection closed]]></failure><!-- -->
  </testcase><testcase package="hpack/4" classname="c" time="0"/></testsuite></testsuites>`;
  expect(readH2spec(report)).toEqual({
    passed: 2,
    total: 3,
    failures: [
      {
        name: 'http2/5.3.1 Sends a "HEADERS" frame',
        why: "GOAWAY Frame (Error Code: PROTOCOL_ERROR) Connection closed",
      },
    ],
  });
});

test("h1spec's lines: a tick is a pass, and the sum below them is none", () => {
  const printed = `✅ Valid GET request: Response Status Code 200, Expected ranges: [[200,299]]
✅ Fragmented method: Server waited successfully
❌ Multiple Host headers: Response Status Code 200, Expected ranges: [[400,499]]

2 out of 3 tests passed.`;
  const { passed, total, failures } = readPrinted(printed);
  expect([passed, total, failures.map(({ name }) => name)]).toEqual([
    2,
    3,
    ["Multiple Host headers"],
  ]);
});

test("Autobahn's index: a case passes if its messages and its close do", () => {
  const report = JSON.stringify({
    proxy: {
      "1.1.1": { behavior: "OK", behaviorClose: "OK" },
      "6.4.1": { behavior: "NON-STRICT", behaviorClose: "OK" },
      "7.1.6": { behavior: "INFORMATIONAL", behaviorClose: "INFORMATIONAL" },
      "7.5.1": { behavior: "OK", behaviorClose: "FAILED" },
      "2.1": { behavior: "FAILED", behaviorClose: "OK" },
    },
  });
  const { passed, failures } = readAutobahn(report);
  expect([passed, failures.map(({ name }) => name)]).toEqual([3, ["7.5.1", "2.1"]]);
});

describe("cases in C#", () => {
  const source = `
using System.Text;
public static class ASuite
{
    private const string Note = "a \\"note\\"";
    private static bool IsStatic(string body) => body == "OK";
    private static string? Header(Dictionary<string, string> headers, string name)
    {
        // Sets a name from inside a condition.
        if (!headers.TryGetValue(name, out var found)) return null;
        return found.Trim();
    }
    private static Func<int, string> Maker(params string[] all)
    {
        return code => { var n = 0; foreach (var it in all) { if (it.Length is >= 2 and < 4 or 9) n += 1; } return $"{n} of {all.Length}: {(code > 3 ? "more" : "less")}"; };
    }
    public static IEnumerable<TestCase> GetTestCases()
    {
        yield return new TestCase
        {
            Id = "A-CASE",
            Description = "what " + "it is",
            Category = TestCategory.Smuggling,
            Scored = false,
            PayloadFactory = ctx =>
            {
                const string body = "x\\x01\\r\\n";
                var cl = Encoding.ASCII.GetByteCount(body);
                byte[] more = [0xC3, (byte)'a'];
                var all = new byte[cl + more.Length];
                Encoding.ASCII.GetBytes(body).CopyTo(all, 0);
                more.CopyTo(all, cl);
                return all;
            },
            Expected = new ExpectedBehavior
            {
                ExpectedStatus = StatusCodeRange.Exact(400),
                CustomValidator = (response, state) =>
                {
                    if (response is null)
                        return state == ConnectionState.TimedOut ? TestVerdict.Pass : TestVerdict.Fail;
                    if (response.Body?.Length is null) return TestVerdict.Warn;
                    var b = response.Body ?? "";
                    if (b[1..^1] == "el" && !IsStatic(b)) return TestVerdict.Pass;
                    return response.StatusCode is not (400 or 501) ? TestVerdict.Error : TestVerdict.Fail;
                }
            }
        };
    }
}`;
  const methods = methodsOf(source) as Record<string, (...values: unknown[]) => unknown>;
  type Made = {
    Id: string;
    Scored: boolean;
    PayloadFactory(context: unknown): number[];
    Expected: {
      ExpectedStatus: unknown;
      CustomValidator(answer: unknown, state: string): string;
    };
  };
  const [one] = [...(methods.GetTestCases!() as Iterable<Made>)] as [Made];

  test("become values and functions", () => {
    expect(one.Id).toBe("A-CASE");
    expect(one.Scored).toBe(false);
    expect(one.PayloadFactory({})).toEqual([120, 1, 13, 10, 0xc3, 97]);
    expect(one.Expected.ExpectedStatus).toEqual({ from: 400, to: 400 });
  });

  test("judge as they are written", () => {
    const { CustomValidator } = one.Expected;
    const answer = (Body: string | null, StatusCode = 200): unknown => ({ Body, StatusCode });
    expect(CustomValidator(null, "TimedOut")).toBe("Pass");
    expect(CustomValidator(null, "Open")).toBe("Fail");
    expect(CustomValidator(answer(null), "Open")).toBe("Warn");
    expect(CustomValidator(answer("hell"), "Open")).toBe("Pass");
    expect(CustomValidator(answer("text"), "Open")).toBe("Error");
    expect(CustomValidator(answer("OK", 501), "Open")).toBe("Fail");
  });

  test("set names by out, walk lists, and match patterns", () => {
    const { Header, Maker } = methods;
    expect(Header!(new Map([["a", " b "]]), "a")).toBe("b");
    expect(Header!(new Map(), "a")).toBeNull();
    const made = Maker!("ab", "a", "abcd", "123456789") as (code: number) => string;
    expect([made(4), made(1)]).toEqual(["2 of 4: more", "2 of 4: less"]);
  });

  test("what is not known of C# says where it stands", () => {
    expect(() => methodsOf("class A\n{\n  static int F() { return ?; }\n}")).toThrow("line 3");
  });
});

test("an answer as Http11Probe reads it: fields of one name are joined, whatever their case", () => {
  const answer = answerIn("HTTP/1.1 200 OK\r\nA: 1\r\na: 2\r\n\r\nbody")!;
  expect([answer.StatusCode, answer.Headers.get("A"), answer.Body]).toEqual([200, "1, 2", "body"]);
  expect(answerIn("nonsense")).toBeNull();
});

test("a request of HTTP/2 is held to RFC 9113 by the server behind a proxy", () => {
  const get: [string, string][] = [
    [":method", "GET"],
    [":scheme", "http"],
    [":authority", "a"],
    [":path", "/a?b"],
  ];
  const wrong = (more: [string, string][], body = ""): string | undefined =>
    malformed({ fields: [...get, ...more], body });
  expect(wrong([["x-field", "1"]])).toBeUndefined();
  expect(wrong([["content-length", "2"]], "ab")).toBeUndefined();
  expect(wrong([["content-length", "3"]], "ab")).toBe("a length that is wrong");
  expect(wrong([["connection", "close"]])).toBe("connection in HTTP/2");
  expect(wrong([["X-Field", "1"]])).toContain("no name");
  expect(wrong([["x-field", "a\rb"]])).toBe("no value of x-field");
  expect(
    wrong([
      ["x-field", "1"],
      [":path", "/"],
    ]),
  ).toBe("a wrong :path");
});

test("the page has a row a suite, a column a proxy, and our failures with their reasons", () => {
  const suite = (title: string): Suite => ({
    label: title,
    title,
    behind: "echo",
    run: () => Promise.reject(new Error("not run")),
  });
  const target = (name: string) => ({
    name,
    version: "1",
    port: 1,
    securePort: 1,
    host: "a",
    control: "",
  });
  const text = page({
    rows: [
      {
        suite: suite("a suite"),
        scores: new Map<string, Score | string>([
          [
            "localhostess",
            { passed: 1, total: 2, failures: [{ name: "a case", why: "came 200" }] },
          ],
          ["nginx", "not offered"],
        ]),
      },
    ],
    notes: ["Caddy: not installed"],
    targets: [target("localhostess"), target("nginx")],
  });
  expect(text).toContain("| a suite | 1 of 2       | not offered |");
  expect(text).toContain("a case");
  expect(text).toContain("Caddy: not installed");
});
