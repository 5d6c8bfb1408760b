/** Settings into Caddy: its defaults, a certificate from files, one site for both ports. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Peer, Settings } from "./settings.ts";

export const caddy: Peer = {
  name: "Caddy",
  program: "caddy",
  speaksH2: true,
  version: { argv: ["version"], pattern: /v?(\d[\d.]+)/ },
  start(crew, settings) {
    const config = join(settings.dir, "Caddyfile");
    writeFileSync(config, configuration(settings));
    return crew.start([settings.argv0, "run", "--config", config, "--adapter", "caddyfile"], {
      name: `caddy-${settings.port}`,
      side: "any",
    });
  },
};

/** `default_sni`: as the others do, it answers clients that name no server. */
function configuration({
  port,
  securePort,
  backend,
  scheme,
  host,
  certificate,
  key,
}: Settings): string {
  return `{
	admin off
	auto_https off
	default_sni ${host}
	servers {
		protocols h1 h2 h2c
	}
}
http://:${port} {
	bind 127.0.0.1
	reverse_proxy ${scheme}://127.0.0.1:${backend}
}
https://:${securePort} {
	bind 127.0.0.1
	tls ${certificate} ${key}
	reverse_proxy ${scheme}://127.0.0.1:${backend}
}
`;
}
