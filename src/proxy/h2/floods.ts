/** Frames that cost us something and bring no request further -> the breach, once there are too many of them. */
import { ErrorCode } from "../../wire/h2/frame.ts";
import { type Breach, connectionError } from "../../wire/h2/frame-rules.ts";
import { Allowance } from "./allowance.ts";
import type { ClientAllowances } from "./client-allowances.ts";

/** A stream that is reset before its answer began has had work done that nobody wanted. Any other weighs 1. */
export const unansweredWeight = 2;
/** PING, SETTINGS, empty DATA and the like. gRPC sends a PING for a few frames of DATA. */
const idleFrameBurst = 10_000;
const idleFramesPerSecond = 1_000;

/** Weights of resets, and of frames, that are a session's own: so few that it is not worth finding its client. */
const ownResets = 64;
const ownIdleFrames = 1_000;

/** Clients widen windows for DATA that they have read: each frame of ours, and each KiB, lets them say so again. */
const updatesPerFrame = 2;
const octetsPerUpdate = 1_024;
/** Go's client widens both windows for every 4 KiB: twice what that makes of the largest window that is usual. */
const mostUpdates = 65_536;

const { enhanceYourCalm } = ErrorCode;

const manyIdleFrames = connectionError(enhanceYourCalm, "too many frames that say nothing");
const manyResets = connectionError(enhanceYourCalm, "too many streams are reset");

/** DATA that was sent in a session, in all. */
export type Sent = { readonly frames: number; readonly octets: number };

export class Floods {
  readonly #idleFrames = new Allowance(idleFrameBurst, idleFramesPerSecond);
  readonly #find: () => ClientAllowances;
  /** Found once the session's own are used up. */
  #client: ClientAllowances | undefined;
  #ownResets = 0;
  #ownIdleFrames = 0;
  /** WINDOW_UPDATEs that DATA has made room for. */
  #updates = 0;
  #updatesBefore = 0;

  /** `find`: the allowances of the session's client. */
  constructor(find: () => ClientAllowances) {
    this.#find = find;
  }

  /** A stream was reset, by the client or because the client broke a rule: both cost us the same. */
  reset(weight: number, seconds: number): Breach | undefined {
    this.#ownResets += weight;
    if (this.#ownResets <= ownResets) return undefined;
    return this.#shared.resets.take(weight, seconds) ? undefined : manyResets;
  }

  /** A frame came that says nothing. `weight`: the number of frames that it counts as. */
  idleFrame(weight: number, seconds: number): Breach | undefined {
    this.#ownIdleFrames += weight;
    const own = this.#idleFrames.take(weight, seconds);
    if (!own) return manyIdleFrames;
    if (this.#ownIdleFrames <= ownIdleFrames) return undefined;
    return this.#shared.idleFrames.take(weight, seconds) ? undefined : manyIdleFrames;
  }

  /** A WINDOW_UPDATE came. */
  windowUpdate(sent: Sent, seconds: number): Breach | undefined {
    const all = updatesPerFrame * sent.frames + Math.floor(sent.octets / octetsPerUpdate);
    this.#updates = Math.min(mostUpdates, this.#updates + all - this.#updatesBefore);
    this.#updatesBefore = all;
    if (this.#updates <= 0) return this.idleFrame(1, seconds);
    this.#updates--;
    return undefined;
  }

  get #shared(): ClientAllowances {
    this.#client ??= this.#find();
    return this.#client;
  }
}
