/** A request's stream that ended before its answer was complete -> why, and whether the server touched the request. */

export class StreamFailure extends Error {
  override name = "StreamFailure";
  /**
   * The server has not processed any part of the request, so that it may be sent again, whatever its method is: RFC
   * 9113 section 8.7.
   */
  readonly unprocessed: boolean;
  /** The code of the server's RST_STREAM; undefined: there was none. */
  readonly code: number | undefined;

  /** `why`: what the server did, as the end of a sentence that begins with its name. */
  constructor(
    why: string,
    { unprocessed = false, code }: { unprocessed?: boolean; code?: number } = {},
  ) {
    super(why);
    this.unprocessed = unprocessed;
    this.code = code;
  }
}
