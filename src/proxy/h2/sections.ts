/** A client's header sections -> a request, or its trailers. RFC 9113 section 8.3. */
import { FrameType } from "../../wire/h2/frame.ts";
import { type Breach, dependsOnItself, type Frame } from "../../wire/h2/frame-rules.ts";
import { RequestWriter, TrailerWriter } from "../../wire/h2/request.ts";
import { HeadWriter } from "../frames/head-writer.ts";
import { SectionBlock } from "../frames/section-block.ts";

export class Sections extends SectionBlock {
  /** The priority of the section's stream is below the stream itself. */
  ofItself = false;

  readonly #head = new HeadWriter(1_024);
  readonly request = new RequestWriter(this.#head);
  readonly trailers = new TrailerWriter(this.#head);

  /** The decoded section: a request's head or lines of trailers, as HTTP/1.1 has them. */
  get head(): Uint8Array {
    return this.#head.bytes.subarray(0, this.#head.length);
  }

  override add(frame: Frame, seconds: number): Breach | undefined {
    if (frame.type === FrameType.headers) this.ofItself = dependsOnItself(frame);
    return super.add(frame, seconds);
  }

  /** Reads the section that is complete into `request` or `trailers`. */
  decode(into: "request" | "trailers"): Breach | undefined {
    const writer = into === "request" ? this.request : this.trailers;
    writer.begin();
    return this.decodeInto(writer);
  }
}
