/** People at the terminals of services -> what they type, and a terminal that is as large as the smallest of theirs. */
import type { Clock } from "../../system/clock.ts";
import type { Size } from "../logs/log-lines.ts";
import type { LogStore } from "../logs/log-store.ts";
import { type Input, terminalSize } from "../service/child.ts";

export interface Attachment {
  /** `bytes` are the caller's again when it returns. Dropped while no process runs. */
  type(bytes: Uint8Array): void;
  /** Bytes that the service has not read yet. */
  readonly untaken: number;
  /** Undefined: it has no say in the size. Also called for a process that has just begun, which has the usual size. */
  resize(size: Size | undefined): void;
  /** Has a full-screen program draw itself again. */
  redraw(): void;
  /** Twice is harmless. */
  leave(): void;
}

export type AttachmentOptions = {
  clock: Clock;
  logs: LogStore;
  /** Undefined: no process runs. */
  inputOf(id: string): Input | undefined;
  /** False for a service that has pipes. */
  hasTerminal(id: string): boolean;
};

/** Milliseconds after which a size that was changed in order to be noticed is the right one again. */
const noticed = 50;

export class Attachments {
  readonly #options: AttachmentOptions;
  /** The sizes of those who are attached, by service. */
  readonly #sizes = new Map<string, Map<object, Size | undefined>>();

  constructor(options: AttachmentOptions) {
    this.#options = options;
  }

  attach(id: string, size: Size | undefined): Attachment {
    const { clock, inputOf } = this.#options;
    const who = {};
    let left = false;
    const resize = (wanted: Size | undefined): void => {
      if (left) return;
      const sizes = this.#sizes.get(id) ?? new Map<object, Size | undefined>();
      this.#sizes.set(id, sizes.set(who, wanted));
      this.#apply(id);
    };
    resize(size);
    return {
      type: (bytes) => {
        if (!left) inputOf(id)?.write(bytes);
      },
      get untaken() {
        return inputOf(id)?.untaken ?? 0;
      },
      resize,
      redraw: () => {
        const { cols, rows } = this.#sizeOf(id);
        // The kernel reports a size only where it differs.
        inputOf(id)?.resize({ cols, rows: rows > 1 ? rows - 1 : rows + 1 });
        clock.after(noticed, () => this.#apply(id));
      },
      leave: () => {
        if (left) return;
        left = true;
        const sizes = this.#sizes.get(id);
        sizes?.delete(who);
        if (sizes?.size === 0) this.#sizes.delete(id);
        this.#apply(id);
      },
    };
  }

  #sizeOf(id: string): Size {
    const sizes = [...(this.#sizes.get(id)?.values() ?? [])].filter((its) => its !== undefined);
    if (sizes.length === 0) return terminalSize;
    return {
      cols: Math.min(...sizes.map(({ cols }) => cols)),
      rows: Math.min(...sizes.map(({ rows }) => rows)),
    };
  }

  #apply(id: string): void {
    const { logs, inputOf, hasTerminal } = this.#options;
    if (!hasTerminal(id)) return;
    const size = this.#sizeOf(id);
    inputOf(id)?.resize(size);
    logs.of(id).resize(size);
  }
}
