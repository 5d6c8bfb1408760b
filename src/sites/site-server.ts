/** A place to listen at, and answers -> a server of files, until it is stopped. */
import { type Listening, listen } from "../link/listen.ts";
import { listenOnBoth } from "../link/listen-on-both.ts";
import type { Link } from "../link/link.ts";
import type { Clock } from "../system/clock.ts";
import type { SiteAnswer } from "./answer.ts";
import { SiteConnection } from "./site-connection.ts";
import { bare } from "./site-page.ts";
import type { SiteRequest } from "./site-request.ts";

export type SiteServerOptions = {
  clock: Clock;
  answer(request: SiteRequest): Promise<SiteAnswer>;
  fault(error: unknown): void;
  /** The names by which it may be asked for at a port: a page of another site cannot make itself one of them. */
  isOurs(host: string | undefined): boolean;
};

/** Milliseconds that a client other than our proxy may be silent between requests. */
const idlePatience = 60_000;

type Door = { listening: Listening[]; connections: Set<SiteConnection> };

export class SiteServer {
  readonly #options: SiteServerOptions;
  /** For our own proxy. */
  readonly #inner: Door = { listening: [], connections: new Set() };
  readonly #outer: Door = { listening: [], connections: new Set() };

  constructor(options: SiteServerOptions) {
    this.#options = options;
  }

  /** For our own proxy, which has judged the request's name. @throws the system's error. */
  listenAt(path: string): void {
    const { answer } = this.#options;
    const { listening, connections } = this.#inner;
    listening.push(listen({ path }, (link) => this.#accept(link, { answer, connections })));
  }

  /** On both loopback addresses. Returns the port. @throws the system's error. */
  listenOn(port: number): number {
    const answer = async (request: SiteRequest): Promise<SiteAnswer> =>
      this.#options.isOurs(request.host) ? await this.#options.answer(request) : bare(421);
    const { listening, connections } = this.#outer;
    const both = listenOnBoth({ port, note() {} }, (link) =>
      this.#accept(link, { answer, connections, idle: idlePatience }),
    );
    listening.push(...both.listening);
    return both.port;
  }

  /** Another process listens at the port from now on; connections go on. */
  leavePort(): void {
    for (const its of this.#outer.listening.splice(0)) its.stop();
  }

  /** Resolves when the answers under way at the port are sent, or `patience` is over. */
  async leftPort(patience: number): Promise<void> {
    await this.#empty(this.#outer, patience);
  }

  /** Accepts nothing more. Resolves when all answers under way are sent, or `patience` is over. Twice is harmless. */
  async stop(patience: number): Promise<void> {
    await Promise.all([this.#empty(this.#inner, patience), this.#empty(this.#outer, patience)]);
  }

  async #empty({ listening, connections }: Door, patience: number): Promise<void> {
    for (const its of listening.splice(0)) its.stop();
    for (const its of [...connections]) its.finish();
    const cancel = this.#options.clock.after(patience, () => {
      for (const its of [...connections]) its.drop();
    });
    await Promise.all([...connections].map((its) => its.gone));
    cancel();
  }

  #accept(
    link: Link,
    its: Pick<SiteServerOptions, "answer"> & Pick<Door, "connections"> & { idle?: number },
  ): void {
    const { clock, fault } = this.#options;
    const { answer, connections, idle } = its;
    const connection = new SiteConnection(link, { clock, answer, fault, idle });
    connections.add(connection);
    void connection.gone.then(() => connections.delete(connection));
    link.handler = connection;
  }
}
