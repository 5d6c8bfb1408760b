/** The parts of a message that one stream of HTTP/2 carries, as the two sides of the proxy hand them to each other. */
import type { FieldLines, TrailerFields } from "../../wire/head.ts";
import type { PseudoFields } from "./pseudo-fields.ts";

/** `status` 0: a request's head, if there is `asked`, or else trailers. `last`: nothing follows. */
export type StreamHead = {
  fields: FieldLines;
  bytes: Uint8Array;
  status: number;
  asked?: PseudoFields;
  last: boolean;
};
/** bytes[from, to). `last`: nothing follows. */
export type StreamPiece = { bytes: Uint8Array; from: number; to: number; last: boolean };
export type Trailer = { fields: TrailerFields; bytes: Uint8Array };
