import { expect, test } from "bun:test";
import type { Container } from "../../src/containers/container.ts";
import { containerClaims } from "../../src/containers/container-claims.ts";
import { madeContainer } from "./made-container.ts";

function claims(...containers: Container[]) {
  return containerClaims([{ owner: 1000, containers }]);
}

/** `api.shop 8080`, with the address where there is only one. */
function rows(...containers: Container[]): string[] {
  return claims(...containers).map(({ name, place }) => {
    if (place.kind !== "port") throw new Error(place.kind);
    return [name, place.port, place.address].filter(Boolean).join(" ");
  });
}

test("a published port is a claim, whose listener may be the engine's user, root, or us", () => {
  const labels = { service: "api", project: "shop", folder: "/w/shop" };
  expect(claims(madeContainer({ name: "shop-api-1", labels }))).toEqual([
    {
      name: "api.shop",
      source: "container",
      because: "service api of Compose project shop, container shop-api-1",
      place: { kind: "port", port: 8080, address: undefined },
      command: "box:1 /serve",
      cwd: "/w/shop",
      startedAt: 1_700_000_000_000,
      owners: [0, 1000],
      warnings: [],
    },
  ]);
});

test("an image without a tag is shown by the first digits of its id", () => {
  const image = `sha256:${"50b55c75dacd".padEnd(64, "0")}`;
  expect(claims(madeContainer({ image }))[0]?.command).toBe("50b55c75dacd /serve");
});

test("further ports have the port inside in front; two ways to one port inside are one name", () => {
  const ports = ["8080:80", "9001:9001", "9002:9001", "8081:80"];
  expect(rows(madeContainer({ ports }))).toEqual(["9001.box 9001", "box 8080"]);
});

test("a container without published ports has no name, and neither has a range beyond sixteen", () => {
  expect(rows(madeContainer({ ports: [] }))).toEqual([]);
  const ports = Array.from({ length: 40 }, (_, at) => `${20_000 + at}:${20_000 + at}`);
  const found = claims(madeContainer({ ports }));
  expect(found).toHaveLength(16);
  expect(found.find(({ name }) => name === "box")?.warnings).toEqual([
    "24 more published ports have no name",
  ]);
});

test("a database is named, and says what it speaks", () => {
  const [db] = claims(madeContainer({ name: "db", image: "postgres:16", ports: ["5433:5432"] }));
  expect(db).toMatchObject({
    name: "db",
    because: "name of container db, which speaks PostgreSQL",
  });
});

test("where a port is published at one address, it is dialled there; another machine's network is warned of", () => {
  const at = (address: string) =>
    claims(madeContainer({ ports: [`${address}:8080:80`] })).map(({ place, warnings }) => ({
      address: place.kind === "port" ? place.address : place.kind,
      warned: warnings!.length > 0,
    }))[0];
  expect(at("127.0.0.1")).toEqual({ address: "127.0.0.1", warned: false });
  expect(at("127.0.0.2")).toEqual({ address: "127.0.0.2", warned: false });
  expect(at("[::1]")).toEqual({ address: "::1", warned: false });
  expect(at("0.0.0.0")).toEqual({ address: undefined, warned: false });
  expect(at("[::]")).toEqual({ address: undefined, warned: false });
  expect(at("192.168.1.5")).toEqual({ address: "192.168.1.5", warned: true });
});

test("several containers of a service of Compose are numbered as Compose does, the lowest without", () => {
  const one = (number: string, port: number) =>
    madeContainer({
      name: `shop-web-${number}`,
      labels: { service: "web", project: "shop", number },
      ports: [`${port}:80`],
    });
  expect(rows(one("3", 8003), one("1", 8001), one("2", 8002))).toEqual([
    "web-2.shop 8002",
    "web-3.shop 8003",
    "web.shop 8001",
  ]);
  // Number 1 was removed.
  expect(rows(one("12", 8012), one("2", 8002))).toEqual(["web-12.shop 8012", "web.shop 8002"]);
  expect(claims(one("1", 8001), one("2", 8002)).flatMap(({ warnings }) => warnings)).toEqual([]);
});

