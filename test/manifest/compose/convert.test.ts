/** Services of a compose file, key by key. */
import { describe, expect, test } from "bun:test";
import { keysOf, mistakesOf, notesOf, servicesOf, tomlOf } from "./composed.ts";

describe("a key", () => {
  test.each<[yaml: string, keys: Record<string, unknown>]>([
    ['ports: ["80"]', { port: 80 }],
    ["ports: [3000]", { port: 3000 }],
    ['ports: ["8080:80"]', { port: 8080, container_port: 80 }],
    ['ports: ["127.0.0.1:8080:80"]', { port: 8080, container_port: 80 }],
    ['ports: ["[::1]:8080:80/tcp"]', { port: 8080, container_port: 80 }],
    ['ports: ["127.0.0.1::80"]', { port: 80 }],
    ['ports: ["53:53/udp", "53:53/tcp"]', { port: 53, container_port: 53, ports: ["53:53/udp"] }],
    ['ports: ["53:53/udp"]', { ports: ["53:53/udp"] }],
    [
      'ports: ["9000:9000", "9001:9001"]',
      { port: 9000, container_port: 9000, ports: ["9001:9001"] },
    ],
    ['ports: ["3000-3001:4000-4001"]', { port: 3000, container_port: 4000, ports: ["3001:4001"] }],
    ['ports: ["3000-3010:80"]', { port: 80 }],
    ['ports: ["7000-7001"]', { port: 7000, ports: [7001] }],
    ['ports: ["8080:80", "8080:80"]', { port: 8080, container_port: 80 }],
    ["ports: [{ target: 80, published: 8080 }]", { port: 8080, container_port: 80 }],
    ['ports: [{ target: 80, published: "8080-8081", protocol: tcp, mode: host }]', { port: 80 }],
    ['ports: ["80:8080"]', { port: 8080 }],
    ["expose: [6379]", { port: 6379 }],
    [
      "volumes: [data:/d, ./x:/x:ro, ../y:/y, /abs:/z:rw, ~/h:/h]",
      {
        volumes: ["data:/d", "./x:/x:ro", "../y:/y", "/abs:/z", "~/h:/h"],
      },
    ],
    [
      "volumes: [.:/app:cached, /app/node_modules]",
      {
        volumes: [".:/app", "a-app-node-modules:/app/node_modules"],
      },
    ],
    [
      "volumes: [{ type: bind, source: x, target: /x, read_only: true }, { source: d, target: /d }]",
      { volumes: ["./x:/x:ro", "d:/d"] },
    ],
    [
      "environment: { A: 1, B: true, C: '', D: 0777 }",
      {
        env: { A: "1", B: "true", C: "", D: "0777" },
      },
    ],
    ["environment: [A=1, B=x=y, C=]", { env: { A: "1", B: "x=y", C: "" } }],
    ["environment: [A, B=1]", { env: { A: "${shell.A}", B: "1" } }],
    ["environment: { A: , B: ~ }", { env: { A: "${shell.A}", B: "${shell.B}" } }],
    ["environment: { A: 'x$$y $${Z} $5' }", { env: { A: "x$y $${Z} $5" } }],
    [
      "environment: { A: '${B}', C: '${D:-e}', F: '$G' }",
      {
        env: { A: "${shell.B:-}", C: "${shell.D:-e}", F: "${shell.G:-}" },
      },
    ],
    [
      "environment: { A: '${B:-${C:-d}}', E: '${F:?no}', G: '${H:+i}' }",
      {
        env: { A: "${shell.B:-${shell.C:-d}}", E: "${shell.F:?no}", G: "${shell.H:+i}" },
      },
    ],
    ["command: npm run dev", { command: "npm run dev" }],
    ['command: ["sh", "-c", "echo $$HOME && exit"]', { command: "sh -c 'echo $HOME && exit'" }],
    ["command: [a, '${B:-c d}']", { command: "a '${shell.B:-c d}'" }],
    ["command: \"echo '$${services.x}'\"", { command: "echo '$${services.x}'" }],
    ["entrypoint: /bin/run --x 'a b'", { entrypoint: ["/bin/run", "--x", "a b"] }],
    ["entrypoint: [sh, -c]", { entrypoint: ["sh", "-c"] }],
    ["user: 1000, working_dir: /app", { user: "1000", workdir: "/app" }],
    ["restart: unless-stopped", { restart: "always" }],
    ["restart: 'no'", { restart: "no" }],
    ["restart: on-failure", {}],
    [
      "stop_signal: SIGINT, stop_grace_period: 1m30s",
      { stop_signal: "SIGINT", stop_timeout: "1m30s" },
    ],
    ["profiles: [tools, tools]", { profiles: ["tools"] }],
    ["mem_limit: 512m", { limits: { memory: "512m" } }],
    ["deploy: { resources: { limits: { memory: 1G } } }", { limits: { memory: "1G" } }],
    ["pull_policy: always", { pull: "always" }],
    ["pull_policy: missing, tty: true, stdin_open: true, x-mine: 1", {}],
    [
      "healthcheck: { test: 'curl -f $$HOST' }",
      {
        health_check: { command: "curl -f $HOST", timeout: "30s" },
      },
    ],
    [
      "healthcheck: { test: [CMD, redis-cli, ping], interval: 1m30s, timeout: 0.5s, retries: 5 }",
      {
        health_check: {
          command: "redis-cli ping",
          interval: "1m30s",
          timeout: "500ms",
          retries: 5,
        },
        start_timeout: "7m30s",
      },
    ],
    [
      'healthcheck: { test: [CMD-SHELL, "a || b"], start_period: 2m, interval: 1s, timeout: 2s }',
      {
        health_check: { command: "a || b", interval: "1s", timeout: "2s", start_period: "2m" },
        start_timeout: "2m3s",
      },
    ],
  ])("%s", (yaml, keys) => {
    expect(keysOf(yaml)).toEqual(keys);
  });
});

