/** A declared site -> its files, served at a socket and perhaps a port, and its open pages, until it is stopped. */
import type { ServiceSpec } from "../../manifest/project.ts";
import type { SiteSpec } from "../../manifest/types/own.ts";
import { isOwnHost } from "../../sites/own-host.ts";
import { ReloadStreams } from "../../sites/reload-streams.ts";
import { isHidden } from "../../sites/site-path.ts";
import { SiteServer } from "../../sites/site-server.ts";
import { Site } from "../../sites/site.ts";
import type { Cancel, Clock } from "../../system/clock.ts";

export type SiteEffects = {
  /** A path for a unix socket, in a folder of ours alone; used once. */
  socketPath(): string;
  /** The next daemon serves it; resolves when the answers under way here are sent. */
  onLeft(done: Promise<void>): void;
  /** Paths below the folder that have changed, until it is cancelled. */
  watch(folder: string, hear: WatchNews): Cancel;
};

export type WatchNews = {
  onChange(paths: readonly string[]): void;
  onTrouble(troubles: readonly string[]): void;
};

export type ServedOptions = {
  /** `shop:docs`. */
  id: string;
  /** The project's: `shop.localhost`. */
  domain: string;
  port: number | undefined;
  clock: Clock;
  sites: SiteEffects;
  /** While it is, changes of its files wait for `show`. */
  isBuilt(): boolean;
  onTrouble(troubles: readonly string[]): void;
  /** A line of our own in the service's log. */
  say(text: string): void;
};

/** Milliseconds between two words to open pages: those that have gone are noticed. */
const beatPeriod = 25_000;

export class ServedSite {
  /** The path of the socket at which our proxy asks for its files. */
  readonly socket: string;
  readonly #own: SiteSpec;
  readonly #options: ServedOptions;
  readonly #server: SiteServer;
  readonly #streams = new ReloadStreams();
  /** Paths that have changed, and are not shown yet. */
  readonly #changed = new Set<string>();
  #stopWatching: Cancel = () => {};

  /** Nothing listens before `start`. */
  constructor(spec: ServiceSpec, options: ServedOptions) {
    const { id, domain, clock, sites, say } = options;
    const own = spec.own as SiteSpec;
    this.#own = own;
    this.#options = options;
    this.socket = sites.socketPath();
    const site = new Site({
      folder: own.path,
      fallback: own.fallback,
      listing: own.listing,
      reload: own.reload ? this.#streams : undefined,
      title: id,
    });
    const { routeName } = spec;
    this.#server = new SiteServer({
      clock,
      answer: (request) => site.answer(request),
      fault: (error) => say(`a request failed: ${(error as Error).message}`),
      isOurs: (host) => isOwnHost(host, { routeName, domain }),
    });
  }

  /** @throws the system's error; nothing listens then. */
  start(): void {
    const { port } = this.#options;
    try {
      if (port !== undefined) this.#server.listenOn(port);
      this.#server.listenAt(this.socket);
    } catch (error) {
      void this.#server.stop(0);
      throw error;
    }
    if (this.#own.reload) this.#stopWatching = this.#watch();
  }

  /** Loads open pages again, where a file of theirs has changed. */
  show(): void {
    const paths = [...this.#changed];
    this.#changed.clear();
    if (paths.length > 0) this.#streams.changed(paths);
  }

  /** Another daemon may listen at the port. */
  leavePort(): void {
    this.#server.leavePort();
  }

  /** The other daemon has not taken over. */
  takePort(): void {
    const { port, say } = this.#options;
    if (port === undefined) return;
    try {
      this.#server.listenOn(port);
    } catch (error) {
      say(`port ${port} is lost: ${(error as Error).message}`);
    }
  }

  /**
   * Another daemon has it. Resolves when the answers under way at the port are sent, or `patience` is over. Our proxy
   * may still ask at the socket.
   */
  async leave(patience: number): Promise<void> {
    this.#stopWatching();
    this.#streams.end();
    await this.#server.leftPort(patience);
  }

  /** Answers under way have `patience`, in milliseconds. Twice is harmless. */
  async stop(patience: number): Promise<void> {
    this.#stopWatching();
    this.#streams.end();
    await this.#server.stop(patience);
  }

  #watch(): Cancel {
    const { sites, clock, isBuilt, onTrouble } = this.#options;
    const cancel = sites.watch(this.#own.path, {
      onChange: (paths) => {
        for (const path of paths) {
          if (!path.split("/").some(isHidden)) this.#changed.add(`/${path}`);
        }
        // A build writes its files one after another.
        if (!isBuilt()) this.show();
      },
      onTrouble,
    });
    const stopBeat = clock.every(beatPeriod, () => this.#streams.beat());
    return () => {
      cancel();
      stopBeat();
    };
  }
}
