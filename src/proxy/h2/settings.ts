/** A client's SETTINGS -> what changes here, and our own SETTINGS into bytes. RFC 9113 section 6.5. */
import {
  firstWindow,
  Setting,
  readUint32,
  writeSettings,
  writeWindowUpdate,
} from "../../wire/h2/frame.ts";
import { type Breach, type Frame, settingBreach } from "../../wire/h2/frame-rules.ts";
import type { Output } from "../../wire/h2/output.ts";
import { headLimit } from "../../wire/head.ts";
import { connectionWindow, streamWindow } from "../frames/windows.ts";

/** Twice what browsers open at once, which is 100 unless they are told otherwise. */
export const streamLimit = 256;

const ourSettings = [
  [Setting.headerTableSize, 4_096],
  [Setting.maxConcurrentStreams, streamLimit],
  [Setting.initialWindowSize, streamWindow],
  [Setting.maxHeaderListSize, headLimit],
  [Setting.enableConnectProtocol, 1],
] as const;

/** Our side of the preface: SETTINGS, and the connection's window, which SETTINGS cannot say. */
export function writeOurSettings(out: Output): void {
  writeSettings(out, ourSettings);
  writeWindowUpdate(out, 0, connectionWindow - firstWindow);
}

/** The parts that a client's settings change. */
export type Changes = {
  /** SETTINGS_HEADER_TABLE_SIZE. */
  tableSize(size: number): void;
  /** Every stream's send window changes by so much. @returns the rule that this breaks. */
  windows(change: number): Breach | undefined;
};

export class ClientSettings {
  /** Octets that a new stream may send: SETTINGS_INITIAL_WINDOW_SIZE. */
  initialWindow = firstWindow;

  /** Applies a frame's settings in their order. @returns the rule that one of them breaks. */
  read({ bytes, start, end }: Frame, changes: Changes): Breach | undefined {
    for (let at = start; at < end; at += 6) {
      const setting = (bytes[at]! << 8) | bytes[at + 1]!;
      const value = readUint32(bytes, at + 2);
      const breach = settingBreach(setting, value) ?? this.#apply(setting, value, changes);
      if (breach !== undefined) return breach;
    }
    return undefined;
  }

  #apply(setting: number, value: number, changes: Changes): Breach | undefined {
    // MAX_FRAME_SIZE changes nothing: we never send longer frames than every client has to take.
    if (setting === Setting.headerTableSize) changes.tableSize(value);
    else if (setting === Setting.initialWindowSize) {
      const change = value - this.initialWindow;
      this.initialWindow = value;
      return changes.windows(change);
    }
    return undefined;
  }
}
