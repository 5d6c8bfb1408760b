/** The part of the supervisor that the proxy uses. */

export interface Supervision {
  /** Starts the lazy service that a request asks for. Calling it again is harmless. */
  wake(id: string): void;
  /** The last lines of a service's output, at most `count`, oldest first. */
  latest(id: string, count: number): readonly string[];
}
