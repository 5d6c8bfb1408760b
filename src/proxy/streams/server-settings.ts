/** A server's SETTINGS -> what changes here, and our own SETTINGS into bytes. RFC 9113 section 6.5, RFC 8441. */
import {
  firstWindow,
  preface,
  readUint32,
  Setting,
  writeSettings,
  writeWindowUpdate,
} from "../../wire/h2/frame.ts";
import { type Breach, type Frame, settingBreach } from "../../wire/h2/frame-rules.ts";
import type { Output } from "../../wire/h2/output.ts";
import { headLimit } from "../../wire/head.ts";
import { connectionWindow, streamWindow } from "../frames/windows.ts";

const ourSettings = [
  [Setting.headerTableSize, 4_096],
  // No client of ours could be handed an answer that it has not asked for.
  [Setting.enablePush, 0],
  [Setting.initialWindowSize, streamWindow],
  [Setting.maxHeaderListSize, headLimit],
] as const;

/** Our side of the preface, with the connection's window, which SETTINGS cannot say. */
export function writePreface(out: Output): void {
  out.append(preface);
  writeSettings(out, ourSettings);
  writeWindowUpdate(out, 0, connectionWindow - firstWindow);
}

/** The parts that a server's settings change. */
export type Changes = {
  /** SETTINGS_HEADER_TABLE_SIZE. */
  tableSize(size: number): void;
  /** Every stream's send window changes by so much. @returns the rule that this breaks. */
  windows(change: number): Breach | undefined;
};

export class ServerSettings {
  /** Octets that a new stream may send. */
  initialWindow = firstWindow;
  /** Streams that may be open at once. */
  streams = Number.POSITIVE_INFINITY;
  /** SETTINGS_ENABLE_CONNECT_PROTOCOL: the server takes WebSockets. */
  bridges = false;

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
    // MAX_FRAME_SIZE changes nothing: we never send longer frames than every server has to take.
    switch (setting) {
      case Setting.headerTableSize:
        changes.tableSize(value);
        return undefined;
      case Setting.maxConcurrentStreams:
        this.streams = value;
        return undefined;
      case Setting.enableConnectProtocol:
        this.bridges = value === 1;
        return undefined;
      case Setting.initialWindowSize: {
        const change = value - this.initialWindow;
        this.initialWindow = value;
        return changes.windows(change);
      }
      default:
        return undefined;
    }
  }
}
