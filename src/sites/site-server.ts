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

export class SiteServer {
  readonly #options: SiteServerOptions;
  readonly #listening: Listening[] = [];
  readonly #atPort: Listening[] = [];
  readonly #connections = new Set<SiteConnection>();
  #empty: PromiseWithResolvers<void> | undefined;

  constructor(options: SiteServerOptions) {
    this.#options = options;
  }

  /** For our own proxy, which has judged the request's name. @throws the system's error. */
  listenAt(path: string): void {
    const { answer } = this.#options;
    this.#listening.push(
      listen({ path }, (link) => this.#accept(link, { answer, idle: undefined })),
    );
  }

  /** On both loopback addresses. Returns the port. @throws the system's error. */
  listenOn(port: number): number {
    const answer = async (request: SiteRequest): Promise<SiteAnswer> =>
      this.#options.isOurs(request.host) ? await this.#options.answer(request) : bare(421);
    const both = listenOnBoth({ port, note() {} }, (link) =>
      this.#accept(link, { answer, idle: idlePatience }),
    );
    this.#atPort.push(...both.listening);
    return both.port;
  }

  /** Another process listens at the port from now on; connections go on. */
  leavePort(): void {
    for (const its of this.#atPort.splice(0)) its.stop();
  }

  /** Accepts nothing more. Resolves when all answers under way are sent, or `patience` is over. Twice is harmless. */
  async stop(patience: number): Promise<void> {
    this.leavePort();
    for (const its of this.#listening.splice(0)) its.stop();
    for (const its of [...this.#connections]) its.finish();
    if (this.#connections.size === 0) return;
    this.#empty ??= Promise.withResolvers();
    const cancel = this.#options.clock.after(patience, () => {
      for (const its of [...this.#connections]) its.drop();
    });
    await this.#empty.promise;
    cancel();
  }

  #accept(
    link: Link,
    { answer, idle }: Pick<SiteServerOptions, "answer"> & { idle: number | undefined },
  ): void {
    const { clock, fault } = this.#options;
    const connection: SiteConnection = new SiteConnection(
      link,
      { clock, answer, fault, idle },
      () => {
        this.#connections.delete(connection);
        if (this.#connections.size === 0) this.#empty?.resolve();
      },
    );
    this.#connections.add(connection);
    link.handler = connection;
  }
}
