/** Settings into nginx: one worker, HTTP/2 over TLS, WebSockets passed on, nothing buffered. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Peer, Settings } from "./settings.ts";

export const nginx: Peer = {
  name: "nginx",
  program: "nginx",
  speaksH2: false,
  version: { argv: ["-v"], pattern: /nginx\/([\d.]+)/ },
  start(crew, settings) {
    const config = join(settings.dir, "nginx.conf");
    writeFileSync(config, configuration(settings));
    const argv = ["-p", settings.dir, "-c", config, "-e", join(settings.dir, "error.log")];
    return crew.start([settings.argv0, ...argv], { name: `nginx-${settings.port}`, side: "any" });
  },
};

function configuration({ dir, port, securePort, backend, certificate, key }: Settings): string {
  return `${process.getuid?.() === 0 ? "user root;" : ""}
daemon off;
worker_processes 1;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${dir}/client;
  proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi;
  scgi_temp_path ${dir}/scgi;
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  upstream backend { server 127.0.0.1:${backend}; keepalive 64; }
  server {
    listen 127.0.0.1:${port};
    listen 127.0.0.1:${securePort} ssl http2;
    ssl_certificate ${certificate};
    ssl_certificate_key ${key};
    ssl_protocols TLSv1.2 TLSv1.3;
    client_max_body_size 0;
    location / {
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_request_buffering off;
      proxy_buffering off;
    }
  }
}
`;
}
