/** A cron expression -> its times, in this machine's time zone, or what is wrong with it. Pure but for the zone. */
import { Cron } from "croner";
import { shown } from "../text/shown.ts";

/** Completes "expected ...". */
export const scheduleForm =
  'minute, hour, day, month and weekday, such as "*/5 * * * *" or "0 3 * * MON", or "@hourly"';

const fields = ["second", "minute", "hour", "day", "month", "weekday"];

/** Within 400 years the calendar repeats itself, so what does not come then never does. */
const anyTime = Date.UTC(2000, 0, 1);

export function scheduleMistake(expression: string): string | undefined {
  const words = expression.trim().split(/\s+/);
  const named = words.length === 1 && words[0]!.startsWith("@");
  if (!named && words.length !== 5) return `expected ${scheduleForm}, got ${shown(expression)}`;
  if (words[0]!.toLowerCase() === "@reboot") {
    return '"@reboot" is no time; a service without a schedule is started by `up`';
  }
  try {
    if (nextTime(expression, anyTime) === undefined) return `${shown(expression)} never comes`;
    return undefined;
  } catch (error) {
    return `${shown(expression)} is not a schedule: ${plainWords((error as Error).message)}`;
  }
}

/**
 * Milliseconds since the Unix epoch: the first time after that one. Undefined: none comes. When clocks go forward, a
 * single time that is skipped is the first moment after the gap; when they go back, one that comes twice counts once.
 * @throws an Error where the expression is wrong.
 */
export function nextTime(expression: string, after: number): number | undefined {
  const cron = new Cron(expression.trim(), { paused: true, mode: "5-part" });
  return cron.nextRun(new Date(after))?.getTime();
}

/** The library's words, with the field's name in the place of its number. */
function plainWords(message: string): string {
  const text = message
    .replace(/^CronPattern: (?:Syntax error, )?/, "")
    .replace(/configuration entry (\d+) \(/, (_, at: string) => `its ${fields[Number(at)]} (`);
  return `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`;
}
