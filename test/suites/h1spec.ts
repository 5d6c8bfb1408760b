/**
 * h1spec's own program, run by Bun with the few calls of Deno that it makes, and what it prints -> a score. Its
 * requests are to example.com; the connection that it is given writes the name of the server behind the proxy instead.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Score, scoreOf, type Suite, type Target, type Turn } from "./suite.ts";

export const h1spec: Suite = {
  label: "h1spec",
  title: "h1spec",
  behind: "echo",
  given: "h1spec's folder",
  run,
};

/** Milliseconds: each case waits for half a second, all at once. */
const patience = 30_000;

async function run(target: Target, { crew, given }: Turn): Promise<Score> {
  const program = join(given, "http_test.ts");
  if (!existsSync(program)) throw new Error(`no http_test.ts in ${given}`);
  const preload = join(import.meta.dir, "h1spec-deno.ts");
  const argv = ["--preload", preload, program, "127.0.0.1", String(target.port)];
  const child = crew.start([process.execPath, ...argv], {
    name: `h1spec-${target.name}`,
    side: "any",
    env: { H1SPEC_HOST: target.host },
  });
  // Connections that it leaves open keep Bun, but not Deno, from ending.
  const deadline = performance.now() + patience;
  const done = (): boolean => /out of \d+ tests passed/.test(child.printed());
  while (child.running() && !done() && performance.now() < deadline) await Bun.sleep(50);
  await child.stop();
  return readPrinted(child.printed());
}

/** `✅ Valid GET request: ...`, a line for each case. */
export function readPrinted(text: string): Score {
  return scoreOf(
    [...text.matchAll(/^(✅|❌) ([^:\n]+): (.*)$/gmu)].map(([, mark, name = "", why]) => ({
      name,
      why: mark === "✅" ? undefined : why,
    })),
  );
}
