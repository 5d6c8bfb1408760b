/** Time that passes, the time of day, and timers -> a value that a test can move by hand. */

/** Cancels a timer. Calling it again, or after the timer fired, does nothing. */
export type Cancel = () => void;

export interface Clock {
  /**
   * Milliseconds since some moment; only differences mean anything. For deadlines, waits and ages: setting the clock
   * does not change it, and it stands still while the machine sleeps (CLOCK_MONOTONIC), as timers do. A service has
   * not used up its time to start because a lid was closed.
   */
  now(): number;
  /**
   * Milliseconds since the Unix epoch. For people, files and certificates: it may be set at any moment, either way, so
   * that the difference of two of them is no duration.
   */
  wall(): number;
  /** Runs `action` once, `delay` milliseconds from now; a delay below zero is a deadline that has passed: soon. */
  after(delay: number, action: () => void): Cancel;
  /** Runs `action` every `period` milliseconds until cancelled. */
  every(period: number, action: () => void): Cancel;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(delay, action) {
    // A part of a millisecond would be cut off, and the timer fire before its time by this clock.
    const timer = setTimeout(action, Math.max(0, Math.ceil(delay)));
    return () => clearTimeout(timer);
  },
  every(period, action) {
    const timer = setInterval(action, period);
    return () => clearInterval(timer);
  },
};
