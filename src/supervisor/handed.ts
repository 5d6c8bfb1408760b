/** The shape of what one daemon gives to the next: values and open descriptors, in batches, and a line that stays. */

/** `value` is said as JSON; with descriptors it has at most 4096 bytes. */
export type Given = { value: Record<string, unknown>; descriptors: readonly number[] };

/** A connection between two daemons, both ways, on which each says lines of JSON. */
export interface Line {
  /** False: the other end is gone. */
  tell(value: unknown): boolean;
  hear?: ((value: unknown) => void) | undefined;
  /** Called once, when the other end is gone. */
  ended?: (() => void) | undefined;
  /** Its socket. */
  readonly descriptor: number;
}

/** Thrown where a service is to be changed that another daemon supervises by now: it would do what is asked. */
export class TakenOver extends Error {
  constructor() {
    super("another daemon has taken over; run the command again");
  }
}

/** A part of a daemon that the next one takes over while it runs. */
export interface HandedPart {
  /**
   * Batches from 0 on; undefined: there is no such one. With the first one nothing happens here any more; it may take
   * ten seconds. @throws where nothing can be handed over; then everything goes on as before.
   */
  give(batch: number): Promise<Given | undefined>;
  /** The other one did not take it: everything goes on here. */
  takeBack(): void;
  /** The other one has everything. `settle` or `comeBack` follows. */
  given(line: Line): void;
  /** The other one keeps it. */
  settle(): void;
  /** The other one has failed: what it has left goes on here. */
  comeBack(): void;
  /** How many processes have this one as their parent, though another daemon supervises them. */
  readonly keeps: number;
  /**
   * To be called last of all. Resolves when nobody needs this process any more, and may not return: a small program may
   * take its place, which keeps the processes that it has started, unless this one `stays`.
   */
  left(how: { stays: boolean }): Promise<void>;
}
