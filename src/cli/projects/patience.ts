/** `--timeout`, as typed -> milliseconds. */
import { readDuration } from "../../text/duration.ts";
import { UsageError } from "../shared/settings.ts";

/** Undefined: without a limit. @throws UsageError */
export function patienceOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const read = readDuration(text);
  if (read.kind === "mistake") throw new UsageError([`--timeout: ${read.why}`]);
  if (read.value === 0) throw new UsageError(["--timeout: expected a duration longer than 0"]);
  return read.value;
}
