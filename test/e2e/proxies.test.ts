/** Real servers that know of proxies, or are some themselves: nginx compresses, and circles through them end. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { connectRaw } from "../support/raw-end.ts";
import { type Running, running } from "../support/running.ts";
import { freePort } from "../support/servers.ts";
import type { Message } from "../support/strict-reader.ts";
import { startTestProxy, type TestProxy } from "../support/test-proxy.ts";
import { describeWith } from "../support/with-programs.ts";

const viteProgram = resolve(import.meta.dir, "../../node_modules/vite/bin/vite.js");

/** As `wire/nginx.conf` has it: Debian's defaults for gzip, with `gzip on`. */
function nginxConfiguration(folder: string, { page, circle, proxy }: Record<string, number>) {
  const folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `${process.getuid?.() === 0 ? "user root;" : ""}
daemon off; pid ${folder}/nginx.pid; error_log stderr notice; worker_processes 1;
events {}
http {
  access_log off; gzip on; gzip_types text/plain; gzip_min_length 10;
  ${folders.map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
  server {
    listen 127.0.0.1:${page};
    location / { return 200 "hello from nginx hello from nginx\\n"; }
    location = /folder { return 301 /folder/; }
  }
  server {
    listen 127.0.0.1:${circle};
    location / { proxy_pass http://127.0.0.1:${proxy}; proxy_set_header Host $http_host; }
  }
}
`;
}

let folder: string;
let proxy: TestProxy;
const ports = { page: freePort(), circle: freePort(), vite: freePort() };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "localhostess-proxies-"));
  const services = Object.entries(ports).map(([name, port]) => [name, { port }]);
  proxy = await startTestProxy({ services: Object.fromEntries(services), tlds: ["test"] });
});

afterAll(async () => {
  await proxy.stop();
  await rm(folder, { recursive: true, force: true });
});

async function get(target: string, host: string): Promise<Message> {
  using client = await connectRaw(proxy.port);
  client.send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nAccept-Encoding: gzip\r\n\r\n`);
  return await client.message();
}

/** Of one kind each: the name itself, the bare name, and the name under a configured domain. */
const ways = (name: string) =>
  [
    ["/", `${name}.localhost`],
    [`http://${name}/`, name],
    ["/", `${name}.test`],
  ] as const;

describeWith(["nginx"])("nginx", () => {
  let nginx: Running;

  beforeAll(async () => {
    const file = join(folder, "nginx.conf");
    await writeFile(file, nginxConfiguration(folder, { ...ports, proxy: proxy.port }));
    nginx = await running(["nginx", "-e", "stderr", "-c", file], {
      env: {},
      ready: /start worker process \d+/,
    });
  });

  afterAll(() => nginx?.end());

  test("compresses behind us as it does without us", async () => {
    for (const [target, host] of ways("page")) {
      expect((await get(target, host)).one("content-encoding")).toBe("gzip");
    }
  });

  test("redirects with its own port in the URL, and its client stays where it was", async () => {
    for (const [target, host] of ways("page")) {
      expect((await get(`${target}folder`, host)).one("location")).toBe(`http://${host}/folder/`);
    }
  });

  test("that proxies back to us gets 508 to pass on", async () => {
    for (const [target, host] of ways("circle")) {
      const answer = await get(target, host);
      expect(answer.status).toBe(508);
    }
  });
});

describeWith(["node"])("Vite", () => {
  test("that proxies back to us gets 508 to pass on", async () => {
    const root = join(folder, "vite.config.js");
    const to = { target: `http://127.0.0.1:${proxy.port}`, xfwd: true };
    const server = { host: "127.0.0.1", port: ports.vite, strictPort: true, proxy: { "/": to } };
    await writeFile(root, `export default ${JSON.stringify({ server })};\n`);
    const vite = await running([Bun.which("node")!, viteProgram], {
      env: {},
      cwd: folder,
      ready: /ready in/,
    });
    try {
      for (const [target, host] of ways("vite")) expect((await get(target, host)).status).toBe(508);
    } finally {
      await vite.end();
    }
  }, 60_000);
});
