import { expect, test } from "bun:test";
import type { Service } from "../../src/routes/service.ts";
import { serviceRow, serviceUrl } from "../../src/routes/service-row.ts";

const api: Service = {
  name: "api",
  routable: true,
  endpoint: { address: "::", port: 3000, dial: ["::1", "127.0.0.1"] },
  process: { pid: 4242, startedAt: 1_700_000_000_000 },
  pids: [4242, 4250],
  ports: [3000, 9229],
  command: "bun dev",
  cwd: "/home/me/api",
  source: "NAME",
  warnings: [],
};

test("a row has every documented key, in order", () => {
  expect(JSON.stringify(serviceRow(api, 9090))).toBe(
    '{"name":"api","url":"http://api.localhost:9090","address":"::","port":3000,"pid":4242,' +
      '"pids":[4242,4250],"ports":[3000,9229],"command":"bun dev","cwd":"/home/me/api",' +
      '"started_at":"2023-11-14T22:13:20.000Z","source":"NAME","because":null,"checkout":null,"origin":null,"warnings":[]}',
  );
});

test("a name that cannot be routed has no URL, and a folder that cannot be read is null", () => {
  const row = serviceRow(
    { ...api, name: "my app!", routable: false, cwd: undefined, warnings: ["why"] },
    9090,
  );
  expect(row).toMatchObject({ name: "my app!", url: null, cwd: null, warnings: ["why"] });
});

test("a URL has no port where it is HTTP's own", () => {
  expect(serviceUrl("api.shop", 80)).toBe("http://api.shop.localhost");
  expect(serviceUrl("api.shop", 8080)).toBe("http://api.shop.localhost:8080");
});
