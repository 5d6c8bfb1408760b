/** Events -> a text/event-stream, or JSON lines; bounded, and cut off if the reader is too slow. */
import type { Cancel, Clock } from "../../system/clock.ts";
import { apiError, type Stream } from "../commands/command.ts";
import type { DaemonEvent } from "../commands/daemon-report.ts";
import type { Headers, Sink, StreamAnswer } from "./answer.ts";

/** Bytes that may wait for a reader. One that falls behind reconnects and continues from its last id. */
export const mostPending = 1024 * 1024;

/** Milliseconds between comments: a reader, or a proxy on the way, may give up on silence. */
const heartbeat = 15_000;

/** Milliseconds after which a browser reconnects. */
const retry = 1000;

export type StreamOptions = { clock: Clock; headers: Headers };

export function eventStream(events: Stream, { clock, headers }: StreamOptions): StreamAnswer {
  return {
    status: 200,
    headers: { ...headers, "Content-Type": "text/event-stream; charset=utf-8" },
    stream(sink) {
      sink.write(`retry: ${retry}\n\n`);
      const cancelBeat = clock.every(heartbeat, () => send(sink, ": here\n\n"));
      const cancel = events({
        next: (event) => send(sink, frame(event as DaemonEvent)),
        end: () => sink.end(),
        pending: () => sink.pending,
      });
      return both(cancelBeat, cancel);
    },
  };
}

/** One JSON value per line. A failure at the end is an error as any other: only the socket has the words of locald. */
export function lineStream(values: Stream, { headers }: StreamOptions): StreamAnswer {
  return {
    status: 200,
    headers: { ...headers, "Content-Type": "application/x-ndjson; charset=utf-8" },
    stream: (sink) =>
      values({
        next: (value) => send(sink, `${JSON.stringify(inOurWords(value))}\n`),
        end: () => sink.end(),
        pending: () => sink.pending,
      }),
  };
}

function inOurWords(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("Error" in value)) return value;
  return { error: apiError("not_ready", String(value.Error)) };
}

/** WHATWG HTML, section 9.2.6. JSON text has no line end, so one data line is enough. */
function frame({ id, event, data }: DaemonEvent): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

function send(sink: Sink, text: string): void {
  if (sink.pending > mostPending) sink.cut();
  else sink.write(text);
}

function both(first: Cancel, second: Cancel): Cancel {
  return () => {
    first();
    second();
  };
}
