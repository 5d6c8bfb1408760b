/** The current time and timers -> a value that a test can move by hand. */

/** Cancels a timer. Calling it again, or after the timer fired, does nothing. */
export type Cancel = () => void;

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Runs `action` once, `delay` milliseconds from now. */
  after(delay: number, action: () => void): Cancel;
  /** Runs `action` every `period` milliseconds until cancelled. */
  every(period: number, action: () => void): Cancel;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delay, action) {
    const timer = setTimeout(action, delay);
    return () => clearTimeout(timer);
  },
  every(period, action) {
    const timer = setInterval(action, period);
    return () => clearInterval(timer);
  },
};