describe("what has no counterpart is a comment with its line", () => {
  test.each<[yaml: string, note: string]>([
    ["networks: [back]", "networks: [back]"],
    ["container_name: x", "container_name: x"],
    ["labels: { a: b }", "labels: { a: b }"],
    ["restart: on-failure:5", "restart: on-failure:5 (there is no such number of restarts)"],
    [
      "healthcheck: { disable: true }",
      "healthcheck: { disable: true } (a check of the image goes on)",
    ],
    [
      "healthcheck: { test: [NONE] }",
      "healthcheck: { test: [NONE] } (a check of the image goes on)",
    ],
    [
      "volumes: [{ type: tmpfs, target: /t }]",
      "volumes: { type: tmpfs, target: /t } (tmpfs has no counterpart)",
    ],
    ["tmpfs: /run", "tmpfs: /run"],
    ["ports: ['80:80']", "ports: 80 is localhostess's own; its name leads to it"],
    ["ports: ['81:80', '82:80']", "ports: 80 inside is published once"],
    ["ports: ['81:80', '81:82']", "ports: 81 is that of a already"],
    ["volumes: ['a:/d', 'b:/d/']", "volumes: b:/d/ (/d stands twice)"],
    ["working_dir: app", "working_dir: app (expected a path inside)"],
    ["ports: ['10.0.0.1:81:80']", "ports: published on 127.0.0.1, not 10.0.0.1"],
    ["ports: ['x:y']", "ports: x:y"],
    ["ports: ['1-200:1-200']", "ports: 1-200:1-200"],
    ["stop_signal: SIGRTMIN+3", "stop_signal: SIGRTMIN+3"],
    ["stop_grace_period: soon", "stop_grace_period: soon"],
    ["deploy: { replicas: 3 }", "deploy.replicas: 3"],
    ["env_file: no.env", "env_file: no.env (no such file)"],
    [
      "env_file: [{ path: no.env, required: false }]",
      "env_file: { path: no.env, required: false } (there is none)",
    ],
    ["depends_on: [nobody]", "depends_on: nobody (there is no such service)"],
    ["environment: { 'A=B': 1 }", "environment.A=B: 1"],
    ["environment: { A: { B: 1 } }", "environment.A: { B: 1 }"],
    [
      "environment: { URL: 'http://localhost:${PORT:-3000}' }",
      "URL: ${PORT} is the value that it has now",
    ],
    ['command: "a \'b"', "command: a 'b (its quotes do not fit)"],
    ["secrets: [s]", "secrets: s"],
    ['wat: "a\\nb\\u202ec"', "wat: a b\u202ec"],
  ])("%s", (yaml, note) => {
    const text = `services:\n  a:\n    image: i\n    ${yaml}\n`;
    expect(notesOf(text)).toEqual([`compose.yaml:4: ${note}`]);
  });
});

test("an image that depends on a variable is the one of now, and says so", () => {
  const text = "services:\n  a:\n    image: postgres:${V:-17}\n";
  expect(servicesOf(text, { dotenv: { V: "16" } }).a!.image).toBe("postgres:16");
  expect(servicesOf(text, { shell: { V: "15" } }).a!.image).toBe("postgres:17");
  expect(servicesOf("services: { a: { image: 'x:${V}' } }", { shell: { V: "1" } }).a!.image).toBe(
    "x:1",
  );
  expect(notesOf(text)).toEqual([
    "compose.yaml:3: postgres:${V:-17} is postgres:17 now, which is what is written here",
  ]);
});

