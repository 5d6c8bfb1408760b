/** `type = "container"`: its keys, what they mean together, and what is wrong with them. */
import { expect, test } from "bun:test";
import { readLayer } from "../../../src/manifest/layer.ts";
import { readManifest } from "../../../src/manifest/read/read-manifest.ts";
import type { ContainerSpec } from "../../../src/manifest/types/own.ts";
import { directory, mistakes, project, service } from "../manifest.ts";

const table = (keys: string): string => `[services.web]\ntype = "container"\n${keys}\n`;
const home = "/home/ada";
const own = (keys: string): ContainerSpec => {
  const its = project(table(keys), { home }).services[0]!.own!;
  return its as ContainerSpec;
};

test("port alone is the port inside; with container_port, it is the one on this machine", () => {
  const inside = service(table('image = "redis:7"\nport = 6379'), "web");
  expect(inside).toMatchObject({ port: undefined, own: { inside: 6379 } });
  expect(inside.routeName).toBe("shop");
  const both = service(table('image = "x"\nport = 3000\ncontainer_port = 80'), "web");
  expect(both).toMatchObject({ port: 3000, own: { inside: 80 } });
  const only = service(table('image = "x"\ncontainer_port = 80'), "web");
  expect(only).toMatchObject({ port: undefined, own: { inside: 80 } });
  const none = service(table('image = "x"'), "web");
  expect(none).toMatchObject({ port: undefined, own: { inside: undefined } });
  expect(none.routeName).toBeUndefined();
});

test("a service with an image and without a type is a container, whichever layer has which", () => {
  const text = '[services.redis]\nimage = "redis:alpine"\ncontainer_port = 6379\n';
  expect(service(text, "redis")).toMatchObject({ type: "container", command: "" });
  const layers = [
    readLayer('[services.redis]\nimage = "redis:7"\n', { name: "../.locald.toml" }),
    readLayer("[services.redis]\ncontainer_port = 6379\n", { name: "locald.toml" }),
  ];
  const read = readManifest({ directory, layers, envFiles: new Map() });
  expect(read).toMatchObject({
    kind: "project",
    project: { services: [{ type: "container", own: { image: "redis:7", inside: 6379 } }] },
  });
});

test("its command and args are words, each as it is", () => {
  const text = table('image = "x"\ncommand = "serve --all"\nargs = ["a b", "$X"]');
  expect(service(text, "web").command).toBe("serve --all 'a b' '$X'");
});

test("every key is read, paths from the project's folder and from the person's", () => {
  const keys = `build = { context = "app", target = "dev", args = { A = "1" } }
entrypoint = "tini"
user = 1000
workdir = "/srv"
pull = "never"
stop_signal = "quit"
ports = [1025, "8025:8025", "127.0.0.1:9000:90", "53:53/udp"]
volumes = ["data:/data", "./x:/x:ro", "~/.aws:/root/.aws:rw", "/etc/hosts:/hosts", "..:/up"]`;
  expect(own(keys)).toEqual({
    kind: "container",
    image: undefined,
    build: {
      kind: "dockerfile",
      context: `${directory}/app`,
      dockerfile: "Dockerfile",
      target: "dev",
      args: { A: "1" },
    },
    entrypoint: ["tini"],
    user: "1000",
    workdir: "/srv",
    inside: undefined,
    ports: [
      { inside: 1025, outside: undefined, protocol: "tcp" },
      { inside: 8025, outside: 8025, protocol: "tcp" },
      { inside: 90, outside: 9000, protocol: "tcp" },
      { inside: 53, outside: 53, protocol: "udp" },
    ],
    volumes: [
      { source: "data", kind: "named", target: "/data", readOnly: false },
      { source: `${directory}/x`, kind: "bind", target: "/x", readOnly: true },
      { source: "/home/ada/.aws", kind: "bind", target: "/root/.aws", readOnly: false },
      { source: "/etc/hosts", kind: "bind", target: "/hosts", readOnly: false },
      { source: "/home/ada", kind: "bind", target: "/up", readOnly: false },
    ],
    stopSignal: "SIGQUIT",
    pull: "never",
  });
  expect(own('build = "."').build).toMatchObject({ context: directory, dockerfile: "Dockerfile" });
  expect(own('image = "x"\nentrypoint = []').entrypoint).toEqual([]);
});

