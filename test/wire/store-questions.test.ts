/** Answers of stores: whole, byte by byte, and with more behind. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { bsonFields, bsonOf } from "../../src/wire/bson.ts";
import { mongoCommand, mongoQuestion, mongoReply } from "../../src/wire/mongo-message.ts";
import { mysqlQuestion } from "../../src/wire/mysql-greeting.ts";
import { redisQuestion } from "../../src/wire/redis-ping.ts";
import type { StoreQuestion, StoreState } from "../../src/wire/store-answer.ts";

const serves: StoreState = { kind: "serves" };
const notYet = (why: string): StoreState => ({ kind: "not-yet", why });

type Answer = readonly [what: string, bytes: Uint8Array, state: StoreState];

const text = (its: string) => new Uint8Array(Buffer.from(its, "latin1"));
const hex = (its: string) => new Uint8Array(Buffer.from(its, "hex"));

/** The first is recorded from Redis 7.0.15, the others are the words of its source. */
const redis: readonly Answer[] = [
  ["a user, and PONG", text("+OK\r\n+PONG\r\n"), serves],
  [
    "a server without that user",
    text(
      "-WRONGPASS invalid username-password pair or user is disabled.\r\n-NOAUTH Authentication required.\r\n",
    ),
    serves,
  ],
  [
    "data that is being loaded",
    text("+OK\r\n-LOADING Redis is loading the dataset in memory\r\n"),
    notYet("LOADING Redis is loading the dataset in memory"),
  ],
  [
    "a script that does not end",
    text("+OK\r\n-BUSY Redis is busy running a script.\r\n"),
    notYet("BUSY Redis is busy running a script."),
  ],
  [
    "too many clients",
    text("-ERR max number of clients reached\r\n"),
    notYet("ERR max number of clients reached"),
  ],
];

/** Recorded from MariaDB 10.11.19. */
const greeting = hex(
  "640000000a352e352e352d31302e31312e31392d4d6172696144422d302b6465623132753100040000003470594b4e266d7500fef7080200ff81150000000000001d000000286133767b2a5b6d324d6f66006d7973716c5f6e61746976655f70617373776f726400",
);

const mysql: readonly Answer[] = [
  ["a greeting", greeting, serves],
  // As MySQL's documentation has them: before a login without SQLSTATE, and with it.
  [
    "a host that may not log in",
    Uint8Array.of(...[25, 0, 0, 0, 0xff, 0x6a, 0x04], ...text("Host '172.17.0.1' is not")).with(
      0,
      27,
    ),
    notYet("Host '172.17.0.1' is not"),
  ],
  [
    "too many connections",
    Uint8Array.of(...[29, 0, 0, 0, 0xff, 0x10, 0x04], ...text("#08004Too many connections")),
    notYet("Too many connections"),
  ],
];

/** `hello` of MongoDB 7, by the documentation of its reply; the values that are no fields of ours stand in between. */
function reply(document: Record<string, unknown>): Uint8Array {
  const parts = Object.entries(document).map(([key, value]) => {
    if (value instanceof Uint8Array)
      return Buffer.concat([value.subarray(0, 1), Buffer.from(`${key}\0`), value.subarray(1)]);
    if (typeof value === "number") {
      const double = Buffer.alloc(8);
      double.writeDoubleLE(value);
      return Buffer.concat([Buffer.from(`\x01${key}\0`), double]);
    }
    return Buffer.from(bsonOf({ [key]: value as string })).subarray(4, -1);
  });
  const body = Buffer.concat([Buffer.alloc(4), ...parts, Buffer.alloc(1)]);
  body.writeInt32LE(body.length);
  const head = Buffer.alloc(21);
  for (const [at, its] of [head.length + body.length, 7, 1, 2013].entries())
    head.writeInt32LE(its, 4 * at);
  return new Uint8Array(Buffer.concat([head, body]));
}

