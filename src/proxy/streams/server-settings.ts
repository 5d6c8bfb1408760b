/** A server's SETTINGS -> what changes here, and our own SETTINGS into bytes. RFC 9113 section 6.5, RFC 8441. */
import {
  firstWindow,
  preface,
  Setting,
  writeSettings,
  writeWindowUpdate,
} from "../../wire/h2/frame.ts";
import type { Breach } from "../../wire/h2/frame-rules.ts";
import type { Output } from "../../wire/h2/output.ts";
import { headLimit } from "../../wire/head.ts";
import { type Changes, PeerSettings } from "../frames/peer-settings.ts";
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

export class ServerSettings extends PeerSettings {
  /** Streams that may be open at once. */
  streams = Number.POSITIVE_INFINITY;
  /** SETTINGS_ENABLE_CONNECT_PROTOCOL: the server takes WebSockets. */
  bridges = false;

  protected override apply(
    its: { setting: number; value: number },
    changes: Changes,
  ): Breach | undefined {
    if (its.setting === Setting.maxConcurrentStreams) this.streams = its.value;
    else if (its.setting === Setting.enableConnectProtocol) this.bridges = its.value === 1;
    else return super.apply(its, changes);
    return undefined;
  }
}
