/** A backend into portless in front of it: installed from npm into the bench's directory, plain HTTP, one alias. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Crew } from "../crew.ts";
import type { StartPeer } from "../peer.ts";
import { freePort, ready } from "../ready.ts";

const portlessVersion = "0.15.6";

/** portless wants Node >= 24. This is the package that npm's `node` installs for a platform: the program itself. */
const nodePackage = `node-${process.platform}-${process.arch}`;
const nodeVersion = "24.21.0";

export const startPortless: StartPeer = async (crew, backend) => {
  const dir = join(crew.dir, "portless");
  const failure = await install(dir);
  if (failure !== undefined) return { name: "portless", absent: failure };
  const state = join(dir, "state");
  mkdirSync(state);
  const argv = [
    join(dir, "node_modules", nodePackage, "bin/node"),
    join(dir, "node_modules/portless/dist/cli.js"),
  ];
  // Without these it would write to /etc/hosts, to the home directory and, with TLS, to the system's trust store.
  const env = { PORTLESS_STATE_DIR: state, PORTLESS_SYNC_HOSTS: "0", PORTLESS_HTTPS: "0" };
  const port = freePort();
  const flags = ["--no-tls", "--skip-trust", "--foreground", "--port", String(port)];
  const program = crew.start([...argv, "proxy", "start", ...flags], {
    name: "portless",
    side: "proxy",
    env,
  });
  await ready(program, { port, host: "portless.invalid", status: 404 });
  await alias(crew, { argv, env, name: backend.name, port: backend.port });
  await ready(program, { port, host: backend.host });
  return { name: "portless", port, pid: program.pid };
};

/** @returns why it could not be installed. */
async function install(dir: string): Promise<string | undefined> {
  mkdirSync(dir);
  writeFileSync(join(dir, "package.json"), "{}");
  const packages = [`portless@${portlessVersion}`, `${nodePackage}@${nodeVersion}`];
  const child = Bun.spawn([process.execPath, "add", "--ignore-scripts", "--exact", ...packages], {
    cwd: dir,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const printed = await child.stderr.text();
  if ((await child.exited) === 0) return undefined;
  return `could not be installed from npm: ${printed.trim().split("\n").at(-1)}`;
}

async function alias(
  crew: Crew,
  turn: { argv: string[]; env: Record<string, string>; name: string; port: number },
): Promise<void> {
  const child = Bun.spawn([...turn.argv, "alias", turn.name, String(turn.port)], {
    cwd: crew.dir,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    env: { PATH: process.env.PATH ?? "", HOME: crew.dir, ...turn.env },
  });
  const printed = await child.stderr.text();
  if ((await child.exited) !== 0) throw new Error(`portless alias failed: ${printed}`);
}
