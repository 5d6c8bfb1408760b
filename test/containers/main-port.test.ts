import { expect, test } from "bun:test";
import { mainPort, otherThanHttp } from "../../src/containers/main-port.ts";
import { madeContainer, published } from "./made-container.ts";

test.each<[string, string[], number]>([
  // Image, published ports, the port inside that serves the application.
  ["web", ["8080:80"], 80],
  ["web", ["8443:443", "8080:80"], 80],
  ["web", ["8443:443"], 443],
  ["mailhog", ["1025:1025", "8025:8025"], 8025],
  ["rabbitmq:3-management", ["5672:5672", "15672:15672"], 15_672],
  ["minio", ["9000:9000", "9001:9001"], 9000],
  ["all-in-one", ["5432:5432", "7777:7777"], 7777],
  ["node", ["9229:9229", "3000:3000"], 3000],
  ["node", ["9229:9229", "7001:7001"], 7001],
  ["gitlab", ["2222:22", "8929:80"], 80],
  ["odd", ["7002:7002", "7001:7001"], 7001],
  ["postgres:16", ["5433:5432"], 5432],
  ["postgres:16", ["6000:6000", "8080:8080"], 8080],
  ["elasticsearch", ["9300:9300", "9200:9200"], 9200],
])("of %s with %j, port %p", (image, ports, expected) => {
  expect(mainPort(madeContainer({ image, ports })).port?.inside).toBe(expected);
});

test("the label localhostess.port decides, by the port inside or by the one on this machine", () => {
  const of = (port: string, ports = ["8080:80", "9001:9001"]) =>
    mainPort(madeContainer({ ports, labels: { port } }));
  expect(of("9001").port?.port).toBe(9001);
  expect(of("80").port?.port).toBe(8080);
  expect(of("8080").port?.port).toBe(8080);
  // Inside comes first: 80 inside is published at 9001, and 9001 inside at 80.
  expect(of("80", ["9001:80", "80:9001"]).port?.port).toBe(9001);
  for (const wrong of ["5", "http", "", "-1", "8080.0", "99999999"]) {
    const { port, warning } = of(wrong);
    expect(port?.port).toBe(8080);
    expect(warning).toBe(
      "its label localhostess.port names no published port; it publishes 80, 9001",
    );
  }
  expect(mainPort(madeContainer({ ports: [], labels: { port: "80" } }))).toEqual({
    port: undefined,
  });
});

test.each<[string, string, string | undefined]>([
  ["postgres:16-alpine", "5432:5432", "PostgreSQL"],
  ["anything", "5432:5432", "PostgreSQL"],
  ["docker.io/library/mysql:8", "3307:3306", "MySQL"],
  ["registry.example:5000/team/valkey@sha256:00", "7777:7777", "Redis"],
  ["mongo", "27018:27017", "MongoDB"],
  ["mongo-express", "8081:8081", undefined],
  ["redis/redisinsight", "5540:5540", undefined],
  ["phpmyadmin", "8080:80", undefined],
  ["web", "8080:80", undefined],
])("of %s, %s speaks %p", (image, port, expected) => {
  expect(otherThanHttp(published(port), { image })).toBe(expected as string);
});
