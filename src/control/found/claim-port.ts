/** The wanted ports -> bound, taken over from a daemon of ours if it has them, and never from anybody else. */
import type { Clock } from "../../system/clock.ts";
import { type Alive, type Found, isAlive } from "./connect.ts";
import type { Registration } from "./protocol.ts";

/** `never`: waiting does not help, as without the permission. */
export type Vacancy = "free" | "taken" | "never";

export type ClaimOptions<T> = {
  clock: Clock;
  /** 0: the port that the last daemon had, if that is free, or else any. */
  port: number;
  /** Ports that are optional. */
  extras: readonly number[];
  /** Give up as soon as another daemon is found. */
  unlessRunning: boolean;
  /**
   * Give up where somebody has told the daemon to stop that we are to replace: nobody waits for us, or else whoever
   * does starts another one.
   */
  unlessStopped: boolean;
  find(): Promise<Found>;
  vacancy(port: number): Vacancy;
  /** Gets sockets for ports that `bind` could not have by itself. */
  prepare(port: number): Promise<void>;
  /** @throws the system's error where the port is taken or not allowed. */
  bind(port: number): T;
  /**
   * Asks our predecessor for what it knows, while it is there. `handed`: its listening sockets too, which `bind` then
   * uses. `shells`: no sockets. `busy`, `broken`: not now. `ending`: it was told to stop.
   *
   * `another`: while one daemon takes over from another, both answer at the same socket, and the record is of one.
   * `other-protocol`: the conversation has a version of its own.
   */
  inherit(found: Alive): Promise<"handed" | "shells" | "busy" | "broken" | "ending">;
  /** Writes our record, upon which our predecessor stands down, unless it has handed its sockets to us. */
  publish(port: number): Promise<void>;
  /** We listen on the sockets that were handed to us: our predecessor accepts no more. */
  taken(): Promise<void>;
  /** Whether nobody else has published since. */
  stillOurs(): boolean;
};

export type Claimed<T> =
  | {
      kind: "bound";
      bound: T;
      /** The daemon that we have asked to stand down. */
      predecessor: Registration | undefined;
    }
  /** `unlessRunning`, and a daemon is running. */
  | { kind: "running"; registration: Registration }
  /** While we waited, another daemon was started, or the one that is there was told to stop. */
  | { kind: "displaced" };

/** Milliseconds. */
const pollEvery = 20;
/** A daemon of ours that has the port may be about to publish, or to go. */
const patience = 1_500;
/** As long as a command waits for a daemon that is busy. */
const patienceWhileSilent = 10_000;
/** Our predecessor rereads the record every second, and closes its listeners before all else. */
const patienceOnceAsked = 8_000;
const patienceForExtras = 2_500;
/** Others that are started at the same time come first, each with its services; a command waits for us for a minute. */
export const patienceForOthers = 45_000;
const mostBroken = 3;
/** A conversation breaks where one daemon ends in favour of another, which takes a moment. */
const pauseOnceBroken = 250;

/** @throws the error of `bind` if waiting did not help, or the error of `publish`. */
export async function claimPort<T>(options: ClaimOptions<T>): Promise<Claimed<T>> {
  const { clock, extras, unlessRunning, find, vacancy, bind, inherit, publish } = options;
  const { taken, stillOurs } = options;
  let since = clock.now();
  let port = options.port;
  let predecessor: Registration | undefined;
  /** The main port is free, and only the optional ports that our predecessor has are waited for. */
  let forExtras = false;
  let isHanded = false;
  let broken = 0;
  /** A daemon of ours runs, and has not answered. */
  let isSilent = false;
  /** A daemon was there, and we are behind others that take over from it. */
  let isInLine = false;
  for (let first = true; ; first = false) {
    if (predecessor === undefined) {
      const found = await find();
      isSilent = found.kind === "silent" && found.alive;
      if (first && port === 0) port = found.registration?.port ?? 0;
      // A daemon that ends by itself removes its record; one that was killed leaves it.
      if (isInLine && options.unlessStopped && found.kind === "absent") {
        return { kind: "displaced" };
      }
      if (isAlive(found)) {
        if (unlessRunning && found.kind === "healthy") {
          return { kind: "running", registration: found.registration };
        }
        // Where the record was changed, the daemon itself says which ports it has.
        const its = found.handshake;
        const isTheirs = portsOf(its).includes(port);
        const vacant = vacancy(port);
        // A stranger has the port. Replacing our predecessor would not free it, so it had better stay.
        if (vacant === "free" || (isTheirs && vacant === "taken")) {
          const inherited = await inherit(found);
          if (inherited === "broken") broken += 1;
          if (inherited === "busy") isInLine = true;
          if (inherited === "ending" && options.unlessStopped) return { kind: "displaced" };
          const mayChange = inherited === "busy" || (inherited === "broken" && broken < mostBroken);
          if (mayChange && clock.now() - since <= patienceForOthers) {
            const pause = inherited === "busy" ? pollEvery : pauseOnceBroken;
            await new Promise<void>((resolve) => clock.after(pause, resolve));
            continue;
          }
          await options.prepare(port || its.port);
          await publish(port || its.port);
          predecessor = found.kind === "another" ? its : found.registration;
          since = clock.now();
          isHanded = inherited === "handed";
          forExtras = !isTheirs && !isHanded;
        }
      }
    } else if (!stillOurs()) {
      return { kind: "displaced" };
    }
    const waited = clock.now() - since;
    const busy = forExtras && extras.some((extra) => vacancy(extra) === "taken");
    if (!busy || waited > patienceForExtras) {
      try {
        await options.prepare(port);
        const bound = bind(port);
        if (isHanded) await taken();
        return { kind: "bound", bound, predecessor };
      } catch (error) {
        if ((error as { code?: unknown }).code !== "EADDRINUSE") throw error;
        const alone = isSilent ? patienceWhileSilent : patience;
        const asked = predecessor === undefined ? alone : patienceOnceAsked;
        // A predecessor that has handed over has no port any more that it could leave.
        if (isHanded || waited > asked) {
          if (options.port !== 0 || port === 0) throw error;
          port = 0;
          continue;
        }
      }
    }
    await new Promise<void>((resolve) => clock.after(pollEvery, resolve));
  }
}

function portsOf({ port, httpPort, httpsPort }: Registration): (number | undefined)[] {
  return [port, httpPort, httpsPort];
}
