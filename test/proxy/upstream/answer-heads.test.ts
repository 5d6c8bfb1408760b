import { expect, test } from "bun:test";
import { AnswerHeads } from "../../../src/proxy/upstream/answer-heads.ts";
import { BodyReader } from "../../../src/wire/body.ts";
import { responseCases } from "../../corpus/responses.ts";
import { latin1Bytes, latin1Text } from "../../support/latin1.ts";

/** Above this every cut takes longer than it tells. */
const short = 160;

/** Octets from the first cut to the second. */
const distances = [1, 20, 60];

/** All heads that are read, and the body's content; or why not. */
function outcomeOf(heads: AnswerHeads, pieces: readonly Uint8Array[]): string {
  const body = new BodyReader({ lenient: true });
  let told = "";
  let inBody = false;
  const readBody = (bytes: Uint8Array, from: number): void => {
    const content = (start: number, end: number): void => {
      told += latin1Text(bytes.subarray(start, end));
    };
    let at = from;
    do at = body.read(bytes, at, content);
    while (body.patch !== undefined);
  };
  heads.begin({ headRequest: false });
  for (const piece of pieces) {
    if (inBody) {
      readBody(piece, 0);
      continue;
    }
    heads.add(piece);
    for (;;) {
      const outcome = heads.next();
      if (outcome?.kind === "bad") return `${told} bad`;
      if (outcome !== undefined) break;
      const { head, bytes, framing } = heads;
      const fields = Array.from({ length: head.fieldCount }, (_, n) => head.valueOf(bytes, n));
      told += `${head.status} ${fields.join("|")} ${framing.bodyLength} ${heads.mended}\n`;
      if (head.status < 200) continue;
      inBody = true;
      body.begin(framing.bodyLength);
      readBody(bytes, heads.end);
      break;
    }
  }
  return `${told}${body.bad === undefined ? "" : " bad"} ${body.done}`;
}

test("an answer of the corpus that is cut wherever, has the heads and the body that it has as a whole", () => {
  const heads = new AnswerHeads();
  const problems: string[] = [];
  for (const { name, bytes: text } of responseCases) {
    if (text.length > short) continue;
    const bytes = latin1Bytes(text);
    const whole = outcomeOf(new AnswerHeads(), [bytes]);
    const cuts = Array.from({ length: bytes.length - 1 }, (_, n) => n + 1).flatMap((cut) =>
      distances.map((distance) => [cut, Math.min(bytes.length, cut + distance)] as const),
    );
    for (const [cut, second] of cuts) {
      // The first octet alone, because a head is read from its beginning again when it is first held.
      const pieces = [0, 1, cut, second].map((from, n, all) => bytes.slice(from, all[n + 1]));
      const inPieces = outcomeOf(
        heads,
        pieces.filter(({ length }) => length > 0),
      );
      // Where a body is malformed, its beginning may have come before.
      if (inPieces === whole || (whole.includes("bad") && inPieces.includes("bad"))) continue;
      problems.push(`${name}, cut at ${cut} and ${second}: ${inPieces} and not ${whole}`);
      break;
    }
  }
  expect(problems).toEqual([]);
});
