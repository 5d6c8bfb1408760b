/** h2spec's report in JUnit's form -> a score: strict, so that what RFC 9113 only recommends counts too. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { inNames } from "./in-names.ts";
import { type Score, scoreOf, type Suite, type Target, type Turn } from "./suite.ts";

/** Seconds that it waits for what a case expects. */
const timeout = 2;

export const h2spec: Suite = {
  label: "h2spec",
  title: "h2spec, strict",
  behind: "echo",
  given: "the folder that h2spec's program is in",
  run,
};

async function run(target: Target, { crew, given, dir }: Turn): Promise<Score> {
  const program = [join(given, "h2spec"), given].find(
    (path) => existsSync(path) && statSync(path).isFile(),
  );
  if (program === undefined) throw new Error(`no program h2spec in ${given}`);
  const report = join(dir, "report.xml");
  const argv = [program, "-h", target.host, "-p", String(target.securePort), "-t", "-k"];
  argv.push("--strict", "--timeout", String(timeout), "--junit-report", report);
  const child = crew.start(inNames(argv, { host: target.host, dir }), {
    name: `h2spec-${target.name}`,
    side: "any",
  });
  while (child.running()) await Bun.sleep(100);
  if (!existsSync(report)) throw new Error(`h2spec failed:\n${child.printed().slice(-2_000)}`);
  return readReport(readFileSync(report, "utf8"));
}

/** `6.5.3/1 Sends multiple values ...`, and what was expected and came. */
export function readReport(xml: string): Score {
  const cases = [...xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)];
  return scoreOf(
    cases.map(([, attributes = "", inside = ""]) => ({
      name: `${attribute(attributes, "package")} ${attribute(attributes, "classname")}`,
      why: /<failure|<error/.test(inside) ? textOf(inside) : undefined,
    })),
  );
}

function attribute(text: string, name: string): string {
  return unescaped(new RegExp(`\\b${name}="([^"]*)"`).exec(text)?.[1] ?? "");
}

function textOf(inside: string): string {
  const text = unescaped(inside.replace(/<!\[CDATA\[|\]\]>|<[^>]*>/g, " "));
  return text.replace(/\s+/g, " ").trim();
}

function unescaped(text: string): string {
  const named: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };
  return text.replace(/&(?:#(x?)([0-9a-f]+)|(\w+));/gi, (whole, hex, code, name) =>
    name === undefined
      ? String.fromCodePoint(Number.parseInt(code, hex ? 16 : 10))
      : (named[name] ?? whole),
  );
}
