/** An answer of the API -> the head that goes before its body. Pure. */
import type { Cancel } from "../../system/clock.ts";
import { reasonOf } from "../../wire/reason.ts";

export type Headers = Readonly<Record<string, string>>;

/** Where a stream is written to. */
export interface Sink {
  write(text: string): void;
  /** Bytes that the reader has not taken yet. */
  readonly pending: number;
  /** Nothing more follows. */
  end(): void;
  /** Breaks the connection off: the reader is too slow. */
  cut(): void;
}

export type WholeAnswer = { status: number; headers: Headers; body: string | Uint8Array };

/** `stream` begins it. What `stream` returns is called once, when nobody reads any more. */
export type StreamAnswer = { status: number; headers: Headers; stream(sink: Sink): Cancel };

export type Answer = WholeAnswer | StreamAnswer;

const nothing = new Uint8Array(0);

/** `date` is in milliseconds since the Unix epoch; `last`: the connection ends with this answer. */
export function headOf(answer: Answer, { date, last }: { date: number; last: boolean }): string {
  const { status, headers } = answer;
  const lines = [`HTTP/1.1 ${status} ${reasonOf(status)}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  lines.push(`Date: ${new Date(date).toUTCString()}`);
  if (!("stream" in answer) && status !== 204) {
    lines.push(`Content-Length: ${bodyOf(answer).length}`);
  }
  if (last) lines.push("Connection: close");
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** The body as bytes; empty where it is a stream. */
export function bodyOf(answer: Answer): Uint8Array {
  if ("stream" in answer) return nothing;
  return typeof answer.body === "string" ? Buffer.from(answer.body) : answer.body;
}