const wrong: [keys: string, told: string][] = [
  ["", ': an image is required, such as image = "redis:7", or build = "."'],
  ['image = ""', ".image: expected an image, got an empty string"],
  ['image = "a b"', '.image: expected an image such as "redis:7"'],
  ["image = 7", ".image: expected an image, got 7"],
  ['image = "x"\nworkdir = "srv"', ".workdir: a container's is a folder inside it"],
  ['image = "x"\nports = [0]', ".ports[0]: expected a port such as 1025"],
  ['image = "x"\nports = ["0.0.0.0:80:80"]', ".ports[0]: expected a port such as 1025"],
  ['image = "x"\nports = ["99999:80"]', ".ports[0]: expected a port such as 1025"],
  ['image = "x"\nports = "80"', ".ports: expected a list of ports"],
  ['image = "x"\nports = ["80", "81:80"]', ".ports: port 80/tcp inside is published twice"],
  ['image = "x"\nport = 80\nports = [80]', ".ports: port 80/tcp inside is published twice"],
  ['image = "x"\nports = ["1:80", "1:81"]', ".ports: port 1 of this machine stands twice"],
  [
    'image = "x"\nport = 1\ncontainer_port = 2\nports = ["1:81"]',
    ".ports: port 1 of this machine stands twice",
  ],
  ['image = "x"\nvolumes = ["data"]', '.volumes[0]: expected "name:/path"'],
  ['image = "x"\nvolumes = ["C:\\\\data:/data"]', '.volumes[0]: expected "name:/path"'],
  ['image = "x"\nvolumes = ["C:/data:/data"]', '.volumes[0]: expected "name:/path"'],
  ['image = "x"\nvolumes = ["data:relative"]', '.volumes[0]: expected "name:/path"'],
  ['image = "x"\nvolumes = ["data:/"]', '.volumes[0]: expected "name:/path"'],
  ['image = "x"\nvolumes = ["a/b:/c"]', '.volumes[0]: expected "name:/path"'],
  ['image = "x"\nvolumes = ["a:/c", "b:/c/"]', ".volumes: /c inside stands twice"],
  ['image = "x"\nvolumes = ["a:/c"]\ninstances = 2', ".volumes: several instances would share"],
  ['image = "x"\npull = "daily"', '.pull: expected "missing", "always" or "never", got "daily"'],
  ['build = { context = "." , dockerfil = "x" }', ".build.dockerfil: unknown key"],
  ["build = { args = { A = 1 } }", ".build.args.A: expected a string"],
  ['image = "x"\nlazy = true', ".lazy: without a port it has no address"],
  ['image = "x"\nhealth_check = { type = "tcp" }', ".health_check: it has no port to check"],
  ['image = "x"\ndatabase = "x"', ".database: only for a service of type"],
  ['image = "x"\nspa = true', '.spa: only for a service of type "site"'],
];

for (const [keys, told] of wrong) {
  test(`${JSON.stringify(keys)} is an error with its line`, () => {
    const [first, ...more] = mistakes(table(keys), { home });
    expect(more).toEqual([]);
    expect(first).toMatch(/^locald\.toml:\d+ services\.web/);
    expect(first).toContain(`services.web${told}`);
  });
}

test("a person's folder that nobody knows is an error", () => {
  expect(mistakes(table('image = "x"\nvolumes = ["~/a:/a"]'))).toEqual([
    'locald.toml:4 services.web.volumes: "~/a:/a": nobody knows the folder that ~ stands for',
  ]);
});

test("two services cannot have one port of this machine", () => {
  const text = `[services.a]
command = "x"
port = 9000
[services.b]
image = "x"
ports = ["9000:80"]
`;
  expect(mistakes(text)).toEqual(["locald.toml:6 services.b.ports: a already has port 9000"]);
});

test("one number is a port of TCP and a port of UDP", () => {
  const text = `[services.a]
image = "x"
port = 53
container_port = 53
ports = ["53:53/udp"]
[services.b]
image = "x"
ports = ["54:54"]
[services.c]
image = "x"
ports = ["54:54/udp"]
`;
  expect(mistakes(text)).toEqual([]);
});

test("in a linked worktree, the ports of this machine are the main checkout's", () => {
  const text = table('image = "x"\nport = 3000\ncontainer_port = 80\nports = ["8025:1025"]');
  expect(project(text, { freesPorts: true })).toMatchObject({
    services: [
      { port: undefined, own: { inside: 80, ports: [{ inside: 1025, outside: undefined }] } },
    ],
    freedPorts: [{ service: "web", port: 3000 }],
  });
});

test("a hundred volumes and ports are read", () => {
  const numbers = Array.from({ length: 100 }, (_, at) => at + 1);
  const its = own(
    `image = "x"\nports = [${numbers.join(", ")}]\nvolumes = [${numbers.map((at) => `"a${at}:/a${at}"`).join(", ")}]`,
  );
  expect([its.ports.length, its.volumes.length]).toEqual([100, 100]);
});
