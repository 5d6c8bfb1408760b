/** Answers to builds, as Docker's two builders and Podman give them, in every cut. */
import { expect, test } from "bun:test";
import { BuildOutput, failureText } from "../../../src/containers/build/build-output.ts";

type Heard = { lines: string[]; output: BuildOutput; texts: string[] };

function heard(values: readonly object[], { piece = 1e9 }: { piece?: number } = {}): Heard {
  const lines: string[] = [];
  const output = new BuildOutput({ line: (text) => void lines.push(text) });
  const texts = new Set<string>();
  const bytes = Buffer.from(values.map((its) => `${JSON.stringify(its)}\n`).join(""));
  for (let at = 0; at < bytes.length; at += piece) {
    output.take(bytes.subarray(at, at + piece));
    if (output.text !== undefined) texts.add(output.text);
  }
  output.end();
  return { lines, output, texts: [...texts] };
}

const streams = (...texts: readonly string[]): object[] => texts.map((stream) => ({ stream }));

const docker = [
  ...streams("Step 1/3 : FROM alpine", "\n"),
  { status: "Pulling from library/alpine", id: "latest" },
  { status: "Downloading", progressDetail: { current: 50, total: 200 }, id: "a1" },
  ...streams(
    " ---> 1d6081b54915\n",
    "Step 2/3 : RUN make",
    "\n",
    " ---> Running in d3d01957dbe2\n",
  ),
  ...streams("\u001b[91mwarning\n\u001b[0m", "half a ", "line"),
  ...streams("\nRemoving intermediate container d3d01957dbe2\n", " ---> f34f1ced303e\n"),
  { aux: { ID: "sha256:f34f" } },
  ...streams('Step 3/3 : LABEL localhostess.built="x"', "\n", " ---> 8f93\n"),
  { aux: { ID: "sha256:8f93" } },
  ...streams("Successfully built 8f937f0eec86\n", "Successfully tagged x:latest\n"),
];

test.each([1e9, 7, 1])("Docker's steps and output are shown, in pieces of %d bytes", (piece) => {
  const { lines, output } = heard(docker, { piece });
  expect(lines).toEqual([
    "Step 1/3 : FROM alpine",
    "Step 2/3 : RUN make",
    "\u001b[91mwarning",
    "\u001b[0mhalf a line",
  ]);
  expect(output).toMatchObject({ image: "sha256:8f93", failure: undefined, step: "3/3" });
});

test("progress is the step, and how far its image is pulled", () => {
  expect(heard(docker, { piece: 20 }).texts).toEqual([
    "step 1/3",
    "step 1/3, pulling 25 % of 200 B",
    "step 2/3",
    "step 3/3",
  ]);
});

test("Podman's steps have their stage", () => {
  const { lines, texts, output } = heard([
    ...streams(
      "[1/2] STEP 1/2: FROM busy AS base\n",
      "--> 6a7691be582\n",
      "[2/2] STEP 2/2: CMD x\n",
    ),
    ...streams("[2/2] COMMIT localhostess/x\n", `${"8".repeat(64)}\n`),
    { aux: { ID: "sha256:85bc" } },
  ]);
  expect(lines).toEqual(["[1/2] STEP 1/2: FROM busy AS base", "[2/2] STEP 2/2: CMD x"]);
  expect(texts).toEqual(["step 2/2 of stage 2/2"]);
  expect(output.image).toBe("sha256:85bc");
});

/** A field of protocol buffers: text or bytes, or a number. */
function field(number: number, value: string | Buffer | number): Buffer {
  if (typeof value === "number") return Buffer.from([number * 8, value]);
  const bytes = Buffer.from(value);
  expect(bytes.length).toBeLessThan(128);
  return Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes]);
}

const traced = (...fields: readonly Buffer[]): object => ({
  id: "moby.buildkit.trace",
  aux: Buffer.concat(fields).toString("base64"),
});

test("BuildKit's steps begin once, and the one that fails is named", () => {
  const step = (name: string, ...more: readonly Buffer[]): Buffer =>
    field(1, Buffer.concat([field(1, `sha256:${name}`), field(3, name), ...more]));
  const begun = field(5, field(1, 1));
  const { lines, texts, output } = heard(
    [
      traced(step("[internal] load build context", begun)),
      traced(step("[build 1/2] FROM alpine"), step("[build 2/2] RUN make")),
      traced(step("[build 1/2] FROM alpine", begun), step("[stage-1 1/2] FROM busy", begun)),
      traced(step("[build 2/2] RUN make", begun)),
      traced(step("[build 2/2] RUN make", begun)),
      traced(field(3, Buffer.concat([field(1, "sha256:x"), field(3, 1), field(4, "compiling\n")]))),
      traced(step("[build 2/2] RUN make", begun, field(7, "exit code: 2"))),
      {
        errorDetail: { message: "process did not complete: exit code: 2" },
        error: "x: exit code: 2",
      },
    ],
    { piece: 30 },
  );
  expect(lines.filter(Boolean)).toEqual([
    "Step 1/2 of build : FROM alpine",
    "Step 1/2 : FROM busy",
    "Step 2/2 of build : RUN make",
    "compiling",
  ]);
  expect(texts).toEqual(["step 1/2", "step 2/2 of build"]);
  expect(failureText({ output, dockerfile: "Dockerfile" })).toBe(
    "step 2/2 of build of Dockerfile failed with exit code 2: RUN make",
  );
});

test.each([
  [
    "The command '/bin/sh -c make' returned a non-zero code: 3",
    "failed with exit code 3: RUN make",
  ],
  [
    'building at STEP "RUN make": while running runtime: exit status 3\n',
    "failed with exit code 3: RUN make",
  ],
  ["no space left\non device", "failed: RUN make: no space left on device"],
  [
    'copier: stat: "/.git": no such file or directory',
    "no such file or directory; the repository's history is sent only if .dockerignore has the line !.git",
  ],
  ["x".repeat(1000), `RUN make: ${"x".repeat(240)}…`],
])("a failure %j is told with its step", (error, expected) => {
  const { output } = heard([...streams("Step 2/7 : RUN make\n"), { error }]);
  const text = failureText({ output, dockerfile: "web.Dockerfile" });
  expect(text).toStartWith("step 2/7 of web.Dockerfile failed");
  expect(text).toEndWith(expected);
});

test("an answer that ends without a word is a failure, too", () => {
  const { output } = heard([]);
  expect(failureText({ output, dockerfile: "Dockerfile" })).toBe(
    "Dockerfile cannot be built: the engine has ended it without a word",
  );
});

test("bytes that are no answer of an engine's say nothing, and are not kept", () => {
  const lines: string[] = [];
  const output = new BuildOutput({ line: (text) => void lines.push(text) });
  output.take(Buffer.from('{"stream":"'));
  for (let count = 0; count < 40; count++) output.take(Buffer.alloc(100_000, "x"));
  output.take(Buffer.from('\\n"}\n[1]\nnull\n{"stream":7,"aux":"%","id":"moby.buildkit.trace"}\n'));
  output.take(Buffer.from('{"id":"moby.buildkit.trace","aux":"CgX/////"}\n{"stream":"end\\n"}'));
  output.end();
  expect(lines).toEqual(["end"]);
  expect(output).toMatchObject({ image: undefined, failure: undefined, step: undefined });
});
