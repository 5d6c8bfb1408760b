/** What the proxy asks of the supervisor. */

export interface Supervision {
  /** Has a lazy service started that a request asks for. Again is harmless. */
  wake(id: string): void;
  /** The last lines of a service's output, at most `count`, the oldest first. */
  latest(id: string, count: number): readonly string[];
}