test("of two containers with one label the newest has the name; with one name of their own, the oldest", () => {
  const of = (name: string, createdAt: number, label?: string) =>
    madeContainer({ name, createdAt, labels: { name: label }, ports: [`${createdAt}:80`] });
  expect(rows(of("blue", 1, "api"), of("green", 2, "api"))).toEqual(["api 2", "api-2 1"]);
  expect(rows(of("a_b", 2), of("a-b", 1))).toEqual(["a-b 1", "a-b-2 2"]);
  expect(rows(of("api", 1), of("x", 2, "api"))).toEqual(["api 2", "api-2 1"]);
  // A number that somebody has as a name is not given twice.
  expect(rows(of("a_b", 2), of("a-b", 1), of("a-b-2", 3))).toEqual(["a-b 1", "a-b-2 3", "a-b-3 2"]);
  const [, second] = claims(of("blue", 1, "api"), of("green", 2, "api"));
  expect(second?.warnings).toEqual(["container green has the name api"]);
});

test("a container's own name counts more than one that is made of another's port", () => {
  const api = madeContainer({ name: "api", ports: ["1:80", "2:8080"] });
  const other = madeContainer({ name: "other", labels: { name: "8080.api" }, ports: ["3:80"] });
  expect(rows(api, other)).toEqual(["8080.api 3", "api 1"]);
});

test("the same container by two engines is one: they are one engine by two paths", () => {
  const containers = [madeContainer()];
  const twice = [
    { owner: 0, containers },
    { owner: 1000, containers },
  ];
  expect(containerClaims(twice).map(({ name, owners }) => ({ name, owners }))).toEqual([
    { name: "box", owners: [0] },
  ]);
});

test("containers of one name in two engines keep apart", () => {
  const one = { owner: 0, containers: [madeContainer({ id: "1", name: "db", ports: ["1:80"] })] };
  const two = { owner: 0, containers: [madeContainer({ id: "2", name: "db", ports: ["2:80"] })] };
  expect(containerClaims([one, two]).map(({ name }) => name)).toEqual(["db", "db-2"]);
});

test("a container of Compose belongs to the git checkout of its folder, also the main one", () => {
  const its = { repository: "/w/shop/.git", root: "/w/shop", label: undefined, branch: "main" };
  const labels = { service: "api", project: "shop", folder: "/w/shop" };
  const [claim] = containerClaims([{ owner: 0, containers: [madeContainer({ labels })] }], {
    checkout: () => ({ ...its, main: "/w/shop" }),
  });
  expect(claim).toMatchObject({ name: "api.shop", checkout: its });
  expect(claim?.checkout).not.toHaveProperty("main");
});

test("a pod's ports, which Podman lists with each of its containers, are each of one container", () => {
  const ports = ["8080:8080", "5432:5432"];
  const infra = madeContainer({
    name: "4f2a-infra",
    image: "localhost/podman-pause:4.3",
    ports,
    createdAt: 1,
  });
  const web = madeContainer({ name: "web", image: "web", ports, createdAt: 2 });
  const db = madeContainer({ name: "db", image: "postgres", ports, createdAt: 3 });
  expect(rows(infra, db, web)).toEqual(["db 5432", "web 8080"]);
  expect(rows(infra)).toEqual(["4f2a-infra 8080", "5432.4f2a-infra 5432"]);
});

test("a paused container, and one of an engine that is silent, keep their names with a warning", () => {
  const containers = [madeContainer({ paused: true })];
  const [claim] = containerClaims([
    { owner: 0, containers, warning: "its engine does not answer" },
  ]);
  expect(claim?.warnings).toEqual([
    "the container is paused, and answers nothing",
    "its engine does not answer",
  ]);
});

test("a stranger's words are printable in every field of a claim", () => {
  const wild = "\x1b]0;x\x07\u202e";
  const [claim] = claims(
    madeContainer({
      name: `box${wild}`,
      image: wild,
      command: wild,
      labels: { folder: `/w${wild}`, name: wild, port: wild },
    }),
  );
  expect(JSON.stringify(claim)).not.toMatch(/\\u001b|\\u0007|\u202e/);
});
