/** A variable and the beginning of its value -> processes of ours that have it, whoever has started them. */
import { readdirSync, readFileSync } from "node:fs";
import { sought, valueIn } from "./environment-value.ts";

/** Linux; none elsewhere. This process is not among them. */
export function startedWith(variable: string, { begins }: { begins: string }): number[] {
  const name = sought(variable);
  let entries: string[];
  try {
    entries = readdirSync("/proc");
  } catch {
    // macOS.
    return [];
  }
  return entries.map(Number).filter((pid) => {
    if (!Number.isInteger(pid) || pid === process.pid) return false;
    try {
      const environment = readFileSync(`/proc/${pid}/environ`);
      const value = valueIn(environment, name, { as: "utf8" });
      // The rest is none of our business, also not in a heap dump.
      environment.fill(0);
      return value?.startsWith(begins) === true;
    } catch {
      // Another user's, or gone.
      return false;
    }
  });
}
