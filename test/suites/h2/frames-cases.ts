/** RFC 9113 sections 4 to 6: frames that end a connection or a stream, and those that are to be ignored. */
import { FrameType } from "../../../src/wire/h2/frame.ts";
import { type Case, fieldsOf } from "./case.ts";
import { blockOf, type H2Client, settingsOf } from "./client.ts";

type Send = Case["send"];

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};

const { data, headers, priority, resetStream, settings, pushPromise, ping, windowUpdate } =
  FrameType;
const { goAway, continuation } = FrameType;

const ends = (rows: readonly [name: string, send: Send][]): Case[] =>
  rows.map(([name, send]) => ({ name, verdict: "refused", send, connection: true }));

const section = (place: Parameters<Send>[1], changes = {}): Buffer =>
  blockOf(fieldsOf(place, changes));

const setting =
  (id: number, value: number): Send =>
  (client) =>
    client.frame(settings, { payload: settingsOf([[id, value]]) });

const open = (client: H2Client, place: Parameters<Send>[1]): void =>
  client.headers(1, fieldsOf(place, { pseudo: { ":method": "POST" } }), { end: false });

const connectionErrors: Case[] = ends([
  ["DATA on stream 0", (client) => client.frame(data, { payload: Buffer.from("x") })],
  [
    "HEADERS on stream 0",
    (client, place) => client.frame(headers, { flags: 5, payload: section(place) }),
  ],
  [
    "HEADERS on an even stream",
    (client, place) => client.frame(headers, { flags: 5, stream: 2, payload: section(place) }),
  ],
  [
    "PUSH_PROMISE of a client",
    (client, place) =>
      client.frame(pushPromise, {
        flags: 4,
        stream: 1,
        payload: Buffer.concat([uint32(2), section(place)]),
      }),
  ],
  [
    "DATA on an idle stream",
    (client) => client.frame(data, { stream: 1, payload: Buffer.from("x") }),
  ],
  [
    "RST_STREAM on an idle stream",
    (client) => client.frame(resetStream, { stream: 1, payload: uint32(8) }),
  ],
  ["RST_STREAM on stream 0", (client) => client.frame(resetStream, { payload: uint32(8) })],
  [
    "WINDOW_UPDATE on an idle stream",
    (client) => client.frame(windowUpdate, { stream: 1, payload: uint32(1) }),
  ],
  [
    "WINDOW_UPDATE of 0 on the connection",
    (client) => client.frame(windowUpdate, { payload: uint32(0) }),
  ],
  [
    "WINDOW_UPDATE of three octets",
    (client) => client.frame(windowUpdate, { payload: Buffer.alloc(3) }),
  ],
  [
    "a connection's window over 2^31 - 1",
    (client) => client.frame(windowUpdate, { payload: uint32(2 ** 31 - 1) }),
  ],
  ["SETTINGS on a stream", (client) => client.frame(settings, { stream: 1 })],
  ["SETTINGS of five octets", (client) => client.frame(settings, { payload: Buffer.alloc(5) })],
  [
    "SETTINGS acknowledged with a payload",
    (client) => client.frame(settings, { flags: 1, payload: Buffer.alloc(6) }),
  ],
  ["ENABLE_PUSH of 2", setting(2, 2)],
  ["INITIAL_WINDOW_SIZE of 2^31", setting(4, 2 ** 31)],
  ["MAX_FRAME_SIZE of 100", setting(5, 100)],
  ["MAX_FRAME_SIZE of 2^24", setting(5, 2 ** 24)],
  ["PING of seven octets", (client) => client.frame(ping, { payload: Buffer.alloc(7) })],
  ["PING on a stream", (client) => client.frame(ping, { stream: 1, payload: Buffer.alloc(8) })],
  ["GOAWAY on a stream", (client) => client.frame(goAway, { stream: 1, payload: Buffer.alloc(8) })],
  [
    "a frame over MAX_FRAME_SIZE",
    (client, place) => {
      open(client, place);
      client.frame(data, { stream: 1, payload: Buffer.alloc(2 ** 17) });
    },
  ],
  [
    "HEADERS padded beyond their end",
    (client) => client.frame(headers, { flags: 13, stream: 1, payload: Buffer.from([255, 0]) }),
  ],
  [
    "CONTINUATION without HEADERS",
    (client, place) => client.frame(continuation, { flags: 4, stream: 1, payload: section(place) }),
  ],
  [
    "another frame inside a section",
    (client, place) => {
      client.frame(headers, { flags: 1, stream: 1, payload: section(place) });
      client.frame(ping, { payload: Buffer.alloc(8) });
    },
  ],
  [
    "a section that goes on on another stream",
    (client, place) => {
      client.frame(headers, { flags: 1, stream: 1, payload: section(place) });
      client.frame(continuation, { flags: 4, stream: 3 });
    },
  ],
  [
    "an index of HPACK that leads nowhere",
    (client) =>
      client.frame(headers, { flags: 5, stream: 1, payload: Buffer.from([0xff, 0x80, 0x01]) }),
  ],
  [
    "index 0 of HPACK",
    (client) => client.frame(headers, { flags: 5, stream: 1, payload: Buffer.from([0x80]) }),
  ],
  [
    "a table of HPACK that is too large",
    (client) =>
      client.frame(headers, {
        flags: 5,
        stream: 1,
        payload: Buffer.from([0x3f, 0xff, 0xff, 0xff, 0x07]),
      }),
  ],
]);