const dateTime = Uint8Array.of(9, 1, 2, 3, 4, 5, 6, 7, 8);
const int64 = Uint8Array.of(18, 1, 2, 3, 4, 5, 6, 7, 8);
const objectId = Uint8Array.of(7, ...Array.from({ length: 12 }, () => 5));

const mongo: readonly Answer[] = [
  [
    "a server that takes writes",
    reply({
      isWritablePrimary: true,
      topologyVersion: { processId: "x" },
      id: objectId,
      maxBsonObjectSize: 16_777_216,
      localTime: dateTime,
      counter: int64,
      minWireVersion: 0,
      readOnly: false,
      hosts: ["a:1", "b:2"],
      ok: 1,
    }),
    serves,
  ],
  [
    "a member that takes none yet",
    reply({ isWritablePrimary: false, secondary: true, ok: 1 }),
    notYet("it is no writable primary"),
  ],
  [
    "a server that refuses the question",
    reply({ ok: 0, errmsg: "node is shutting down", code: 91 }),
    notYet("node is shutting down"),
  ],
];

const all: readonly (readonly [string, StoreQuestion, readonly Answer[]])[] = [
  ["redis", redisQuestion, redis],
  ["mysql", mysqlQuestion, mysql],
  ["mongodb", mongoQuestion, mongo],
];

for (const [name, question, answers] of all) {
  describe(name, () => {
    test.each(answers.map((its) => [...its] as const))("%s", (_, bytes, value) => {
      const done = { kind: "done", value, end: bytes.length } as const;
      expect(question.answer(bytes)).toEqual(done);
      for (let length = 0; length < bytes.length; length++) {
        expect(question.answer(bytes.slice(0, length))).toEqual({ kind: "more" });
      }
      expect(question.answer(Uint8Array.of(...bytes, ...bytes))).toEqual(done);
    });

    test("another protocol is bad, however little of it has come", () => {
      for (const other of ["HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n"]) {
        expect(question.answer(text(other)).kind).toBe("bad");
      }
    });

    test("whatever comes has one of three outcomes", () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
          expect(["done", "more", "bad"]).toContain(question.answer(bytes).kind);
        }),
      );
    });

    test("an answer of which a byte is another one has one of three outcomes", () => {
      for (const [, bytes] of answers) {
        for (let at = 0; at < bytes.length; at++) {
          for (const octet of [0, 1, 0x7f, 0x80, 0xff]) {
            expect(["done", "more", "bad"]).toContain(question.answer(bytes.with(at, octet)).kind);
          }
        }
      }
    });
  });
}

test("a line of Redis that does not end is bad", () => {
  expect(redisQuestion.answer(text("+".padEnd(2000, "x"))).kind).toBe("bad");
});

test("control characters of a server are not shown", () => {
  const { value } = redisQuestion.answer(text("+OK\r\n-LOADING \x1b[31mred\r\n")) as {
    value: StoreState;
  };
  expect(value).toEqual(notYet("LOADING  [31mred"));
});

test("a command of MongoDB, byte for byte", () => {
  expect(Buffer.from(mongoCommand({ ping: 1, $db: "a" })).toString("hex")).toBe(
    "2f000000" +
      "01000000" +
      "00000000" +
      "dd070000" +
      "00000000" +
      "00" +
      "1a000000" +
      "1070696e670001000000" +
      "02246462000200000061" +
      "00" +
      "00",
  );
});

test("the fields of a document are those that were written into it", () => {
  const value = fc.oneof(
    fc.boolean(),
    fc.string().map((its) => its.replaceAll("\0", "")),
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  );
  const key = fc
    .string({ minLength: 1 })
    .filter((its) => !its.includes("\0") && its !== "__proto__" && !/^\d+$/.test(its));
  fc.assert(
    fc.property(fc.dictionary(key, value), (document) => {
      expect(bsonFields(bsonOf(document))).toEqual(new Map(Object.entries(document)));
    }),
  );
});

test("a reply of MongoDB that is longer than any we ask for is bad", () => {
  expect(mongoReply(Uint8Array.of(0, 0, 0, 1)).kind).toBe("bad");
});
