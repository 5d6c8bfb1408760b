/** Changes of a site's files -> events for all its open pages. */
import type { Cancel } from "../system/clock.ts";
import type { Sink, SiteAnswer } from "./answer.ts";

/** Pages that listen at once; another one is told to come again. */
const mostPages = 500;

/** Bytes that a page has not read after which it is left: it asks again, and is told of what it missed. */
const mostPending = 64 * 1024;

/** Paths of one event; with more, a page is loaded again whatever they are. */
const mostPaths = 20;

/** Milliseconds after which a page that was left asks again. */
const retry = 1000;

export class ReloadStreams {
  /** Another one for each start: the files may have changed in between. */
  readonly #start = Bun.randomUUIDv7();
  readonly #sinks = new Set<Sink>();
  #changes = 0;
  #isOver = false;

  get version(): string {
    return `${this.#start}.${this.#changes}`;
  }

  get count(): number {
    return this.#sinks.size;
  }

  /** `paths` are those of requests: `/style.css`. */
  changed(paths: readonly string[]): void {
    this.#changes++;
    const shown = paths.length > mostPaths ? [] : paths;
    const data = JSON.stringify({ version: this.version, paths: shown });
    for (const sink of [...this.#sinks]) this.#tell(sink, `event: change\ndata: ${data}\n\n`);
  }

  /** A line that says nothing: a page that has gone is noticed. */
  beat(): void {
    for (const sink of [...this.#sinks]) this.#tell(sink, ":\n\n");
  }

  /** The pages listen elsewhere from now on. Twice is harmless. */
  end(): void {
    this.#isOver = true;
    for (const sink of [...this.#sinks]) sink.end();
    this.#sinks.clear();
  }

  answer(): SiteAnswer {
    return {
      status: 200,
      fields: [
        ["Content-Type", "text/event-stream"],
        ["Cache-Control", "no-store"],
        ["X-Content-Type-Options", "nosniff"],
      ],
      stream: (sink) => this.#begin(sink),
    };
  }

  #begin(sink: Sink): Cancel {
    if (this.#isOver || this.#sinks.size >= mostPages) {
      // Another status than 200 would end the page's listening for good.
      sink.write(`retry: ${retry}\n\n`);
      sink.end();
      return () => {};
    }
    this.#sinks.add(sink);
    sink.write(`retry: ${retry}\nevent: version\ndata: ${this.version}\n\n`);
    return () => void this.#sinks.delete(sink);
  }

  #tell(sink: Sink, text: string): void {
    if (sink.pending <= mostPending) {
      sink.write(text);
      return;
    }
    this.#sinks.delete(sink);
    sink.end();
  }
}
