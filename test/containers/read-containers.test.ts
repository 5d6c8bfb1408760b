import { expect, test } from "bun:test";
import { readContainers } from "../../src/containers/read-containers.ts";

function read(value: unknown) {
  const its = readContainers(JSON.stringify(value));
  if (its.kind === "bad") throw new Error(its.why);
  return its.containers;
}

/** As Docker 20.10 lists it. */
const docker = {
  Id: "739163d45c06",
  Names: ["/shop_web"],
  Image: "t/busy:1",
  Command: "/bin/httpd -f",
  Created: 1_795_971_237,
  Ports: [
    { IP: "127.0.0.1", PrivatePort: 5432, PublicPort: 32_769, Type: "tcp" },
    { IP: "0.0.0.0", PrivatePort: 8080, PublicPort: 32_768, Type: "tcp" },
    { IP: "::", PrivatePort: 8080, PublicPort: 32_768, Type: "tcp" },
    { IP: "0.0.0.0", PrivatePort: 9999, PublicPort: 32_768, Type: "udp" },
    { PrivatePort: 6000, Type: "tcp" },
  ],
  Labels: {
    "com.docker.compose.project": "shop",
    "com.docker.compose.service": "web",
    secret: "x",
  },
  State: "running",
  HostConfig: { NetworkMode: "default" },
  NetworkSettings: { Networks: { bridge: {} } },
};

test("a container of Docker's list", () => {
  expect(read([docker])).toEqual([
    {
      id: "739163d45c06",
      name: "shop_web",
      image: "t/busy:1",
      command: "/bin/httpd -f",
      labels: { service: "web", project: "shop" },
      paused: false,
      hostNetwork: false,
      createdAt: 1_795_971_237_000,
      ports: [
        { inside: 5432, port: 32_769, addresses: ["127.0.0.1"] },
        { inside: 8080, port: 32_768, addresses: ["0.0.0.0", "::"] },
      ],
    },
  ]);
});

test("the name that another container has for it by a link is not its own", () => {
  expect(read([{ ...docker, Names: ["/app/db", "/shop_db"] }])[0]?.name).toBe("shop_db");
});

test("Podman leaves out what Docker has, and has lists where Docker has texts", () => {
  const { HostConfig: _, ...podman } = docker;
  const row = {
    ...podman,
    Command: ["/bin/httpd"],
    Ports: [{ PrivatePort: 80, PublicPort: 8080, Type: "tcp" }],
  };
  expect(read([row])[0]).toMatchObject({
    command: "/bin/httpd",
    hostNetwork: false,
    ports: [{ inside: 80, port: 8080, addresses: ["0.0.0.0"] }],
  });
  expect(read([{ ...row, NetworkSettings: { Networks: {} } }])[0]?.hostNetwork).toBe(true);
  expect(read([{ ...docker, HostConfig: { NetworkMode: "host" } }])[0]?.hostNetwork).toBe(true);
});

test("only those that run count; a paused one does", () => {
  const states = ["created", "exited", "dead", "restarting", "removing", "running", "paused", 7];
  const rows = states.map((State, at) => ({ ...docker, Id: `${at}`, State }));
  expect(read(rows).map(({ id, paused }) => [id, paused])).toEqual([
    ["5", false],
    ["6", true],
    ["7", false],
  ]);
});

test("an entry that makes no sense is left out, a value that makes none is as if it were not there", () => {
  const wild: unknown[] = [
    null,
    1,
    "x",
    [],
    {},
    { Id: "1" },
    { Id: "1", Names: [] },
    { Id: 1, Names: ["a"] },
  ];
  expect(read([...wild, docker])).toHaveLength(1);
  const bad = {
    ...{ Id: "1", Names: ["/a"], Image: 7, Command: null, Created: "soon", Labels: [], State: 5 },
    Ports: [
      ...[null, {}, { PrivatePort: 80, PublicPort: 0, Type: "tcp" }],
      { PrivatePort: 80, PublicPort: 70_000, Type: "tcp" },
      { PrivatePort: -1, PublicPort: 8080, Type: "tcp" },
      { PrivatePort: 80, PublicPort: 8080, Type: "sctp" },
      { PrivatePort: "80", PublicPort: "8080", Type: "tcp" },
      { IP: "evil.example", PrivatePort: 80, PublicPort: 8081, Type: "tcp" },
    ],
  };
  expect(read([bad])[0]).toMatchObject({
    ...{ image: "", command: "", createdAt: 0, labels: {} },
    ports: [{ inside: 80, port: 8081, addresses: ["0.0.0.0"] }],
  });
});

test("a hundred thousand entries and ports, and a label of a megabyte, are cut", () => {
  const Ports = Array.from({ length: 20_000 }, (_, at) => ({
    ...{ IP: "0.0.0.0", PrivatePort: at + 1, PublicPort: at + 1, Type: "tcp" },
  }));
  const huge = { ...docker, Ports, Labels: { "localhostess.name": "x".repeat(1_000_000) } };
  const [its] = read([huge]);
  expect(its?.ports).toHaveLength(512);
  expect(its?.labels.name).toHaveLength(4096);
  expect(read(Array.from({ length: 10_000 }, () => ({ Id: "1", Names: ["a"] })))).toHaveLength(
    2000,
  );
});
