/**
 * fast-check's choices into answers as servers write them that never read RFC 9112, with the parts that a client has to
 * get of them.
 */
import fc from "fast-check";

type Lines = [name: string, value: string][];

export type LaxAnswer = {
  /** Statuses of interim answers, in front of the answer's own. */
  interim: number[];
  status: number;
  /** As a client has to get them: folds joined, control characters replaced. */
  fields: Lines;
  framing: "length" | "chunked" | "close";
  body: string;
  trailers: Lines;
  /** One character an octet. */
  bytes: string;
};

const lettersOf = (text: string): fc.Arbitrary<string> => fc.constantFrom(...text);

/** Now and then a bare LF, or always, or never. */
const lineEnds = fc
  .tuple(fc.constantFrom(0, 0.3, 1), fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })))
  .map(
    ([share, choices]) =>
      () =>
        choices.next().value < share ? "\n" : "\r\n",
  );

const octet = (from: number, to: number): fc.Arbitrary<string> =>
  fc.integer({ min: from, max: to }).map((code) => String.fromCharCode(code));
/** Neither CR, LF nor NUL. */
const controlCharacter = fc.oneof(octet(1, 8), octet(11, 12), octet(14, 31), octet(127, 127));
const valueText = fc.string({
  unit: fc.oneof(
    { weight: 6, arbitrary: octet(33, 126) },
    { weight: 2, arbitrary: lettersOf(" \t") },
    { weight: 2, arbitrary: octet(128, 255) },
    { weight: 1, arbitrary: controlCharacter },
  ),
  maxLength: 12,
});

const blanks = fc.constantFrom("", " ", "\t", "  ");
const fold = fc.constantFrom(" ", "\t", "  ");

type Written = { name: string; parts: string[]; before: string; after: string; folds: string[] };

const field: fc.Arbitrary<Written> = fc
  .record({
    name: fc.string({ unit: lettersOf("abcXYZ019-_!~"), minLength: 1, maxLength: 6 }),
    parts: fc.array(valueText, { minLength: 1, maxLength: 3 }),
    before: blanks,
    after: blanks,
    folds: fc.array(fold, { minLength: 3, maxLength: 3 }),
  })
  .map((made) => ({ ...made, name: `X-l-${made.name}` }));

const outer = /^[ \t]+|[ \t]+$/g;

function meant({ name, parts }: Written): [string, string] {
  const joined = parts
    .map((part) => part.replace(outer, ""))
    .reduce((all, part) => {
      return `${all} ${part}`.replace(outer, "");
    });
  return [name, joined.replace(/[\x01-\x08\x0b-\x1f\x7f]/g, " ").replace(outer, "")];
}

function written({ name, parts, before, after, folds }: Written, end: () => string): string {
  const lines = parts.map((part, at) => (at === 0 ? part : `${folds[at]}${part}`));
  return `${name}${before}:${after}${lines.join(end())}${end()}`;
}

const zeros = fc.constantFrom("", "", "0", "000");
const content = fc.oneof(
  fc.string({ unit: octet(0, 255), maxLength: 30 }),
  fc.constantFrom("", "\r\n\r\n", "0\r\n\r\n", "\n\n", "HTTP/1.1 200 OK\n\n"),
);
const extension = fc.constantFrom(
  "",
  "",
  " ",
  "\t ",
  ";",
  ";a",
  ";a=b",
  ' ; a = "b"',
  ";a=\x01\xff",
  ";=",
  '; a="b;c" ',
);

const chunk = fc.record({
  data: content.filter((text) => text.length > 0),
  zeros,
  capitals: fc.boolean(),
  extension,
});

const framing = fc.oneof(
  fc.record({
    kind: fc.constant("length" as const),
    body: content,
    /** Zeros before each member; members of one array are one field's. */
    lengths: fc.array(fc.array(zeros, { minLength: 1, maxLength: 2 }), {
      minLength: 1,
      maxLength: 2,
    }),
    coding: fc.constantFrom(undefined, undefined, ""),
  }),
  fc.record({
    kind: fc.constant("chunked" as const),
    chunks: fc.array(chunk, { maxLength: 4 }),
    last: extension,
    trailers: fc.array(field, { maxLength: 2 }),
    codings: fc.constantFrom(
      ["chunked"],
      ["Chunked"],
      ["chunked,"],
      [", chunked"],
      ["", "chunked"],
    ),
    beside: fc.constantFrom(undefined, undefined, "Content-Length: 3", "content-length: 0, 0"),
  }),
  fc.record({ kind: fc.constant("close" as const), body: content }),
);

export const laxAnswer: fc.Arbitrary<LaxAnswer> = fc
  .record({
    interim: fc.array(fc.tuple(fc.constantFrom(100, 102, 103), fc.array(field, { maxLength: 2 })), {
      maxLength: 2,
    }),
    version: fc.constantFrom("HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0"),
    space: fc.constantFrom(" ", " ", "  "),
    status: fc.constantFrom(200, 404, 500, 302, 999),
    reason: fc.constantFrom("", " ", " OK", " O\x1bK\x7f", " \xe9t\xc3\xa9", "\tOK"),
    fields: fc.array(field, { maxLength: 3 }),
    framing,
    end: lineEnds,
  })
  .map(({ end, ...made }): LaxAnswer => {
    const lines = (list: readonly Written[]): string =>
      list.map((one) => written(one, end)).join("");
    const interim = made.interim.map(
      ([status, fields]) => `HTTP/1.1 ${status} x${end()}${lines(fields)}${end()}`,
    );
    let body = "";
    let raw = "";
    let trailers: Lines = [];
    const framed: string[] = [];
    if (made.framing.kind === "chunked") {
      const { codings, beside, chunks, last } = made.framing;
      framed.push(...codings.map((coding) => `Transfer-Encoding: ${coding}`));
      if (beside !== undefined) framed.push(beside);
      for (const { data, zeros: padding, capitals, extension: extra } of chunks) {
        const size = padding + data.length.toString(16);
        raw += `${capitals ? size.toUpperCase() : size}${extra}${end()}${data}${end()}`;
        body += data;
      }
      trailers = made.framing.trailers.map(meant);
      raw += `0${last}${end()}${lines(made.framing.trailers)}${end()}`;
    } else {
      body = made.framing.body;
      raw = body;
      if (made.framing.kind === "length") {
        const { lengths, coding } = made.framing;
        const its = (members: readonly string[]): string =>
          members.map((padding) => `${padding}${body.length}`).join(", ");
        framed.push(...lengths.map((members) => `Content-Length: ${its(members)}`));
        if (coding !== undefined) framed.push(`Transfer-Encoding: ${coding}`);
      }
    }
    const head = `${made.version}${made.space}${made.status}${made.reason}${end()}`;
    const rest = framed.map((line) => line + end()).join("");
    return {
      interim: made.interim.map(([status]) => status),
      status: made.status,
      fields: made.fields.map(meant),
      framing: made.framing.kind,
      body,
      trailers,
      bytes: `${interim.join("")}${head}${lines(made.fields)}${rest}${end()}${raw}`,
    };
  });
