/**
 * The response corpus into its column of peers, response-peers.ts: every answer as curl sees it from the server itself,
 * through nginx, HAProxy and us. By hand: `bun test/corpus/beside-peers.ts`; it needs curl, nginx-light and haproxy.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/system/clock.ts";
import { crew, installed } from "../bench/crew.ts";
import { startHaproxy } from "../bench/peers/haproxy.ts";
import { startNginx } from "../bench/peers/nginx.ts";
import { inParallel } from "../support/in-parallel.ts";
import type { RawEnd } from "../support/raw-end.ts";
import { RawServer } from "../support/raw-server.ts";
import { startTestProxy } from "../support/test-proxy.ts";
import { turn } from "../support/turn.ts";
import { bodilessCases } from "./response-bodiless.ts";
import type { ResponseCase } from "./response-case.ts";
import { framingCases } from "./response-framing.ts";
import { headCases } from "./response-heads.ts";

/** Seconds after which an answer that has not ended counts as one that never does. */
const patience = "3";
const host = "api.localhost";

const cases = [...headCases, ...framingCases, ...bodilessCases];
const ready = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/** Answers `/n` with the bytes of case n. The strict reader has no part in it: curl may ask in HTTP/1.0. */
async function serve(end: RawEnd): Promise<void> {
  try {
    // As every server of plain HTTP that is asked whether it speaks TLS.
    if ((await end.first()) === 0x16) end.close();
    for (;;) {
      const request = await end.until("\r\n\r\n");
      const item = cases[Number(request.split(" ")[1]?.slice(1) || "NaN")];
      end.send(item?.bytes ?? ready);
      if (item?.after === "end") end.end();
      if (item?.after === "reset") {
        await turn();
        end.reset();
      }
    }
  } catch {
    // The client has left, or has nothing more to ask.
    end.reset();
  }
}

async function serveAll(server: RawServer): Promise<never> {
  for (;;) void serve(await server.next());
}

/** curl's exit codes that have a word of their own. */
const words: Record<number, string> = { 18: "cut", 28: "waits", 52: "closed", 56: "broken" };

/** The status, and what is wrong with the answer, if anything is. */
async function seen(port: number, item: ResponseCase, index: number): Promise<string> {
  const [line = "", ...fields] = item.request.split("\r\n");
  const isHead = line.startsWith("HEAD");
  const child = Bun.spawn(
    [
      "curl",
      "--silent",
      "--max-time",
      patience,
      ...(isHead ? ["--head"] : []),
      ...(line.endsWith("1.0") ? ["--http1.0"] : []),
      ...fields.filter((field) => field !== "").flatMap((field) => ["--header", field]),
      "--write-out",
      "%{stderr}%{http_code} %{exitcode}",
      `http://127.0.0.1:${port}/${index}`,
    ],
    { stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  );
  const [bytes, facts] = await Promise.all([child.stdout.bytes(), child.stderr.text()]);
  await child.exited;
  const [status = "000", exit = "0"] = facts.split(" ");
  const code = Number(exit);
  const told = status === "000" ? [] : [status];
  if (code !== 0) return [...told, words[code] ?? `error ${code}`].join(" ");
  const body = Buffer.from(bytes).toString("latin1");
  const wanted = item.verdict.kind === "passed" ? item.verdict.body : "hello";
  const isOther = !isHead && status !== "502" && body !== wanted && body !== "";
  return [...told, ...(isOther ? ["other body"] : [])].join(" ");
}

function versionOf(program: string, ...args: readonly string[]): string {
  const { stdout, stderr } = Bun.spawnSync([installed(program)!, ...args]);
  return /\d+(?:\.\d+)+/.exec(`${stdout}${stderr}`)?.[0] ?? "unknown";
}

const missing = ["curl", "nginx", "haproxy"].filter((program) => installed(program) === undefined);
if (missing.length > 0) {
  console.error(`Missing: ${missing.join(", ")}; apt-get install curl nginx-light haproxy`);
  process.exit(1);
}

const dir = mkdtempSync(join(tmpdir(), "localhostess-peers-"));
const all = crew(dir, { pin: false });
const server = new RawServer();
void serveAll(server);
try {
  const backend = { port: server.port, name: "api", host };
  const peers = [await startNginx(all, backend), await startHaproxy(all, backend)];
  const ports = [server.port, ...peers.map((peer) => ("port" in peer ? peer.port : 0))];
  const rows: string[] = [];
  await inParallel(cases.entries(), 12, async ([index, item]) => {
    const values: string[] = [];
    // Of a server that we know from another case we would know already whether it speaks TLS.
    const ours = await startTestProxy({
      services: { api: { port: server.port } },
      clock: systemClock,
    });
    for (const port of [...ports, ours.port]) {
      values.push(JSON.stringify(await seen(port, item, index)));
    }
    await ours.stop();
    rows[index] = `  ${JSON.stringify(item.name)}: [${values.join(", ")}],`;
  });
  const versions = `curl ${versionOf("curl", "--version")}, nginx ${versionOf("nginx", "-v")}, HAProxy ${versionOf("haproxy", "-v")}`;
  writeFileSync(
    join(import.meta.dir, "response-peers.ts"),
    `/** Cases of the response corpus -> what curl saw of them: direct, through nginx, HAProxy and us. Made by beside-peers.ts. */
import type { Peers } from "./responses.ts";

/** With ${versions}. */
export const responsePeers: Readonly<Record<string, Peers>> = {
${rows.join("\n")}
};
`,
  );
} finally {
  await all.end();
  server.stop();
  rmSync(dir, { recursive: true, force: true });
}
Bun.spawnSync(["bun", "fmt", "test/corpus/response-peers.ts"]);
process.exit(0);
