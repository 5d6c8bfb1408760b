/**
 * A backend into nginx in front of it, plain and by TLS: one worker, no access log, idle connections to the
 * backend kept.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { throwawayCertificateAuthority } from "../../support/throwaway-certificate-authority.ts";
import { installed } from "../crew.ts";
import { missing, type StartPeer } from "../peer.ts";
import { freePort, ready } from "../ready.ts";

export const startNginx: StartPeer = async (crew, backend) => {
  const nginx = installed("nginx");
  if (nginx === undefined) return missing("nginx", "nginx");
  const dir = join(crew.dir, "nginx");
  mkdirSync(dir);
  const port = freePort();
  const securePort = freePort();
  const config = join(dir, "nginx.conf");
  await using throwaway = await throwawayCertificateAuthority();
  // As ours: P-256, signed by an authority that its clients would have.
  const leaf = await throwaway.leafFor(backend.host);
  writeFileSync(join(dir, "key.pem"), leaf.key, { mode: 0o600 });
  writeFileSync(join(dir, "certificate.pem"), leaf.certificate);
  writeFileSync(config, configuration({ dir, port, securePort, backend: backend.port }));
  const program = crew.start([nginx, "-p", dir, "-c", config, "-e", join(dir, "error.log")], {
    name: "nginx",
    side: "proxy",
  });
  await ready(program, { port, host: backend.host });
  return { name: "nginx", port, securePort, pid: program.pid };
};

/** The worker stays who we are, because `user nobody` could not write into our directory. */
function configuration({
  dir,
  port,
  securePort,
  backend,
}: {
  dir: string;
  port: number;
  securePort: number;
  backend: number;
}) {
  return `${process.getuid?.() === 0 ? "user root;" : ""}
daemon off;
worker_processes 1;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path ${dir}/client;
  proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi;
  scgi_temp_path ${dir}/scgi;
  upstream backend {
    server 127.0.0.1:${backend};
    keepalive 256;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port};
    listen 127.0.0.1:${securePort} ssl http2;
    ssl_certificate ${dir}/certificate.pem;
    ssl_certificate_key ${dir}/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache off;
    ssl_session_tickets off;
    client_max_body_size 0;
    location / {
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
    }
  }
}
`;
}