test("no value of .env is written: each service has its variables already", () => {
  const text = `services:
  db:
    image: postgres
    environment: { PASSWORD: "\${PASSWORD}", URL: "db://\${PASSWORD}@db", TOKEN }
`;
  const around = { dotenv: { PASSWORD: "secret", TOKEN: "secret" } };
  expect(tomlOf(text, around)).not.toContain("secret");
  expect(servicesOf(text, around).db!.env).toEqual({ URL: "db://${env.PASSWORD:-}@db" });
});

test("a build is a folder, or a table; one of another machine leaves the image, or a comment", () => {
  const text = `services:
  a: { build: . }
  b: { build: { context: ./b, dockerfile: Dev, target: dev, args: { A: 1 }, cache_from: [x] } }
  c: { build: ., image: mine/c }
  d: { build: https://example.com/x.git, image: mine/d }
  e: { build: git@example.com:x/y.git }
  f: { image: i, depends_on: [e, a] }
`;
  const its = servicesOf(text);
  expect(Object.keys(its)).toEqual(["a", "b", "c", "d", "f"]);
  expect(its).toMatchObject({
    a: { build: "." },
    b: { build: { context: "./b", dockerfile: "Dev", target: "dev", args: { A: "1" } } },
    c: { build: "." },
    d: { image: "mine/d" },
    f: { depends_on: { a: "started" } },
  });
  expect(notesOf(text)).toContain(
    "compose.yaml:6: e has no image, and no folder to build one from:",
  );
  expect(notesOf(text)).toContain("compose.yaml:7: depends_on: e (it is a comment here)");
});

test("depends_on keeps its conditions, and what is awaited to end is not started again", () => {
  const text = `services:
  web:
    image: i
    depends_on:
      db: { condition: service_healthy, restart: true }
      migrate: { condition: service_completed_successfully }
      mail: { condition: service_started }
  migrate: { image: i, depends_on: [db] }
  db: { image: i }
  mail: { image: i }
`;
  expect(servicesOf(text)).toMatchObject({
    web: {
      depends_on: { db: "ready", migrate: "completed", mail: "started" },
      restart_with: ["db"],
    },
    migrate: { restart: "no", depends_on: { db: "started" } },
  });
});

test("a port of this machine that two services publish is the first one's", () => {
  const text = `services:
  a: { image: i, ports: ["8080:80"] }
  b: { image: i, ports: ["8080:80", "8080:80/udp"] }
`;
  const its = servicesOf(text);
  expect(its.a).toMatchObject({ port: 8080, container_port: 80 });
  expect(its.b).toEqual({ type: "container", image: "i", port: 80, ports: ["8080:80/udp"] });
  expect(notesOf(text)).toEqual(["compose.yaml:3: ports: 8080 is that of a already"]);
});

test("a name that is no part of an address is another one, everywhere", () => {
  const text = `services:
  my.db: { image: i }
  my_db: { image: i }
  __proto__: { image: i }
  web: { image: i, depends_on: [my.db, my_db, __proto__] }
`;
  const its = servicesOf(text);
  expect(Object.keys(its)).toEqual(["my-db", "my_db-2", "proto", "web"]);
  expect(its.web!.depends_on).toEqual({
    "my-db": "started",
    "my_db-2": "started",
    proto: "started",
  });
  expect(notesOf(text)[0]).toStartWith("compose.yaml:2: my.db is my-db here");
});

test("a service that another file declares is a comment, and still waited for", () => {
  const text = `services:
  web: { build: ., ports: ["3000:3000"] }
  job: { image: i, depends_on: { web: { condition: service_completed_successfully } } }
`;
  const its = servicesOf(text, { taken: ["web"] });
  expect(its).toEqual({ job: { type: "container", image: "i", depends_on: { web: "started" } } });
  expect(tomlOf(text, { taken: ["web"] })).toContain(
    "# compose.yaml:2: web is declared here already; as a container it would be:\n# [services.web]\n",
  );
});

test("secrets and configs that are files are read-only volumes", () => {
  const text = `services:
  a: { image: i, secrets: [p], configs: [{ source: c, target: /etc/c }], volumes: [d:/d] }
secrets: { p: { file: ./p.txt } }
configs: { c: { file: c.conf } }
`;
  expect(servicesOf(text).a!.volumes).toEqual([
    ...["./p.txt:/run/secrets/p:ro", "./c.conf:/etc/c:ro", "d:/d"],
  ]);
});

