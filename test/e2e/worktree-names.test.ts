/** One NAME in several git worktrees, through the real program: each server has a name of its own. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { connect as connectH2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkServerIdentity, connect as connectTls } from "node:tls";
import { eventually } from "../support/eventually.ts";
import { type Program, startProgram } from "../support/program.ts";
import { type Repository, repository } from "../support/repository.ts";
import { type Running, running } from "../support/running.ts";
import { uniqueName } from "../support/servers.ts";

/** The name in all worktrees, which no other server of this machine has. */
const api = uniqueName("worktree");
const base = realpathSync(mkdtempSync(join(tmpdir(), "worktree-names-")));
const main = join(base, "shop");
const script = `const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response(process.env.TAG) });
console.log("port " + server.port);`;

let program: Program;
let git: Repository;
const servers: Running[] = [];

beforeAll(async () => {
  program = await startProgram();
  mkdirSync(main);
  git = await repository(main);
  await git.write("file", "");
  await git.commit("one");
  await git.git("worktree", "add", "--quiet", "-b", "feature/fix", join(base, "fix"));
  await git.git("branch", "idle");
}, 60_000);

afterAll(async () => {
  await Promise.all(servers.map((its) => its.end()));
  await program.stop();
  rmSync(base, { recursive: true, force: true });
});

async function start(folder: string, { tag, name = api }: { tag: string; name?: string }) {
  const its = await running([process.execPath, "-e", script], {
    cwd: folder,
    env: { NAME: name, TAG: tag },
    ready: /^port (\d+)$/m,
  });
  servers.push(its);
  return its;
}

async function get(name: string): Promise<{ status: number; body: string }> {
  const answer = await fetch(`http://127.0.0.1:${program.port}/`, {
    headers: { Host: `${name}.localhost` },
  });
  return { status: answer.status, body: await answer.text() };
}

/** By HTTP/2 and TLS, with a certificate for this very name. */
async function getH2(name: string): Promise<string> {
  const host = `${name}.localhost`;
  const socket = connectTls({
    port: program.port,
    host: "127.0.0.1",
    servername: host,
    ALPNProtocols: ["h2"],
    rejectUnauthorized: false,
  });
  await new Promise((resolve, reject) =>
    socket.once("secureConnect", resolve).once("error", reject),
  );
  expect(checkServerIdentity(host, socket.getPeerCertificate())).toBeUndefined();
  const session = connectH2(`https://${host}`, { createConnection: () => socket });
  try {
    const stream = session.request({ ":path": "/" });
    let body = "";
    for await (const chunk of stream.setEncoding("utf8")) body += chunk;
    return body;
  } finally {
    session.destroy();
  }
}

async function getByConnect(name: string): Promise<string> {
  const socket = connectTcp(program.port, "127.0.0.1");
  const host = `${name}.localhost`;
  socket.write(`CONNECT ${host}:80 HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  let text = "";
  for await (const chunk of socket.setEncoding("latin1")) {
    const before = text;
    text += chunk;
    if (before === "") socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    if (text.includes("\r\n\r\nby ")) break;
  }
  return text.slice(text.lastIndexOf("\r\n") + 2);
}

test("servers of several worktrees have names of their own from their first request on, by every way in", async () => {
  await start(main, { tag: "by main" });
  const fix = await start(join(base, "fix"), { tag: "by fix" });
  expect(await get(`feature-fix.${api}`)).toEqual({ status: 200, body: "by fix" });
  expect(await get(api)).toEqual({ status: 200, body: "by main" });
  expect(await get(`main.${api}`)).toEqual({ status: 200, body: "by main" });
  await start(main, { tag: "by longer", name: `longer.${api}` });
  expect(await getH2(`longer.${api}`)).toBe("by longer");
  await start(main, { tag: "by third", name: `third.${api}` });
  expect(await getByConnect(`third.${api}`)).toBe("by third");
  expect(await getH2(`x.feature-fix.${api}`)).toBe("by fix");

  // The branch changes under the running server, which keeps its name.
  await git.git("-C", join(base, "fix"), "switch", "--quiet", "-c", "other");
  expect((await get(`feature-fix.${api}`)).body).toBe("by fix");
  const other = await get(`other.${api}`);
  expect(other.status).toBe(404);
  expect(other.body).toContain(`cd ${join(base, "fix")} && NAME=${api} bun dev`);
  // Its old name is that of a branch which is checked out nowhere, once it has ended.
  await fix.end();
  const branch = `cd ${main} && localhostess worktree add feature/fix`;
  await eventually("its branch is told", async () =>
    (await get(`feature-fix.${api}`)).body.includes(branch),
  );
  await git.git("worktree", "remove", "--force", join(base, "fix"));
  await git.git("branch", "-D", "feature/fix", "other");
  await eventually("the worktree that is gone is told", async () => {
    const { status, body } = await get(`feature-fix.${api}`);
    expect(status).toBe(404);
    return body.includes("it was a server in the worktree");
  });
}, 60_000);

test("a branch that nobody has checked out is answered by no other checkout, and a new one neither", async () => {
  const idle = await get(`idle.${api}`);
  expect(idle).toMatchObject({ status: 404 });
  expect(idle.body).toContain(`cd ${main} && localhostess worktree add idle`);
  await git.git("branch", "brand-new");
  expect(await get(`x.brand-new.${api}`)).toMatchObject({ status: 404 });
  expect(await getH2(`idle.${api}`)).toContain("idle is the branch idle");
  expect(await get(`customer.${api}`)).toEqual({ status: 200, body: "by main" });
}, 60_000);
