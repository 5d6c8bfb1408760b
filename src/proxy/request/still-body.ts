/** Octets of a request and its answer, as counted now and then -> whether a body has stood still for too long. */

/** Seconds: nginx's client_body_timeout, measured between two reads as there. */
export const bodySeconds = 60;

/** The facts about the request that is being answered. */
export type BodyFacts = {
  /** Octets of both bodies so far. */
  octets: number;
  /** The service has taken all that there was, and more is to come. */
  awaited: boolean;
  /** When the request was sent, and the time now, in seconds. */
  began: number;
  now: number;
};

export class StillBody {
  #octets = 0;
  /** When it moved last, or was not awaited. */
  #since = 0;

  /** Call twice a second. @returns true once nothing has moved for longer than `bodySeconds`. */
  isStill({ octets, awaited, began, now }: BodyFacts): boolean {
    if (!awaited || octets !== this.#octets || this.#since < began) {
      this.#octets = octets;
      this.#since = now;
    }
    return now - this.#since > bodySeconds;
  }

  /** The body may stand still for as long again. */
  spare(now: number): void {
    this.#since = now;
  }
}
