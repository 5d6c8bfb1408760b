/** The state directory -> the turn to bring a daemon up. A crowd of starters takes turns, and finds the first one's. */
import { join } from "node:path";
import type { Clock } from "../../system/clock.ts";
import { lockFile } from "../../system/file-lock.ts";

export type Turn = {
  /** Twice is harmless; the kernel does it for a process that ends. */ release(): void;
};

export type TurnOptions = {
  stateDirectory: string;
  clock: Clock;
  /** Whether a daemon runs, so that nobody needs a turn. */
  runs(): Promise<boolean>;
  /** Milliseconds after which we go on without a turn, as whoever has it may hang. */
  patience?: number;
};

const usualPatience = 30_000;
/** Milliseconds between two attempts. */
const pollEvery = 50;
/** A probe costs more than an attempt. */
const attemptsPerLook = 5;

/**
 * Undefined: a daemon runs, so that there is nothing to start. Convergence needs no turns, but thirty daemons that
 * come up at once take thirty times as long, and all but one in vain.
 */
export async function turnToStart(options: TurnOptions): Promise<Turn | undefined> {
  const { stateDirectory, clock, runs, patience = usualPatience } = options;
  const end = clock.now() + patience;
  for (let attempt = 0; ; attempt++) {
    const turn = takeTurn(stateDirectory);
    if (turn !== undefined || attempt % attemptsPerLook === 0) {
      if (await runs()) {
        turn?.release();
        return undefined;
      }
    }
    if (turn !== undefined) return turn;
    if (clock.now() >= end) return withoutTurn;
    await new Promise<void>((resolve) => clock.after(pollEvery, resolve));
  }
}

/** Undefined where another process has the turn. */
export function takeTurn(stateDirectory: string): Turn | undefined {
  try {
    const locked = lockFile(join(stateDirectory, "start.lock"));
    return locked.kind === "locked" ? locked : undefined;
  } catch {
    // The directory cannot be written, so nobody takes turns; the daemon reports that itself.
    return withoutTurn;
  }
}

const withoutTurn: Turn = { release() {} };
