/**
 * Twenty times `server restart` under each kind of load: our own clients, wrk with kept and with new connections,
 * h2load with HTTP/1.1 over TLS and with HTTP/2; and a service that is supervised, before and after. By hand:
 * `bun test/soak/restart.ts [part of a title]`. Needs wrk and h2load. Exits 1 where a request was refused or broken.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { testServer } from "../cli/server-process.ts";
import { eventually } from "../support/eventually.ts";
import { projectPlace, server as supervised } from "../support/project-place.ts";
import { failures, kinds, load } from "../support/restart-load.ts";

const rounds = 20;
const wanted = process.argv[2] ?? "";

await using place = await projectPlace();
const { daemon } = place;
await using server = await testServer();
const host = `${server.name}.localhost`;
const command = supervised.replace("bun", process.execPath);
const folder = await place.project("shop", `[services.api]\ncommand = '''${command}'''\n`);
await place.up(folder);
const found = await daemon.find();
if (found.kind !== "healthy") throw new Error(found.kind);
const { port, url: api, socket } = found.registration;
await eventually("the server is found", async () => {
  return (await daemon.run("ls", "--json")).out.includes(server.name);
});
await fetch(`https://localhost:${port}/`, { tls: { rejectUnauthorized: false } });
const ca = await readFile(join(daemon.directory, "authority/certificate.pem"), "utf8");
const credential = (await readFile(join(daemon.directory, "credential"), "utf8")).trim();

let isWell = true;
let restarts = 0;

async function askedOfServer(): Promise<number> {
  return Number(await (await fetch(`http://127.0.0.1:${server.port}/count`)).text());
}

async function restart(): Promise<void> {
  const { code, err } = await daemon.run("server", "restart");
  restarts += 1;
  if (code === 0) return;
  isWell = false;
  console.log("server restart failed:", err);
}

async function restartWhile(isOver: () => boolean, most = rounds): Promise<number> {
  let count = 0;
  while (!isOver() && count < most) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    await restart();
    count += 1;
  }
  return count;
}

/** Lines of its output that tell of failures, and the one that counts. */
async function tool(
  command: readonly string[],
  { bad, counted, most = rounds }: { bad: RegExp; counted: RegExp; most?: number },
): Promise<string> {
  const child = Bun.spawn([...command], { stdio: ["ignore", "pipe", "pipe"] });
  let isOver = false;
  const [out, err, count] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    restartWhile(() => isOver, most),
    child.exited.then(() => {
      isOver = true;
    }),
  ]);
  const wrong = out.split("\n").filter((line) => bad.test(line));
  if (wrong.length > 0 || child.exitCode !== 0) {
    isWell = false;
    return `${count} restarts; FAILED ${child.exitCode}: ${wrong.join("; ")} ${err}`;
  }
  return `${count} restarts; ${counted.exec(out)?.[0] ?? out}`;
}

/** Until there were twenty restarts under the load of a tool that ends before. */
async function inRounds(command: readonly string[], { bad = h2Bad } = {}): Promise<string> {
  const said = [];
  for (const before = restarts; restarts < before + rounds;) {
    const limited = ["timeout", "120", ...command];
    said.push(await tool(limited, { bad, counted: h2Count, most: 2 }));
  }
  return `\n  ${said.join("\n  ")}`;
}

const seconds = 30;
const at = `http://127.0.0.1:${port}/`;
const header = ["-H", `Host: ${host}`];
const wrk = ["wrk", "-t1", "-c16", `-d${seconds}s`, ...header];
const wrkSays = { bad: /Socket errors|Non-2xx/, counted: /\d+ requests in [\d.]+s/ };
const h2load = ["h2load", "-c8", `--connect-to=127.0.0.1:${port}`];
const h2Bad = /requests: .*?(?:[1-9]\d* failed|[1-9]\d* errored|[1-9]\d* timeout)|[1-9]\d* [345]xx/;
const h2Count = /requests: .*/;

const runs: [title: string, run: () => Promise<string>][] = [
  [
    "our own clients",
    async () => {
      const its = load({ port, ca, name: server.name, api, socket, credential });
      await restartWhile(() => false);
      await its.stop();
      if (Object.keys(failures(its)).length > 0) isWell = false;
      for (const kind of kinds) {
        const { answered, refused, broken, wrong, longest } = its.counts[kind];
        const bad = `${refused} refused, ${broken} broken, ${wrong} wrong`;
        console.log(`  ${kind}: ${answered} answered, ${bad}; slowest ${Math.round(longest)} ms`);
      }
      return JSON.stringify(failures(its));
    },
  ],
  ["wrk, kept connections", () => tool([...wrk, at], wrkSays)],
  ["wrk, new connections", () => tool([...wrk, "-H", "Connection: close", at], wrkSays)],
  [
    // With a time instead of a count, h2load may go on for ever where an answer says `Connection: close`.
    "h2load, HTTP/1.1 over TLS",
    () => inRounds([...h2load, "--h1", "-n2000", `https://${host}:${port}/`]),
  ],
  [
    // Its clients end with GOAWAY, so that each restart has clients of its own. A request that waits in one of them to
    // be sent when GOAWAY comes is never sent, and is an error there: the server says whether one was lost.
    "h2load, HTTP/2",
    async () => {
      const command = [...h2load, "-m4", "-D4", `https://${host}:${port}/`];
      const before = await askedOfServer();
      const said = await inRounds(command, { bad: /[1-9]\d* [345]xx/ });
      const sum = (word: string): number =>
        [...said.matchAll(new RegExp(`(\\d+) ${word}`, "g"))].reduce(
          (all, its) => all + Number(its[1]),
          0,
        );
      const succeeded = sum("succeeded");
      // Its time was over before their answers came.
      const left = sum("started") - sum("done");
      const asked = (await askedOfServer()) - before;
      if (asked > succeeded + left) isWell = false;
      return `${said}\n  asked of the server: ${asked}, answered: ${succeeded}, left by h2load: ${left}`;
    },
  ],
];

const ready = (row: { ready: boolean }): boolean => row.ready;
const before = (await place.until("shop:api", ready)).pid;
for (const [title, run] of runs) {
  if (title.includes(wanted)) console.log(`${title}: ${await run()}`);
}
const after = (await place.until("shop:api", ready)).pid;
console.log(`${restarts} restarts; the service's pid: ${before}, ${after}`);
if (before !== after) isWell = false;
process.exitCode = isWell ? 0 : 1;
