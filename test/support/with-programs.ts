/** Programs that tests need -> `describe`, or where one is missing a `describe` that is one line which says so. */
import { describe, test } from "bun:test";
import { lacking, type ProgramName } from "./debian.ts";

export function describeWith(
  programs: readonly ProgramName[],
): (title: string, tests: () => void) => void {
  const needs = lacking(programs);
  if (needs === "") return (title, tests) => describe(title, tests);
  // A suite that is skipped would be a line for each of its tests.
  return (title) => test.skip(`${title}${needs}`, () => {});
}
