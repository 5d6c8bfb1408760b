import { expect, test } from "bun:test";
import {
  errorFields,
  postgresQuestion,
  readStartAnswer,
  startupPacket,
} from "../../src/wire/postgres.ts";

function message(type: string, body: Uint8Array | string): Uint8Array {
  const bytes = Buffer.from(body as string, "latin1");
  const head = Buffer.alloc(5);
  head.write(type, "latin1");
  head.writeUInt32BE(4 + bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

function error(code: string, text: string, type = "E"): Uint8Array {
  return message(type, `SFATAL\0VFATAL\0C${code}\0M${text}\0Fpostmaster.c\0\0`);
}

const sasl = message("R", "\0\0\0\x0aSCRAM-SHA-256\0\0");
const startsUp = error("57P03", "the database system is starting up");

/** A first answer, and what it means. */
const answers: readonly [string, Uint8Array, object][] = [
  ["asks for a password", sasl, { kind: "serves" }],
  ["needs no password", message("R", "\0\0\0\0"), { kind: "serves" }],
  ["starts up", startsUp, { kind: "not-yet", why: "the database system is starting up" }],
  ["is full", error("53300", "sorry, too many clients already"), { kind: "serves" }],
  ["knows no such user", error("28000", "role does not exist"), { kind: "serves" }],
  [
    "says a word about versions, and warns, before it asks",
    Buffer.concat([message("v", "\0\x03\0\0\0\0\0\0"), error("01000", "a warning", "N"), sasl]),
    { kind: "serves" },
  ],
  [
    "cannot make a process for the connection",
    Buffer.from("Ecould not fork new process for connection: no memory\n\0", "latin1"),
    { kind: "not-yet", why: "could not fork new process for connection: no memory" },
  ],
];

for (const [name, bytes, state] of answers) {
  test(`a server that ${name} is understood, whole, byte by byte, and with more behind it`, () => {
    const done = { kind: "done", value: state, end: bytes.length };
    expect(postgresQuestion.answer(bytes)).toEqual(done as never);
    expect(postgresQuestion.answer(Buffer.concat([bytes, bytes, bytes]))).toEqual(done as never);
    for (let length = 0; length < bytes.length; length++) {
      expect(postgresQuestion.answer(bytes.subarray(0, length))).toEqual({ kind: "more" });
    }
  });
}

test("bytes that no server of PostgreSQL sends are bad, whatever follows", () => {
  for (const bytes of [
    Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"),
    Buffer.from([0x15, 3, 1, 0, 2, 2, 40]),
    message("R", "\0\0"),
    Buffer.from([0x52, 0, 0, 0, 3, 0]),
    Buffer.from([0x52, 0x7f, 0xff, 0xff, 0xff, 0]),
    Buffer.concat([Buffer.from("E"), Buffer.alloc(40_000, 0x61)]),
  ]) {
    expect(readStartAnswer(bytes)).toMatchObject({ kind: "bad" });
  }
});

test("an answer without end is never more than is read of it", () => {
  const notices = Buffer.concat(Array.from({ length: 50 }, () => error("01000", "again", "N")));
  expect(readStartAnswer(notices)).toEqual({ kind: "more" });
});

test("fields of an error are read by their letters; one that is cut off is left out", () => {
  const body = Buffer.from("SFATAL\0C57P03\0Mnot now\0Cagain\0\0rest", "latin1");
  expect(errorFields(body)).toEqual({ S: "FATAL", C: "57P03", M: "not now" });
  expect(errorFields(Buffer.from("Mnot now\0Cno end", "latin1"))).toEqual({ M: "not now" });
  expect(errorFields(new Uint8Array())).toEqual({});
});

test("the first packet has its length, version 3.0, and the parameters", () => {
  expect(Buffer.from(startupPacket({ user: "ä", database: "b" })).toString("latin1")).toBe(
    "\0\0\0\x1c\0\x03\0\0user\0\xc3\xa4\0database\0b\0\0",
  );
});
