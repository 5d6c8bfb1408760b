/** Time and timers, as a value that a test can move by hand. */

/** Undoes a timer; calling it again, or after it fired, is harmless. */
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
