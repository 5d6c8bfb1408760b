/** SETTINGS of the other side -> what changes here. RFC 9113 section 6.5. */
import { firstWindow, readUint32, Setting } from "../../wire/h2/frame.ts";
import { type Breach, type Frame, settingBreach } from "../../wire/h2/frame-rules.ts";

/** The parts that settings of the other side change. */
export type Changes = {
  /** SETTINGS_HEADER_TABLE_SIZE. */
  tableSize(size: number): void;
  /** Every stream's send window changes by so much. @returns the rule that this breaks. */
  windows(change: number): Breach | undefined;
};

export class PeerSettings {
  /** Octets that a new stream may send: SETTINGS_INITIAL_WINDOW_SIZE. */
  initialWindow = firstWindow;

  /** Applies a frame's settings in their order. @returns the rule that one of them breaks. */
  read({ bytes, start, end }: Frame, changes: Changes): Breach | undefined {
    for (let at = start; at < end; at += 6) {
      const setting = (bytes[at]! << 8) | bytes[at + 1]!;
      const value = readUint32(bytes, at + 2);
      const breach = settingBreach(setting, value) ?? this.apply({ setting, value }, changes);
      if (breach !== undefined) return breach;
    }
    return undefined;
  }

  /** Applies a setting whose value is sound. */
  protected apply(
    { setting, value }: { setting: number; value: number },
    changes: Changes,
  ): Breach | undefined {
    // MAX_FRAME_SIZE changes nothing: we never send longer frames than everybody has to take.
    if (setting === Setting.headerTableSize) changes.tableSize(value);
    else if (setting === Setting.initialWindowSize) {
      const change = value - this.initialWindow;
      this.initialWindow = value;
      return changes.windows(change);
    }
    return undefined;
  }
}
