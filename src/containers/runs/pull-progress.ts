/** The bytes of an engine's answer to a pull -> how far it is, and whether it failed. Holds one line at most. Pure. */
import { isTable, tableInLine } from "../json-line.ts";
import { shownSize } from "../../text/size.ts";

/** Bytes. A longer line is no progress, and is passed over. */
const longestLine = 64 * 1024;

/** Layers of one image. Docker's own limit is 127. */
const mostLayers = 1000;

type Layer = { done: number; total: number };

export class PullProgress {
  /** The engine's own words where it could not be pulled. */
  failure: string | undefined;
  #line = "";
  #isLong = false;
  readonly #layers = new Map<string, Layer>();
  readonly #decoder = new TextDecoder();

  take(bytes: Uint8Array): void {
    const lines = (this.#line + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#line = lines.pop()!;
    for (const line of lines) {
      if (!this.#isLong) this.#read(line);
      this.#isLong = false;
    }
    if (this.#line.length <= longestLine) return;
    this.#isLong = true;
    this.#line = "";
  }

  /** The last line need not have an end. */
  end(): void {
    if (!this.#isLong) this.#read(this.#line);
    this.#line = "";
  }

  /** `34 % of 41 MiB`; undefined: the engine has not said how much there is. */
  get text(): string | undefined {
    const layers = [...this.#layers.values()];
    const total = layers.reduce((sum, its) => sum + its.total, 0);
    if (total === 0) return undefined;
    const done = layers.reduce((sum, its) => sum + Math.min(its.done, its.total), 0);
    return `${Math.floor((100 * done) / total)} % of ${shownSize(total)}`;
  }

  #read(line: string): void {
    if (line.trim() === "") return;
    const news = tableInLine(line);
    const { error, errorDetail, status, id, progressDetail } = news;
    const detail = isTable(errorDetail) ? errorDetail.message : undefined;
    const failure = [error, detail].find((its) => typeof its === "string" && its !== "");
    if (failure !== undefined) this.failure = String(failure).slice(0, 300);
    if (typeof id !== "string" || typeof status !== "string") return;
    const layer = this.#layers.get(id);
    if (/^(?:Download|Pull) complete$|^Already exists$/.test(status)) {
      if (layer !== undefined) layer.done = layer.total;
    } else if (status === "Downloading" && isTable(progressDetail)) {
      const { current, total } = progressDetail;
      if (!isCount(current) || !isCount(total) || this.#layers.size >= mostLayers) return;
      this.#layers.set(id, { done: current, total });
    }
  }
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