test("well-known images offer the managed type in a comment", () => {
  const offers = [
    "postgres:17-alpine",
    "redis",
    "library/mysql:8.4",
    "docker.io/mongo:7",
    "my/redis",
  ].map(
    (image) => /Without a container.*/.exec(tomlOf(`services: { a: { image: "${image}" } }`))?.[0],
  );
  expect(offers).toEqual([
    'Without a container it is: type = "postgres", version = 17',
    'Without a container it is: type = "redis"',
    'Without a container it is: type = "mysql", version = "8.4"',
    'Without a container it is: type = "mongodb", version = "7"',
    undefined,
  ]);
});

describe("several files", () => {
  test("an override is merged as compose does it", () => {
    const base = `services:
  a:
    image: one
    command: [x]
    environment: [A=1, B=2]
    ports: ["1000:1000"]
    volumes: ["d:/d", "e:/e"]
    labels: { a: b }
`;
    const over = `services:
  a:
    image: two
    command: [y]
    environment: { B: 3, C: 4 }
    ports: ["2000:2000"]
    volumes: ["f:/e"]
    labels: !reset null
  b: { image: three, ports: !override ["80"] }
`;
    const around = { files: { "o.yaml": over }, paths: ["compose.yaml", "o.yaml"] };
    expect(servicesOf(base, around)).toEqual({
      a: {
        ...{ type: "container", image: "two", command: "y", volumes: ["d:/d", "f:/e"] },
        ...{ port: 1000, container_port: 1000, ports: ["2000:2000"] },
        env: { A: "1", B: "3", C: "4" },
      },
      b: { type: "container", image: "three", port: 80 },
    });
    expect(notesOf(base, around)).toEqual([]);
  });

  test("a service has what it extends, with paths of the file that they are in", () => {
    const text = `services:
  a: { extends: { file: common/base.yaml, service: base }, environment: { B: 2 } }
  b: { extends: a, image: own }
`;
    const base = `services:
  base: { image: i, build: ./src, env_file: x.env, environment: { A: 1, B: 1 }, networks: [n] }
`;
    const files = { "common/base.yaml": base, "common/x.env": "" };
    expect(servicesOf(text, { files })).toMatchObject({
      a: { build: "./common/src", env_file: "common/x.env", env: { A: "1", B: "2" } },
      b: { build: "./common/src", env: { A: "1", B: "2" } },
    });
    expect(notesOf(text, { files })).toContain("common/base.yaml:2: networks: [n]");
  });

  test("what is included has its own folder", () => {
    const text = "include: [infra/db.yaml]\nservices: { a: { image: i, depends_on: [db] } }\n";
    const files = { "infra/db.yaml": "services: { db: { image: p, volumes: ['./d:/d'] } }\n" };
    expect(servicesOf(text, { files })).toEqual({
      db: { type: "container", image: "p", volumes: ["./infra/d:/d"] },
      a: { type: "container", image: "i", depends_on: { db: "started" } },
    });
  });
});

test.each<[what: string, text: string, mistake: string, files?: Record<string, string>]>([
  ["an empty file", "# nothing\n", "compose.yaml:1: the file is empty"],
  ["a list", "- a\n", "compose.yaml:1: a compose file is a mapping, with services: in it"],
  [
    "services as a list",
    "\nservices: [a]\n",
    "compose.yaml:2: services takes a mapping of names and services",
  ],
  [
    "a service as a text",
    "services:\n  a: b\n",
    "compose.yaml:2: services.a takes a mapping, such as { image: busybox }",
  ],
  [
    "a cycle",
    "services:\n  a: { image: i, depends_on: [b] }\n  b: { image: i, depends_on: [a] }\n",
    "compose.yaml:2: dependency cycle: a -> b -> a",
  ],
  [
    "a base that is not there",
    "services:\n  a:\n    extends: b\n",
    "compose.yaml:3: there is no service b",
  ],
  [
    "a base in a cycle",
    "services:\n  a: { extends: b }\n  b: { extends: a }\n",
    "compose.yaml:3: a extends b extends a, in a cycle",
  ],
  [
    "a file that is not there",
    "services:\n  a: { extends: { file: x, service: y } }\n",
    "compose.yaml:2: x: no such file",
  ],
  [
    "files that include each other",
    "include: [b.yaml]\n",
    "b.yaml:1: compose.yaml includes itself",
    { "b.yaml": "include: [compose.yaml]\n" },
  ],
  [
    "a service in two files",
    "include: [b.yaml]\nservices:\n  a: { image: i }\n",
    "compose.yaml:3: the service a is in b.yaml:1 as well",
    { "b.yaml": "services: { a: { image: j } }\n" },
  ],
  [
    "an error in a file that is included",
    "include: [b.yaml]\n",
    'b.yaml:2: the key "a" is there twice',
    { "b.yaml": "a: 1\na: 2\n" },
  ],
])("%s is an error with its line", (_, text, mistake, files = {}) => {
  expect(mistakesOf(text, { files })).toContain(mistake);
});
