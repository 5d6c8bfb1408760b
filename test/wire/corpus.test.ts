/** The byte corpus through the parsers alone: the same verdict for every way in which the bytes may arrive. */
import { expect, test } from "bun:test";
import { CHUNKED } from "../../src/wire/framing.ts";
import type { RequestCase } from "../corpus/request-case.ts";
import { requestCases } from "../corpus/requests.ts";
import { latin1Bytes } from "../support/latin1.ts";
import { inPieces, type Outcome, RequestReader, whole } from "../support/read-request.ts";

const next = latin1Bytes("GET /next HTTP/1.1\r\nHost: api.localhost\r\n\r\n");

/** Above this an octet at a time, or every cut in two, takes longer than it tells. */
const short = 3_000;

/** What the decision has to be where the parsers have nothing against the request. */
const decisions: Record<number, readonly string[]> = {
  404: ["unknown"],
  421: ["misdirected", "unproxied"],
  508: ["proxy"],
};

function problemsOf({ verdict, bytes }: RequestCase, outcome: Outcome): string[] {
  const problems: string[] = [];
  const compare = (what: string, got: unknown, wanted: unknown): void => {
    if (Bun.deepEquals(got, wanted)) return;
    problems.push(
      `${what}: ${JSON.stringify(got)?.slice(0, 200)} and not ${JSON.stringify(wanted)}`,
    );
  };
  if (verdict.kind === "refused" && decisions[verdict.status] === undefined) {
    compare("outcome", outcome, { kind: "bad", status: verdict.status });
    return problems;
  }
  if (verdict.kind === "closed" && outcome.kind === "closed") return problems;
  if (outcome.kind !== "done") return [`outcome: ${JSON.stringify(outcome)} and not done`];
  if (verdict.kind === "refused") {
    compare("decision", decisions[verdict.status]!.includes(outcome.decision), true);
    return problems;
  }
  compare("end", outcome.end, bytes.length);
  if (verdict.kind === "closed") {
    compare("decision", ["close", "unknown"].includes(outcome.decision), true);
    return problems;
  }
  compare("decision", outcome.decision, verdict.kind === "answered" ? "own" : "proxy");
  if (verdict.kind === "answered") return problems;
  compare("body", outcome.body, verdict.body);
  compare("keepAlive", outcome.keepAlive, !verdict.last);
  compare("chunked", outcome.bodyLength === CHUNKED, verdict.framing === "chunked");
  compare("method", outcome.method, verdict.line.split(" ")[0]);
  const trailers = outcome.trailers.map(([name, value]) =>
    value ? `${name}: ${value}` : `${name}:`,
  );
  compare(
    "trailers",
    trailers.filter((line) => verdict.trailers.includes(line)),
    verdict.trailers,
  );
  return problems;
}

type Arriving = { bytes: Uint8Array; arrivals: number[] };

const shapes: Record<string, (bytes: Uint8Array) => Arriving[]> = {
  whole: (bytes) => [{ bytes, arrivals: whole(bytes) }],
  "octet by octet": (bytes) => [
    { bytes, arrivals: inPieces(bytes, bytes.length > short ? 61 : 1) },
  ],
  "with the next request behind it": (bytes) => {
    const both = new Uint8Array([...bytes, ...next]);
    return [{ bytes: both, arrivals: whole(both) }];
  },
  "cut in two, wherever": (bytes) =>
    bytes.length > short
      ? []
      : Array.from({ length: bytes.length - 1 }, (_, i) => ({
          bytes,
          arrivals: [i + 1, bytes.length],
        })),
};

for (const [shape, arrivalsOf] of Object.entries(shapes)) {
  test(`the parsers have one verdict for every request of the corpus: ${shape}`, () => {
    // One reader for all: nothing of a request may be left for the next.
    const reader = new RequestReader();
    const problems: string[] = [];
    for (const item of requestCases) {
      for (const { bytes, arrivals } of arrivalsOf(latin1Bytes(item.bytes))) {
        const found = problemsOf(item, reader.read(bytes, arrivals));
        for (const problem of found)
          problems.push(`${item.name}, arriving at ${arrivals}: ${problem}`);
        if (found.length > 0) break;
      }
    }
    expect(problems).toEqual([]);
  });
}

test("no beginning of a request that is forwarded is refused or taken for the whole", () => {
  const reader = new RequestReader();
  const problems: string[] = [];
  for (const { name, bytes: text, verdict } of requestCases) {
    if (verdict.kind !== "forwarded" || text.length > short) continue;
    const bytes = latin1Bytes(text);
    for (let end = 1; end < bytes.length; end++) {
      const { kind } = reader.read(bytes.subarray(0, end), [end]);
      if (kind !== "more") problems.push(`${name}: the first ${end} octets are ${kind}`);
    }
  }
  expect(problems).toEqual([]);
});
