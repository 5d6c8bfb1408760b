/** wstest's report of the fuzzing client -> a score, by plain HTTP, by TLS and by HTTP/2. */
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Bridge, h2Bridge, offersWebSockets, tlsBridge } from "./bridges.ts";
import { inNames } from "./in-names.ts";
import { type Score, scoreOf, type Suite, type Target, type Turn } from "./suite.ts";

/** Performance and compression have cases of their own, which say nothing of a proxy that passes bytes on. */
const excluded = ["9.*", "12.*", "13.*"];

type Way = {
  label: string;
  title: string;
  bridge: ((target: Target) => Promise<Bridge>) | undefined;
};

const ways: readonly Way[] = [
  { label: "autobahn", title: "Autobahn, WebSockets over HTTP/1.1", bridge: undefined },
  { label: "autobahn-tls", title: "Autobahn, over TLS", bridge: tlsBridge },
  { label: "autobahn-h2", title: "Autobahn, over HTTP/2 (RFC 8441)", bridge: h2Bridge },
];

export const autobahn: readonly Suite[] = ways.map(({ label, title, bridge }): Suite => ({
  label,
  title,
  behind: "sockets",
  given: "the program wstest, or its folder",
  folder: "autobahn",
  async run(target, turn) {
    if (bridge === h2Bridge && !(await offersWebSockets(target))) return "not offered";
    const opened = await bridge?.(target);
    try {
      return await run(target, { ...turn, port: opened?.port ?? target.port });
    } finally {
      opened?.stop();
    }
  },
}));

async function run(target: Target, turn: Turn & { port: number }): Promise<Score> {
  const { crew, given, dir, port, quick } = turn;
  const program = statSync(given).isDirectory() ? join(given, "wstest") : given;
  const spec = join(dir, "spec.json");
  writeFileSync(
    spec,
    JSON.stringify({
      outdir: dir,
      servers: [{ agent: "proxy", url: `ws://${target.host}:${port}`, options: { version: 18 } }],
      cases: quick ? ["1.*", "7.*"] : ["*"],
      "exclude-cases": excluded,
      "exclude-agent-cases": {},
    }),
  );
  const argv = inNames([program, "-m", "fuzzingclient", "-s", spec], { host: target.host, dir });
  const child = crew.start(argv, { name: `wstest-${target.name}-${port}`, side: "any" });
  while (child.running()) await Bun.sleep(200);
  const report = join(dir, "index.json");
  if (!existsSync(report)) throw new Error(`wstest failed:\n${child.printed().slice(-2_000)}`);
  return readReport(readFileSync(report, "utf8"));
}

type Case = { behavior: string; behaviorClose: string };

/** OK is a pass, and so are NON-STRICT and INFORMATIONAL, as in Autobahn's own table. */
export function readReport(json: string): Score {
  const passes = ["OK", "NON-STRICT", "INFORMATIONAL"];
  const [cases = {}] = Object.values(JSON.parse(json) as Record<string, Record<string, Case>>);
  return scoreOf(
    Object.entries(cases).map(([name, { behavior, behaviorClose }]) => {
      const passed = passes.includes(behavior) && passes.includes(behaviorClose);
      return { name, why: passed ? undefined : `${behavior}, close ${behaviorClose}` };
    }),
  );
}
