/**
 * Projects in the forms that the examples of the first locald have, each with what it needs besides its file. Written
 * anew: the forms are what counts.
 */

export type Example = {
  name: string;
  /** The text of its locald.toml. */
  toml?: string;
  procfile?: string;
  /** Small stand-ins for the files that its commands name; those that end in `.sh` may be run. */
  files?: Readonly<Record<string, string>>;
  /** Parts of the warnings that its files are told with, in their order. */
  warns?: readonly string[];
  /** Service -> the state that it comes to, where it can run without the network; undefined: it cannot. */
  states?: Readonly<Record<string, string>>;
  /** The program that has to be there. */
  needs?: "postgres";
};

/** A server on the port that it is given. */
const serve = "#!/bin/sh\nexec python3 -m http.server --bind 127.0.0.1 $PORT\n";
const api = `import http.server, os
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), http.server.SimpleHTTPRequestHandler).serve_forever()
`;
const loop = "while true; do echo 'at it'; sleep 1; done";

/** Programs by these names, which stand before the real ones: whatever they are told, they serve. */
export const standIns: Readonly<Record<string, string>> = { pnpm: serve, npm: serve };

export const examples: readonly Example[] = [
  {
    name: "commands-that-end",
    toml: `[project]
name = "tried"
domain = "tried.localhost"
[services.first]
type = "exec"
command = "echo 'Hello'"
[services.web]
type = "exec"
command = "no-such-program --name first"
`,
    states: { first: "exited", web: "backoff" },
  },
  {
    name: "colours",
    toml: `[project]
name = "colours"
[services.log]
command = "bash"
args = [
  "-c",
  "while true; do echo -e '\\\\x1b[31mred\\\\x1b[0m'; sleep 1; done",
]
`,
    states: { log: "running" },
  },
  {
    name: "build-with-a-command",
    toml: '[project]\nname = "built"\n[services.web]\ncommand = "npm start"\nbuild = { builder = "heroku/builder:22" }\n',
  },
  {
    name: "palette",
    toml: `[project]
name = "palette"
domain = "palette.localhost"
[services.web]
type = "exec"
command = "python3 -m http.server $PORT --directory web"
port = 3000
[services.api]
type = "exec"
command = "python3 api/server.py"
port = 4000
depends_on = ["db"]
[services.db]
type = "postgres"
version = "15"
`,
    files: { "web/index.html": "hello", "api/server.py": api },
    needs: "postgres",
    states: { web: "ready", api: "ready", db: "ready" },
  },
  {
    name: "one-container",
    toml: '[project]\nname = "one"\n[services.redis]\ntype = "container"\nimage = "redis:7"\ncontainer_port = 6379\n',
  },
  {
    name: "two-in-order",
    toml: `[project]
name = "order"
[services.a]
command = "./script.sh a"
depends_on = ["b"]
[services.b]
command = "./script.sh b"
`,
    files: { "script.sh": serve },
    states: { a: "ready", b: "ready" },
  },
  {
    name: "image-without-a-type",
    toml: `[project]
name = "images"
domain = "images.test"
[services.redis]
image = "redis:alpine"
container_port = 6379
[services.worker]
command = "echo started; ${loop}"
depends_on = ["redis"]
`,
    warns: ["names under .test are not served, so that images.localhost is used"],
  },
  {
    name: "script",
    toml: '[project]\nname = "script"\n[services.web]\ncommand = "./server.sh"\n',
    files: { "server.sh": serve },
    states: { web: "ready" },
  },
  {
    name: "variables",
    toml: '[project]\nname = "variables"\n[services.printer]\ncommand = "echo FOO=$FOO BAZ=$BAZ"\n',
    files: { ".env": "FOO=bar\nBAZ=qux\n" },
    states: { printer: "exited" },
  },
  {
    name: "signs-of-health",
    toml: `[project]
name = "signs"
[services.redis]
image = "redis:alpine"
container_port = 6379
[services.notify-app]
command = "./notify.sh"
depends_on = ["redis"]
[services.tcp-app]
command = "./tcp.sh"
depends_on = ["notify-app"]
`,
    files: { "notify.sh": serve, "tcp.sh": serve },
  },
  {
    name: "checks",
    toml: `[project]
name = "checks"
[services.http-web]
command = "python3 -m http.server 8081"
port = 8081
[services.http-web.health_check]
type = "http"
path = "/"
[services.cmd-worker]
type = "worker"
command = "sh -c \\"sleep 1; touch ready; sleep 1000\\""
health_check = "test -f ready"
`,
    states: { "http-web": "ready", "cmd-worker": "ready" },
  },
  {
    name: "host-first",
    toml: '[project]\nname = "host-first"\n[services.web]\ncommand = "./run.sh"\n',
    files: { "run.sh": serve },
    states: { web: "ready" },
  },
  {
    name: "sign-in",
    toml: `[project]
name = "sign-in"
domain = "sign-in.localhost"
[services.sign-in]
type = "exec"
command = "python3 server/server.py"
port = 4444
depends_on = ["db"]
[services.consent]
type = "exec"
command = "python3 -m http.server $PORT --directory consent"
port = 3001
[services.db]
type = "postgres"
version = "15"
`,
    files: { "server/server.py": api, "consent/index.html": "yes" },
    needs: "postgres",
    states: { "sign-in": "ready", consent: "ready", db: "ready" },
  },
  {
    name: "build-without-a-command",
    toml: '[project]\nname = "unstarted"\n[services.web]\n[services.web.build]\n',
    states: { web: "failed" },
  },
  {
    name: "another-port",
    toml: '[project]\nname = "another"\n[services.web]\ncommand = "python3 -m http.server 8000"\n',
    states: { web: "ready" },
  },
  {
    name: "two-databases",
    toml: `[project]
name = "two-databases"
domain = "two-databases.localhost"
[services.db1]
type = "postgres"
version = "15"
[services.db2]
type = "postgres"
version = "15"
`,
    needs: "postgres",
    states: { db1: "ready", db2: "ready" },
  },
  {
    name: "database-port",
    toml: '[project]\nname = "database-port"\n[services.db]\ntype = "postgres"\nversion = "15"\nport = 5432\n',
    needs: "postgres",
    states: { db: "ready" },
  },
  {
    name: "procfile",
    procfile: `web: python3 -m http.server $PORT\nworker: ${loop}\n`,
    states: { web: "ready", worker: "ready" },
  },
  {
    name: "no-services",
    toml: '[project]\nname = "nothing-yet"\n',
    warns: ["no services are declared"],
    states: {},
  },
  {
    name: "back-end",
    toml: '[project]\nname = "back-end"\ndomain = "shop-api.localhost"\n[services.api]\ncommand = "python3 -m http.server $PORT"\n',
    states: { api: "ready" },
  },
  {
    name: "front-end",
    toml: '[project]\nname = "front-end"\ndomain = "shop.localhost"\n[services.web]\ncommand = "python3 -m http.server $PORT"\n',
    states: { web: "ready" },
  },
  {
    name: "signal",
    toml: '[project]\nname = "signal"\n[services.trapper]\ncommand = "./trap.sh"\nstop_signal = "SIGINT"\n',
    files: { "trap.sh": `#!/bin/bash\ntrap 'echo interrupted; exit 0' INT\n${loop}\n` },
    states: { trapper: "running" },
  },
  {
    name: "empty-values",
    toml: `[project]
name = "empty-values"
domain = "empty-values.localhost"
[services.web]
command = "python3 -m http.server $PORT"
depends_on = []
[services.web.env]
`,
    states: { web: "ready" },
  },
  { name: "procfile-of-node", procfile: "web: pnpm start\n", states: { web: "ready" } },
  {
    name: "worker",
    toml: `[project]\nname = "worker"\n[services.worker]\ntype = "worker"\ncommand = "${loop}"\n`,
    states: { worker: "ready" },
  },
  {
    name: "domain-with-a-dot",
    toml: '[project]\nname = "dashboard"\ndomain = "dev.tool.localhost"\n[services.web]\ntype = "exec"\ncommand = "pnpm dev --port $PORT"\n',
    states: { web: "ready" },
  },
  {
    name: "documents",
    toml: '[project]\nname = "documents"\n[services.web]\ncommand = "pnpm astro dev --port $PORT"\n',
    states: { web: "ready" },
  },
  {
    name: "all-together",
    toml: `[project]
name = "together"
[services.test-postgres-3]
type = "postgres"
version = "15"
[services.docs]
type = "site"
path = "docs"
[services.docs-dev]
command = "test -d . && pnpm astro dev --port $PORT"
workdir = "tool-docs"
[services.dashboard]
command = "pnpm dev --port $PORT"
workdir = "tool-dashboard"
depends_on = ["test-postgres-3"]
[services.dashboard.env]
DEMO_DB_URL = "\${services.test-postgres-3.url}"
`,
    files: { "docs/index.html": "docs", "tool-docs/x": "", "tool-dashboard/x": "" },
    needs: "postgres",
    states: { "test-postgres-3": "ready", docs: "ready", "docs-dev": "ready", dashboard: "ready" },
  },
];

/** Writes an example into a folder. */
export async function written(
  folder: string,
  { toml, procfile, files = {} }: Pick<Example, "toml" | "procfile" | "files">,
): Promise<void> {
  const { chmod, mkdir, writeFile } = await import("node:fs/promises");
  const { dirname, join } = await import("node:path");
  const all = {
    ...files,
    ...(toml === undefined ? {} : { "locald.toml": toml }),
    ...(procfile === undefined ? {} : { Procfile: procfile }),
  };
  for (const [path, text] of Object.entries(all)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
    if (path.endsWith(".sh")) await chmod(join(folder, path), 0o755);
  }
}
