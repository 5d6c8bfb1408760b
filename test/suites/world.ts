/** A server and the proxies that are installed into targets: ours and each peer in front of the same server. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { throwawayCertificateAuthority } from "../support/throwaway-certificate-authority.ts";
import { type Crew, installed, searchPath } from "../bench/crew.ts";
import { startServer } from "../bench/ours.ts";
import { freePort, ready } from "../bench/ready.ts";
import { caddy } from "./peers/caddy.ts";
import { haproxy } from "./peers/haproxy.ts";
import { nginx } from "./peers/nginx.ts";
import type { Peer, Settings } from "./peers/settings.ts";
import type { Behind, Target } from "./suite.ts";

export type World = { targets: Target[]; absent: string[] };

/** Milliseconds that a server may take to print its port. */
const patience = 5_000;

const peers: readonly Peer[] = [nginx, haproxy, caddy];

export async function startWorld(crew: Crew, behind: Behind): Promise<World> {
  const name = `suite-${behind}-${process.pid}`;
  const host = `${name}.localhost`;
  const dir = join(crew.dir, behind);
  mkdirSync(dir);
  const control = join(dir, "control.sock");
  const backend = await startBehind(crew, { behind, name, control });
  const files = await certificateFor(host, dir);

  const { program, port } = startServer(crew, { name: `localhostess-${behind}`, side: "any" });
  await ready(program, { port, host });
  const version = await versionOf(process.execPath);
  const ours = { name: "localhostess", version: `on Bun ${version}`, port, securePort: port };
  const world: World = { targets: [{ ...ours, host, control }], absent: [] };
  for (const peer of peers) {
    const argv0 = installed(peer.program);
    if (argv0 === undefined) {
      world.absent.push(`${peer.name}: not installed; apt-get install ${peer.program}`);
      continue;
    }
    if (behind === "h2-echo" && !peer.speaksH2) continue;
    const scheme = behind === "h2-echo" ? ("h2c" as const) : ("http" as const);
    const settings = { ...files, backend, scheme, host, argv0 };
    try {
      const started = await startPeer(crew, { ...settings, peer, dir });
      world.targets.push({ ...started, host, control });
    } catch (error) {
      world.absent.push(`${peer.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return world;
}

type Given = Omit<Settings, "port" | "securePort"> & { argv0: string; peer: Peer };

async function startPeer(
  crew: Crew,
  { peer, ...given }: Given,
): Promise<Pick<Target, "name" | "version" | "port" | "securePort">> {
  const dir = join(given.dir, peer.program);
  mkdirSync(dir);
  const ports = { port: freePort(), securePort: freePort() };
  const program = peer.start(crew, { ...given, ...ports, dir });
  await ready(program, { port: ports.port, host: given.host });
  const version = await versionOf(given.argv0, peer.version);
  return { name: peer.name, version, ...ports };
}

async function startBehind(
  crew: Crew,
  { behind, name, control }: { behind: Behind; name: string; control: string },
): Promise<number> {
  const file = join(import.meta.dir, `${behind}-server.ts`);
  const argv = [process.execPath, file, control];
  const program = crew.start(argv, { name: behind, side: "any", env: { NAME: name } });
  const deadline = performance.now() + patience;
  while (program.running() && performance.now() < deadline) {
    const printed = program.printed();
    if (/^\d+$/.test(printed)) return Number(printed);
    await Bun.sleep(20);
  }
  throw new Error(`the server behind the proxies does not start: ${program.printed()}`);
}

async function certificateFor(
  host: string,
  dir: string,
): Promise<Pick<Settings, "certificate" | "key" | "both">> {
  await using throwaway = await throwawayCertificateAuthority();
  const leaf = await throwaway.leafFor(host);
  const files = {
    certificate: join(dir, "certificate.pem"),
    key: join(dir, "key.pem"),
    both: join(dir, "both.pem"),
  };
  writeFileSync(files.certificate, leaf.certificate);
  writeFileSync(files.key, leaf.key, { mode: 0o600 });
  writeFileSync(files.both, `${leaf.certificate}\n${leaf.key}`, { mode: 0o600 });
  return files;
}

async function versionOf(
  program: string,
  { argv, pattern }: Peer["version"] = { argv: ["--version"], pattern: /([\d.]+)/ },
): Promise<string> {
  const child = Bun.spawn([program, ...argv], {
    env: { PATH: searchPath() },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return pattern.exec(out + errors)?.[1] ?? "of an unknown version";
}
