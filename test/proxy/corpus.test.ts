/** The byte corpus: every case whole, an octet at a time, and with the next request behind it, through a real proxy. */
import { expect, test } from "bun:test";
import type { RequestCase, Verdict } from "../corpus/request-case.ts";
import { requestCases } from "../corpus/requests.ts";
import { latin1Bytes } from "../support/latin1.ts";
import { connectRaw } from "../support/raw-end.ts";
import { echo, type RawServer } from "../support/raw-server.ts";
import { readAnswers, type Message } from "../support/strict-reader.ts";
import { withProxies } from "../support/with-proxies.ts";

const shapes = [
  "whole",
  "octet by octet",
  "with the next request behind it",
  "behind another request",
] as const;
type Shape = (typeof shapes)[number];

const next = "GET /next HTTP/1.1\r\nHost: api.localhost\r\n\r\n";

/** Longer ones come octet by octet at both ends, and in larger pieces between. */
const edge = 300;

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const inner = at >= edge && at + edge < bytes.length;
    const end = inner ? Math.min(at + 997, bytes.length - edge) : at + 1;
    yield bytes.subarray(at, end);
    at = end;
  }
}

type Seen = {
  upstream: Message[];
  upstreamFault: string | undefined;
  answers: Message[];
  answerFault: string | undefined;
  /** What a client got behind its last complete answer. */
  rest: string;
};

async function run(
  { bytes, verdict }: RequestCase,
  shape: Shape,
  { port, upstream }: { port: number; upstream: RawServer },
): Promise<Seen> {
  const requestsBefore = upstream.requests.length;
  const faultsBefore = upstream.faults.length;
  const methods = [methodOf(bytes), "GET"];
  if (shape === "behind another request") methods.reverse();
  const client = await connectRaw(port);
  if (shape === "octet by octet") {
    for (const piece of piecesOf(latin1Bytes(bytes))) {
      if (client.over) break;
      await client.sendEach(piece, piece.length);
    }
  } else {
    const before = shape === "behind another request" ? next : "";
    const after = shape === "with the next request behind it" ? next : "";
    client.send(before + bytes + after);
  }
  const goesOn = verdict.kind === "answered" || (verdict.kind === "forwarded" && !verdict.last);
  if (goesOn && shape === "whole") {
    client.finish();
  } else if (goesOn) {
    // A client that ends first keeps its port from others for a minute, so not all of them do.
    const wanted = shape === "octet by octet" ? 1 : 2;
    await client.enough(
      (text) => readAnswers(text, { methods, ended: false }).messages.length >= wanted,
    );
    client.reset();
  }
  await client.rest();
  const { text } = client;
  client.reset();
  const answers = readAnswers(text, { methods, ended: true });
  return {
    upstream: upstream.requests.slice(requestsBefore),
    upstreamFault: upstream.faults[faultsBefore]?.message,
    answers: answers.messages,
    answerFault: answers.fault,
    rest: answers.rest,
  };
}

function methodOf(bytes: string): string {
  return /^(?:\r\n)*([^ ]*)/.exec(bytes)![1]!;
}

const nextLine = "GET /next HTTP/1.1";

function lineOf({ method, target }: Message): string {
  return `${method} ${target} HTTP/1.1`;
}

/** The lines of a message's head; white space around values is not part of them. */
function linesOf(fields: Message["fields"]): string[] {
  return fields.map(([name, value]) => (value === "" ? `${name}:` : `${name}: ${value}`));
}

type Expected = { statuses: number[]; lines: string[] };

function expected(verdict: Verdict, withNext: boolean): Expected {
  switch (verdict.kind) {
    case "refused":
      return { statuses: [verdict.status], lines: [] };
    case "closed":
      return { statuses: [], lines: [] };
    case "answered":
      return withNext
        ? { statuses: [verdict.status, 200], lines: [nextLine] }
        : { statuses: [verdict.status], lines: [] };
    case "forwarded":
      return withNext && !verdict.last
        ? { statuses: [200, 200], lines: [verdict.line, nextLine] }
        : { statuses: [200], lines: [verdict.line] };
  }
}

function problemsOf(
  { verdict }: RequestCase,
  shape: Shape,
  { seen, port }: { seen: Seen; port: number },
): string[] {
  const problems: string[] = [];
  const compare = (what: string, got: unknown, wanted: unknown): void => {
    if (Bun.deepEquals(got, wanted)) return;
    const show = (value: unknown): string => JSON.stringify(value)?.slice(0, 300) ?? "nothing";
    problems.push(`${what}: ${show(got)} and not ${show(wanted)}`);
  };
  const want = expected(verdict, shape === "with the next request behind it");
  const before = shape === "behind another request" ? 1 : 0;
  if (before === 1) {
    want.statuses.unshift(200);
    want.lines.unshift(nextLine);
  }
  compare("malformed for the upstream", seen.upstreamFault, undefined);
  compare("malformed for the client", seen.answerFault, undefined);
  compare("behind the last answer", seen.rest, "");
  compare(
    "statuses",
    seen.answers.map(({ status }) => status),
    want.statuses,
  );
  compare("requests upstream", seen.upstream.map(lineOf), want.lines);
  const first = seen.upstream[before];
  if (verdict.kind !== "forwarded" || first === undefined) return problems;
  compare("framing", first.framing, verdict.framing);
  compare("body", first.body, verdict.body);
  compare("trailers", linesOf(first.trailers), verdict.trailers);
  const lines = linesOf(first.fields);
  const has = verdict.has.map((line) => line.replace("{port}", String(port)));
  compare(
    "fields",
    lines.filter((line) => has.includes(line)),
    has,
  );
  for (const name of verdict.lacks) {
    // What we say ourselves of the hop is no field of the client's.
    const found = first.fields.filter(([candidate]) => candidate.toLowerCase() === name);
    compare(`field ${name}`, found, []);
  }
  return problems;
}

for (const shape of shapes) {
  test(`every request of the corpus has its verdict: ${shape}`, async () => {
    const problems: string[] = [];
    await withProxies(requestCases, echo, async (item, { port }, upstream) => {
      // TLS is told from HTTP by a connection's first octet only.
      if (shape === "behind another request" && item.bytes.startsWith("\x16")) return;
      const found = await run(item, shape, { port, upstream }).then(
        (seen) => problemsOf(item, shape, { seen, port }),
        (error: Error) => [error.message],
      );
      for (const problem of found) problems.push(`${item.name} (${item.source}): ${problem}`);
    });
    expect(problems.sort()).toEqual([]);
  });
}
