/** A backend into HAProxy in front of it: one thread, no log, idle connections to the backend kept. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { installed } from "../crew.ts";
import { missing, type StartPeer } from "../peer.ts";
import { freePort, ready } from "../ready.ts";

export const startHaproxy: StartPeer = async (crew, backend) => {
  const haproxy = installed("haproxy");
  if (haproxy === undefined) return missing("HAProxy", "haproxy");
  const port = freePort();
  const config = join(crew.dir, "haproxy.cfg");
  writeFileSync(
    config,
    `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
listen bench
  bind 127.0.0.1:${port}
  server backend 127.0.0.1:${backend.port} pool-max-conn 256
`,
  );
  const program = crew.start([haproxy, "-q", "-f", config], { name: "haproxy", side: "proxy" });
  await ready(program, { port, host: backend.host });
  return { name: "HAProxy", port, pid: program.pid };
};
