import { describe, expect, test } from "bun:test";
import {
  CreatorOutput,
  endingText,
  unstartedText,
} from "../../../src/containers/build/creator-output.ts";

type Heard = { lines: string[]; phases: string[]; output: CreatorOutput };

function heard(pieces: readonly (readonly ["stdout" | "stderr", string])[]): Heard {
  const lines: string[] = [];
  const phases: string[] = [];
  const output = new CreatorOutput({
    line: (text) => lines.push(text),
    phase: (phase) => phases.push(phase),
  });
  for (const [stream, text] of pieces) output.take(stream, Buffer.from(text));
  output.end();
  return { lines, phases, output };
}

describe("the output of a lifecycle", () => {
  const text =
    "===> ANALYZING\nnothing before\n\x1b[36m===> DETECTING\x1b[0m\r\na 1.0\n===> ELSE\nend";

  test("is lines, some of which say that a phase begins, however its bytes come", () => {
    const whole = heard([["stdout", text]]);
    const single = heard([...text].map((its) => ["stdout", its] as const));
    expect(whole.phases).toEqual(["analyzing", "detecting"]);
    expect(single).toMatchObject({ lines: whole.lines, phases: whole.phases });
    expect(whole.lines).toHaveLength(6);
    expect(whole.output.phase).toBe("detecting");
    expect(whole.output.last).toBe("end");
  });

  test("of two streams is not mixed within a line", () => {
    const { lines } = heard([
      ["stdout", "one "],
      ["stderr", "ERROR: first\n"],
      ["stdout", "line\n"],
      ["stderr", "ERROR: second\n"],
    ]);
    expect(lines).toEqual(["ERROR: first", "one line", "ERROR: second"]);
  });

  test("of which a line has no end is cut, and not held", () => {
    const { lines } = heard([["stdout", "x".repeat(200_000)]]);
    expect(lines.map((its) => its.length)).toEqual([65536, 65536, 65536, 3392]);
  });

  test("tells the first failure that the lifecycle itself names", () => {
    const { output } = heard([["stderr", "ERROR: no group passed\nERROR: failed to detect\n"]]);
    expect(output.failure).toBe("no group passed");
  });
});

describe("the end of a lifecycle", () => {
  const ended = (code: number, its: { phase?: string; failure?: string; last?: string } = {}) =>
    endingText({
      ...{ code, builder: "b:1", folder: "/shop" },
      output: { phase: undefined, failure: undefined, last: "", ...its } as never,
    });

  for (const [code, its, sentence] of [
    [11, {}, "b:1 refuses the Platform API that its labels name"],
    [12, {}, "has a buildpack of an API that its lifecycle does not know"],
    [20, {}, "no group of buildpacks of b:1 fits /shop; name those that do, in build ="],
    [21, {}, "b:1 failed while detecting: its lifecycle ended with exit code 21"],
    [
      31,
      { failure: "no access" },
      "failed while analyzing: its lifecycle ended with exit code 31: no access",
    ],
    [41, {}, "failed while restoring"],
    [
      51,
      { failure: "exit status 3" },
      "b:1 failed while building: a buildpack ended with exit code 51: exit status 3",
    ],
    [62, {}, "failed while exporting"],
    [1, { phase: "building" }, "failed while building: its lifecycle ended with exit code 1"],
    [137, {}, "failed before its first phase"],
    [
      1,
      { failure: "initialize docker client: dial unix /var/run/docker.sock: permission denied" },
      "b:1 may not use the socket of its engine",
    ],
    [
      127,
      { last: "[FATAL tini (7)] exec /cnb/lifecycle/creator failed: No such file or directory" },
      "b:1 has no /cnb/lifecycle/creator, which makes its images; use another builder",
    ],
    [
      126,
      { last: "[FATAL tini (7)] exec /cnb/lifecycle/creator failed: Exec format error" },
      "b:1 is for another architecture; use one for the engine's own",
    ],
  ] as const) {
    test(`with ${code}${its && "last" in its ? " of the init process" : ""} is a sentence: ${sentence.slice(0, 40)}`, () => {
      expect(ended(code, its)).toContain(sentence);
    });
  }

  test("that has never begun is a sentence, too", () => {
    const its = { builder: "b:1", socket: "/run/p.sock" };
    expect(unstartedText('exec: "/cnb/lifecycle/creator": stat: no such file', its)).toContain(
      "b:1 has no /cnb/lifecycle/creator",
    );
    expect(
      unstartedText("invalid mount config: bind source path does not exist: /run/p.sock", its),
    ).toContain("the engine cannot mount its own socket /run/p.sock, by which b:1 makes images");
    expect(unstartedText("out of memory", its)).toBe("b:1 cannot be run: out of memory");
  });
});
