/** Frames that cost us something and bring no request further -> the breach, once there are too many of them. */
import { ErrorCode } from "../../wire/h2/frame.ts";
import { type Breach, connectionError } from "../../wire/h2/frame-rules.ts";
import { Allowance } from "./allowance.ts";

/** A page that is reloaded resets hundreds of streams at once. Node's limit of 1,000 was too low for portless. */
const resetBurst = 4_000;
const resetsPerSecond = 100;
/** PING, SETTINGS, empty DATA and the like. gRPC sends a PING for a few frames of DATA. */
const idleFrameBurst = 10_000;
const idleFramesPerSecond = 1_000;

const { enhanceYourCalm } = ErrorCode;

const manyIdleFrames = connectionError(enhanceYourCalm, "too many frames that say nothing");
const manyResets = connectionError(enhanceYourCalm, "too many streams are reset");

export class Floods {
  readonly #resets = new Allowance(resetBurst, resetsPerSecond);
  readonly #idleFrames = new Allowance(idleFrameBurst, idleFramesPerSecond);

  /** A stream was reset, by the client or because the client broke a rule: both cost us the same. */
  reset(seconds: number): Breach | undefined {
    return this.#resets.take(1, seconds) ? undefined : manyResets;
  }

  /** A frame came that says nothing. `weight`: the number of frames that it counts as. */
  idleFrame(weight: number, seconds: number): Breach | undefined {
    return this.#idleFrames.take(weight, seconds) ? undefined : manyIdleFrames;
  }
}
