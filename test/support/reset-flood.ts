/** A way to have streams of HTTP/2 reset -> the bytes of a session that does so again and again, and its end. */
import type { Socket } from "bun";
import { HeadWriter } from "../../src/proxy/frames/head-writer.ts";
import {
  Flag,
  Found,
  FrameReader,
  FrameType,
  preface,
  readUint32,
  writeFrameHead,
  writeSettings,
} from "../../src/wire/h2/frame.ts";
import { HpackEncoder } from "../../src/wire/h2/hpack-encoder.ts";

type Fields = readonly (readonly [string, string])[];
type Payload = readonly number[];
type Sent = { type: number; flags?: number; payload: Payload | ((stream: number) => Payload) };
type Flood = { name: string; fields?: Fields; ends?: boolean; follows: readonly Sent[] };

function uint24(value: number): number[] {
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** Rapid reset (CVE-2023-44487), and ways to make the server reset: MadeYouReset (CVE-2025-8671). */
export const floods: readonly Flood[] = [
  { name: "RST_STREAM", follows: [{ type: FrameType.resetStream, payload: [0, 0, 0, 8] }] },
  {
    name: "WINDOW_UPDATE of 0",
    follows: [{ type: FrameType.windowUpdate, payload: [0, 0, 0, 0] }],
  },
  {
    name: "WINDOW_UPDATE beyond the largest window",
    follows: [{ type: FrameType.windowUpdate, payload: [0x7f, 0xff, 0xff, 0xff] }],
  },
  { name: "DATA behind END_STREAM", follows: [{ type: FrameType.data, payload: [97] }] },
  {
    name: "a body that is longer than announced",
    fields: [["content-length", "1"]],
    ends: false,
    follows: [{ type: FrameType.data, payload: [97, 98] }],
  },
  {
    name: "a body that is shorter than announced",
    fields: [["content-length", "2"]],
    ends: false,
    follows: [{ type: FrameType.data, flags: Flag.endStream, payload: [97] }],
  },
  {
    name: "trailers without END_STREAM",
    ends: false,
    follows: [{ type: FrameType.headers, flags: Flag.endHeaders, payload: [] }],
  },
  {
    name: "PRIORITY that makes the stream depend on itself",
    follows: [{ type: FrameType.priority, payload: (stream) => [0, ...uint24(stream), 0] }],
  },
  { name: "requests that are malformed", fields: [["connection", "close"]], follows: [] },
];

/** The preface, unless the session has begun, and `count` streams, each reset at once. */
export function floodBytes(
  { fields = [], ends = true, follows }: Flood,
  { count, authority, first = 1 }: { count: number; authority: string; first?: number },
): Uint8Array {
  const out = new HeadWriter(64 * count);
  if (first === 1) {
    out.append(preface);
    writeSettings(out, []);
  }
  const encoder = new HpackEncoder();
  const block = new HeadWriter(256);
  const all: Fields = [
    [":method", ends ? "GET" : "POST"],
    [":scheme", "https"],
    [":authority", authority],
    [":path", "/"],
    ...fields,
  ];
  for (let stream = first; stream < first + 2 * count; stream += 2) {
    block.clear();
    encoder.begin(block);
    for (const [name, value] of all) {
      const bytes = Buffer.from(name + value);
      const nameEnd = name.length;
      const places = { nameStart: 0, nameEnd, valueStart: nameEnd, valueEnd: bytes.length };
      encoder.field(block, bytes, places);
    }
    const flags = Flag.endHeaders | (ends ? Flag.endStream : 0);
    writeFrameHead(out, { length: block.length, type: FrameType.headers, flags, stream });
    out.copy(block.bytes, 0, block.length);
    for (const sent of follows) {
      const { type } = sent;
      const payload = typeof sent.payload === "function" ? sent.payload(stream) : sent.payload;
      writeFrameHead(out, { length: payload.length, type, flags: sent.flags ?? 0, stream });
      out.append(Uint8Array.from(payload));
    }
  }
  return out.bytes.slice(0, out.length);
}

export type FloodEnd = {
  /** The code of GOAWAY. */
  goAway: number | undefined;
  /** The connection is gone. */
  closed: boolean;
};

export type FloodingSession = {
  /** Sends the bytes as fast as they are taken. Resolves at the session's end, or after `within` milliseconds. */
  send(bytes: Uint8Array, within: number): Promise<FloodEnd>;
};

/** A session of HTTP/2 that trusts everybody. */
export async function floodingSession(port: number, serverName: string): Promise<FloodingSession> {
  const end: FloodEnd = { goAway: undefined, closed: false };
  const reader = new FrameReader();
  const ready = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  let left: Uint8Array = new Uint8Array(0);
  const send = (socket: Socket): void => {
    while (left.length > 0) {
      const taken = socket.write(left);
      if (taken <= 0) return;
      left = left.subarray(taken);
    }
  };
  const gone = (): void => {
    end.closed = true;
    over.resolve();
  };
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    // Bun takes the list of protocols as it goes over the wire.
    tls: { rejectUnauthorized: false, serverName, ALPNProtocols: "\x02h2" },
    socket: {
      handshake: () => ready.resolve(),
      drain: send,
      data(_, received) {
        reader.push(received, 0);
        for (let found = reader.next(); found === Found.frame; found = reader.next()) {
          if (reader.type === FrameType.goAway) {
            end.goAway = readUint32(reader.bytes, reader.start + 4);
          }
        }
      },
      end: gone,
      close: gone,
      error: gone,
    },
  });
  await ready.promise;
  return {
    async send(bytes, within) {
      left = bytes;
      send(socket);
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, within);
      await Promise.race([over.promise, late.promise]);
      clearTimeout(timer);
      socket.terminate();
      return end;
    },
  };
}
