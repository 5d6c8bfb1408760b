/** Octets of DATA -> whether more may follow, for a stream and for the whole connection alike. RFC 9113 section 6.9. */
import { ErrorCode, firstWindow, largestWindow } from "../../wire/h2/frame.ts";
import { connectionError, streamError } from "../../wire/h2/frame-rules.ts";

/** Octets of one body that may wait for a service that does not read. Over loopback, more would make nothing faster. */
export const streamWindow = 262_144;
/** The same for all streams together: 32 streams have to stand still before they hold up others. */
export const connectionWindow = 32 * streamWindow;

const { flowControlError } = ErrorCode;

export const moreThanConnection = connectionError(
  flowControlError,
  "more came than the connection's window",
);
export const moreThanStream = streamError(flowControlError, "more came than the stream's window");
export const connectionTooLarge = connectionError(
  flowControlError,
  "the connection's window is too large",
);
export const streamTooLarge = streamError(flowControlError, "the stream's window is too large");
/** A connection error, because the setting is the connection's. Section 6.9.2. */
export const settingTooLarge = connectionError(
  flowControlError,
  "INITIAL_WINDOW_SIZE makes a window too large",
);

/** A window that the client opens for us. */
export class SendWindow {
  /** Octets. Below zero after the client has made its INITIAL_WINDOW_SIZE smaller: section 6.9.2. */
  left = firstWindow;

  /** @returns false: larger than a window may be. */
  widen(count: number): boolean {
    this.left += count;
    return this.left <= largestWindow;
  }
}

/** A window that we open for the client. Used octets are given back half a window at a time, to save frames. */
export class ReceiveWindow {
  left: number;
  /** The window's stream; 0: the connection. */
  stream = 0;
  #used = 0;

  constructor(readonly size: number) {
    this.left = size;
  }

  /** The window is a new stream's. */
  begin(stream: number): void {
    this.stream = stream;
    this.left = this.size;
    this.#used = 0;
  }

  /** Octets that came and are not used up. */
  get withheld(): number {
    return this.size - this.left - this.#used;
  }

  /** Octets have come. @returns false: more than were allowed. */
  take(count: number): boolean {
    this.left -= count;
    return this.left >= 0;
  }

  /** Octets are used up. @returns the increment for a WINDOW_UPDATE; 0: none is due yet. */
  credit(count: number): number {
    const used = this.#used + count;
    if (used < this.size / 2) {
      this.#used = used;
      return 0;
    }
    this.#used = 0;
    this.left += used;
    return used;
  }
}
