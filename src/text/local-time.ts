/** A moment -> the date and the minute on the clock on the wall: `2026-11-29 03:05`. Pure but for the time zone. */

/** `time`: milliseconds since the Unix epoch. */
export function shownMinute(time: number): string {
  const date = new Date(time);
  const two = (number: number): string => String(number).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}