const streamErrors: Case[] = (
  [
    [
      "trailers that do not end the stream",
      (client, place) => {
        open(client, place);
        client.headers(1, [["x-trailer", "1"]], { end: false });
      },
    ],
    [
      "DATA padded beyond its end",
      (client, place) => {
        open(client, place);
        client.frame(data, { flags: 9, stream: 1, payload: Buffer.from([255, 0]) });
      },
    ],
    [
      "WINDOW_UPDATE of 0 on a stream",
      (client, place) => {
        open(client, place);
        client.frame(windowUpdate, { stream: 1, payload: uint32(0) });
      },
    ],
    [
      "a stream's window over 2^31 - 1",
      (client, place) => {
        open(client, place);
        client.frame(windowUpdate, { stream: 1, payload: uint32(2 ** 31 - 1) });
      },
    ],
    [
      "a stream that depends on itself by HEADERS",
      (client, place) =>
        client.frame(headers, {
          flags: 0x25,
          stream: 1,
          payload: Buffer.concat([uint32(1), Buffer.from([0]), section(place)]),
        }),
    ],
    [
      "a stream that depends on itself by PRIORITY",
      (client, place) => {
        open(client, place);
        client.frame(priority, {
          stream: 1,
          payload: Buffer.concat([uint32(1), Buffer.from([0])]),
        });
      },
    ],
  ] as [string, Send][]
).map(([name, send]) => ({ name, verdict: "refused", send }));

const ask: Send = (client, place) => client.headers(1, fieldsOf(place));

const ignored: Case[] = (
  [
    ["an unknown frame", (client) => client.frame(0xbe, { payload: Buffer.alloc(4) })],
    ["an unknown setting", setting(0x999, 1)],
    [
      "a PING with flags that mean nothing",
      (client) => client.frame(ping, { flags: 0xfe, payload: Buffer.alloc(8) }),
    ],
    [
      "PRIORITY of a stream that is idle",
      (client) => client.frame(priority, { stream: 7, payload: Buffer.alloc(5) }),
    ],
    [
      "an acknowledged PING that nobody sent",
      (client) => client.frame(ping, { flags: 1, payload: Buffer.alloc(8) }),
    ],
    [
      "an initial window of 1, opened later",
      (client) => {
        setting(4, 1)(client, { host: "", id: "", scheme: "" });
        setting(4, 65_535)(client, { host: "", id: "", scheme: "" });
      },
    ],
  ] as [string, Send][]
).map(([name, send]) => ({
  name: `a request behind ${name}`,
  verdict: "served",
  send: (client, place) => {
    send(client, place);
    ask(client, place);
  },
}));

const sections: Case[] = [
  {
    name: "a section in many CONTINUATIONs",
    verdict: "served",
    send: (client, place) => {
      const block = section(place);
      client.frame(headers, { flags: 1, stream: 1, payload: block.subarray(0, 1) });
      for (let at = 1; at < block.length; at += 7) {
        const flags = at + 7 >= block.length ? 4 : 0;
        client.frame(continuation, { flags, stream: 1, payload: block.subarray(at, at + 7) });
      }
    },
  },
  {
    name: "a padded section with a priority",
    verdict: "served",
    send: (client, place) => {
      const payload = Buffer.concat([
        Buffer.from([3]),
        uint32(0),
        Buffer.from([15]),
        section(place),
        Buffer.alloc(3),
      ]);
      client.frame(headers, { flags: 0x2d, stream: 1, payload });
    },
  },
  {
    name: "DATA behind the end of a stream",
    verdict: "clean",
    send: (client, place) => {
      client.headers(1, fieldsOf(place));
      client.data(1, "GET / HTTP/1.1\r\n\r\n", { end: true });
    },
  },
  {
    name: "fields of 200,000 octets",
    verdict: "clean",
    send: (client, place) =>
      client.headers(
        1,
        fieldsOf(place, {
          more: Array.from({ length: 25 }, (_, i) => [`x-${i}`, "a".repeat(8_000)]),
        }),
      ),
  },
];

export const framesCases: readonly Case[] = [
  ...connectionErrors,
  ...streamErrors,
  ...ignored,
  ...sections,
];
