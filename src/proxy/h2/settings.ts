/** Our SETTINGS for clients -> bytes. RFC 9113 section 6.5. */
import { firstWindow, Setting, writeSettings, writeWindowUpdate } from "../../wire/h2/frame.ts";
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
