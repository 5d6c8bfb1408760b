/** What the proxy asks of the supervisor, and how long and how much it holds for it. */

export interface Supervision {
  /** Has a lazy service started that a request asks for. Again is harmless. */
  wake(id: string): void;
  /** Of its output, at most `count` lines, the oldest first. */
  latest(id: string, count: number): readonly string[];
}

/** Seconds for which a request waits for a service that starts: as long as a start may take unless a project says otherwise. */
export const startSeconds = 30;
/** Seconds for which it waits for one that has answered before and comes back: a restart that takes longer is a fault to be shown. */
export const restartSeconds = 10;
/** Octets of a body that wait with it. */
export const heldBodyLimit = 1_048_576;
