/** The HTTP port that open pages know -> a door there, or a door elsewhere until that port is free. */
import type { HttpDoor } from "../control/http/http.ts";
import type { Listening } from "../link/listen.ts";
import type { Ready } from "../link/listen-on-both.ts";
import { keepPort, keptPort } from "../dashboard/page-port.ts";
import type { Cancel, Clock } from "../system/clock.ts";

export type KeptDoor = {
  /** The door that the record names. */
  readonly http: HttpDoor;
  /** Every socket of every door; `page`: the record does not name it, and open pages know it. */
  sockets(): readonly { as: "api" | "page"; socket: Listening }[];
  /** Opens the doors of the daemon before, whose sockets listen already, in place of ours. */
  adopt(doors: { api: number; page: number | undefined; ready: Ready }): void;
  /** Another daemon listens on our sockets. */
  leave(): Promise<void>;
  /** Where a page is to be opened. */
  url(): string;
  connections(): number;
  credentialChanged(): void;
  stop(): Promise<void>;
};

export type KeptDoorOptions = {
  stateDirectory: string;
  clock: Clock;
  /** Pages may know the port from the start, and not only once `url` has been asked for. */
  known: boolean;
  note(text: string): void;
};

/** Milliseconds between attempts to have the port that open pages know. */
const doorInterval = 250;
/** Milliseconds after which the port is not a daemon's that is still going, but another program's. */
const patience = 30_000;

/**
 * A page that is open cannot follow us to another port. So the door is where the last daemon's was. While that daemon
 * is still going, there is a second door, opened as soon as its port is free. Where that takes too long, pages that are
 * opened from then on have the port of the first door, and the next daemon opens there.
 */
export async function openKept(
  openAt: (port: number, ready?: Ready) => HttpDoor,
  { stateDirectory, clock, known, note }: KeptDoorOptions,
): Promise<KeptDoor> {
  const kept = await keptPort(stateDirectory);
  const open = (port: number): HttpDoor | undefined => {
    try {
      return openAt(port);
    } catch {
      // Another process has the port. Which one does not matter: any other port does as well.
      return undefined;
    }
  };
  let http = (kept === 0 ? undefined : open(kept)) ?? openAt(0);
  const keep = (port: number): void => {
    keepPort(stateDirectory, port).catch((error: Error) => {
      note(`an open page will not find the next daemon: ${error.message}`);
    });
  };
  let second: HttpDoor | undefined;
  let taken = false;
  let cancel: Cancel = () => {};
  let cancelPatience: Cancel = () => {};
  if (kept !== 0 && http.port !== kept) {
    cancel = clock.every(doorInterval, () => {
      second = open(kept);
      if (second === undefined) return;
      cancel();
      cancelPatience();
    });
    cancelPatience = clock.after(patience, () => {
      taken = true;
      if (known) keep(http.port);
    });
  } else if (kept === 0 && known) keep(http.port);
  return {
    get http() {
      return http;
    },
    sockets: () => [
      ...http.sockets.map((socket) => ({ as: "api", socket }) as const),
      ...(second?.sockets ?? []).map((socket) => ({ as: "page", socket }) as const),
    ],
    adopt({ api, page, ready }) {
      cancel();
      cancelPatience();
      taken = false;
      const before = [http, second];
      http = openAt(api, ready);
      second = page === undefined ? undefined : openAt(page, ready);
      // Nobody knows these yet.
      for (const door of before) void door?.stop();
      if (known) keep((second ?? http).port);
    },
    async leave() {
      cancel();
      cancelPatience();
      await Promise.all([http.leave(), second?.leave()]);
    },
    url() {
      const { url, port } = second ?? http;
      // Not before there is a page that would look for it.
      if (kept === 0 || taken) keep(port);
      return url;
    },
    connections: () => http.connections + (second?.connections ?? 0),
    credentialChanged() {
      http.credentialChanged();
      second?.credentialChanged();
    },
    async stop() {
      cancel();
      cancelPatience();
      await Promise.all([http.stop(), second?.stop()]);
    },
  };
}
