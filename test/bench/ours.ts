/**
 * A directory for its state into `localhostess server start`: the real program, which finds the backend by its
 * NAME.
 */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Crew, Program, Side } from "./crew.ts";
import type { StartPeer } from "./peer.ts";
import { freePort, ready } from "./ready.ts";

const root = resolve(import.meta.dir, "../..");

export type OursOptions = { name: string; side: Side; bunFlags?: readonly string[] };

export function startServer(
  crew: Crew,
  { name, side, bunFlags = [] }: OursOptions,
): { program: Program; port: number } {
  const port = freePort();
  const state = join(crew.dir, `${name}-state`);
  mkdirSync(state);
  const argv = [join(root, "src/main.ts"), "server", "start", "--port", String(port)];
  const program = crew.start([process.execPath, ...bunFlags, ...argv], {
    name,
    side,
    env: {
      LOCALHOSTESS_STATE_DIR: state,
      LOCALHOSTESS_HTTP_PORT: "off",
      LOCALHOSTESS_HTTPS_PORT: "off",
    },
  });
  return { program, port };
}

export const startOurs: StartPeer = async (crew, backend) => {
  const { program, port } = startServer(crew, { name: "localhostess", side: "proxy" });
  await ready(program, { port, host: backend.host });
  return { name: "localhostess", port, securePort: port, pid: program.pid };
};
