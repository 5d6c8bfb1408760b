/**
 * Http11Probe's cases, which are tables in C#, read from its sources and run as its own program runs them -> a score:
 * of the cases that it scores, those that pass or are only warned of.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runtime } from "./c-sharp/runtime.ts";
import { translate } from "./c-sharp/translate.ts";
import { type Case, runCase, type Verdict } from "./http11probe-case.ts";
import { type Score, scoreOf, type Suite, type Target, type Turn } from "./suite.ts";

/** Tables, and the methods that give their cases, in the order in which the program runs them. */
const tables: readonly [file: string, method: string][] = [
  ["ComplianceSuite", "GetTestCases"],
  ["SmugglingSuite", "GetTestCases"],
  ["SmugglingSuite", "GetSequenceTestCases"],
  ["MalformedInputSuite", "GetTestCases"],
  ["NormalizationSuite", "GetTestCases"],
  ["CapabilitiesSuite", "GetSequenceTestCases"],
  ["CookieSuite", "GetTestCases"],
];

/** Cases that wait for a time limit would take minutes one after another. */
const atOnce = 16;

export const http11probe: Suite = {
  label: "http11probe",
  title: "Http11Probe",
  behind: "echo",
  given: "Http11Probe's folder",
  run,
};

async function run(target: Target, { given }: Turn): Promise<Score> {
  const cases = casesIn(given).filter(({ Scored }) => Scored !== false);
  const results: { name: string; why: string | undefined }[] = [];
  const left = cases.entries();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const [index, one] of left) {
        const { verdict, came } = await runCase(one, target);
        const why = passes(verdict) ? undefined : `${verdict}: ${one.Description}; came ${came}`;
        results[index] = { name: one.Id, why };
      }
    }),
  );
  return scoreOf(results);
}

function passes(verdict: Verdict): boolean {
  return verdict === "Pass" || verdict === "Warn";
}

export function casesIn(folder: string): Case[] {
  const made = new Map<string, Record<string, () => Iterable<Case>>>();
  return tables.flatMap(([file, method]) => {
    const path = join(folder, `src/Http11Probe/TestCases/Suites/${file}.cs`);
    if (!existsSync(path)) throw new Error(`no ${path}`);
    const methods = made.get(file) ?? methodsOf(readFileSync(path, "utf8"));
    made.set(file, methods);
    return [...methods[method]!()];
  });
}

export function methodsOf(source: string): Record<string, () => Iterable<Case>> {
  return new Function("$", translate(source.replace(/^\uFEFF/, "")))(runtime);
}
