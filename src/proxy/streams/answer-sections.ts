/** A server's header sections -> an answer's head, or its trailers. RFC 9113 section 8.3.2. */
import type { Breach } from "../../wire/h2/frame-rules.ts";
import { AnswerWriter } from "../../wire/h2/answer.ts";
import { TrailerWriter } from "../../wire/h2/request.ts";
import { HeadWriter } from "../frames/head-writer.ts";
import { SectionBlock } from "../frames/section-block.ts";

export class AnswerSections extends SectionBlock {
  readonly #head = new HeadWriter(1_024);
  readonly answer = new AnswerWriter(this.#head);
  readonly trailers = new TrailerWriter(this.#head);

  /** The decoded section: an answer's head or lines of trailers, as HTTP/1.1 has them. */
  get head(): Uint8Array {
    return this.#head.bytes.subarray(0, this.#head.length);
  }

  /** Reads the section that is complete into `answer` or `trailers`. */
  decode(into: "answer" | "trailers"): Breach | undefined {
    const writer = into === "answer" ? this.answer : this.trailers;
    writer.begin();
    return this.decodeInto(writer);
  }
}
