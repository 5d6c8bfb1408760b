/** Settings into HAProxy: one thread, HTTP/2 over TLS, idle connections to the server used again. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Peer, Settings } from "./settings.ts";

export const haproxy: Peer = {
  name: "HAProxy",
  program: "haproxy",
  speaksH2: true,
  version: { argv: ["-v"], pattern: /version ([\d.]+)/i },
  start(crew, settings) {
    const config = join(settings.dir, "haproxy.cfg");
    writeFileSync(config, configuration(settings));
    return crew.start([settings.argv0, "-q", "-f", config], {
      name: `haproxy-${settings.port}`,
      side: "any",
    });
  },
};

function configuration({ port, securePort, backend, scheme, both }: Settings): string {
  return `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 60s
  http-reuse always
frontend suites
  bind 127.0.0.1:${port}
  bind 127.0.0.1:${securePort} ssl crt ${both} alpn h2,http/1.1
  default_backend behind
backend behind
  server behind 127.0.0.1:${backend} pool-max-conn 64${scheme === "h2c" ? " proto h2" : ""}
`;
}
