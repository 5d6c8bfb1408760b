/** A backend into Caddy in front of it, as it comes: GOMAXPROCS is not set, so Go uses the CPUs it may run on. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { installed } from "../crew.ts";
import { missing, type StartPeer } from "../peer.ts";
import { freePort, ready } from "../ready.ts";

export const startCaddy: StartPeer = async (crew, backend) => {
  const caddy = installed("caddy");
  if (caddy === undefined) return missing("Caddy", "caddy");
  const port = freePort();
  const config = join(crew.dir, "Caddyfile");
  writeFileSync(
    config,
    `{
	admin off
	auto_https off
}
http://:${port} {
	bind 127.0.0.1
	reverse_proxy 127.0.0.1:${backend.port}
}
`,
  );
  const program = crew.start([caddy, "run", "--config", config, "--adapter", "caddyfile"], {
    name: "caddy",
    side: "proxy",
  });
  await ready(program, { port, host: backend.host });
  return { name: "Caddy", port, pid: program.pid };
};
