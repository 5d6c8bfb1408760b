/** What `up` says of URLs under localhost in the environments of services, where the resolver does not know them. */
import { expect, test } from "bun:test";
import type { ServiceSpec } from "../../src/manifest/project.ts";
import type { Row } from "../../src/cli/projects/asking.ts";
import {
  mayName,
  resolvesItself,
  tellUnresolved,
  urlsIn,
} from "../../src/cli/projects/unresolved.ts";

type Env = Readonly<Record<string, string>>;

function row(name: string, { command = "node .", url = null }: Partial<Row> = {}): Row {
  return { name, command, url, path: "/srv/shop" } as Row;
}

type Told = { envs: Record<string, Env>; rows?: readonly Row[]; hosts?: Record<string, string[]> };

/** The lines that are told, and what the resolver was asked. `hosts`: what it knows; the rest is unknown. */
async function told({ envs, rows = Object.keys(envs).map((id) => row(id)), hosts = {} }: Told) {
  const asked: string[] = [];
  const written: string[] = [];
  const plain = (its: string | number): string => String(its);
  const err = { write: (its: string) => written.push(its), colors: { yellow: plain } };
  await tellUnresolved(rows, {
    known: rows,
    world: { err: err as never, platform: "darwin" },
    environmentOf: async ({ name }) => envs[name] ?? {},
    lookup: async (host) => {
      asked.push(host);
      return hosts[host] ?? [];
    },
  });
  return { text: written.join(""), asked };
}

const shopApi = row("shop:api", { url: "http://api.shop.localhost:9090" });

test("a service is told by the variable and the host, with what to write instead, and what to run", async () => {
  const { text } = await told({
    rows: [shopApi, row("shop:web")],
    envs: { "shop:web": { API_URL: "http://me:secret@api.shop.localhost:9090/v1?key=s3cret" } },
  });
  expect(text).toBe(
    "! shop:web: API_URL names api.shop.localhost, which the system's resolver does not know, and so neither do " +
      "Node, Python and most other programs; write ${services.api.url} for api.shop.localhost, or run: " +
      "echo '127.0.0.1 api.shop.localhost' | sudo tee -a /etc/hosts\n",
  );
});

test("several are one line for each service, and a host is looked up once", async () => {
  const { text, asked } = await told({
    envs: {
      "shop:a": { ONE: "http://x.localhost,http://y.localhost", TWO: "ws://x.localhost:1/" },
      "shop:b": { ONE: "http://x.localhost" },
      "shop:c": { ONE: "http://example.com" },
    },
  });
  expect(text.trimEnd().split("\n")).toHaveLength(2);
  expect(text).toContain("! shop:a: ONE and TWO name x.localhost and y.localhost,");
  expect(asked.filter((host) => host === "x.localhost")).toHaveLength(1);
});

test("nothing is told where the resolver knows these names, and no environment is asked for", async () => {
  const rows = [row("shop:web")];
  let asked = 0;
  await tellUnresolved(rows, {
    known: rows,
    world: { err: undefined as never, platform: "linux" },
    environmentOf: async () => {
      asked++;
      return {};
    },
    lookup: async () => ["::1", "127.0.0.1"],
  });
  expect(asked).toBe(0);
});

test("a name that the hosts file has is none of them, and one that leads elsewhere is", async () => {
  const envs = { "shop:web": { A: "http://known.localhost", B: "http://elsewhere.localhost" } };
  const hosts = { "known.localhost": ["127.0.0.1"], "elsewhere.localhost": ["192.0.2.1"] };
  const { text } = await told({ envs, hosts });
  expect(text).toContain("B names elsewhere.localhost,");
});

test("a resolver that does not answer in time says nothing", async () => {
  const rows = [row("shop:web")];
  await tellUnresolved(rows, {
    known: rows,
    world: { err: undefined as never, platform: "linux" },
    environmentOf: async () => ({ A: "http://x.localhost" }),
    lookup: async () => "late",
  });
});

test("its own address, what we gave it, and what a bundler puts into pages are none", async () => {
  const envs = {
    "shop:api": {
      ORIGIN: "http://api.shop.localhost:9090",
      LOCALHOSTESS_URL: "http://x.localhost:9090",
      VITE_API_URL: "http://y.localhost",
      REACT_APP_API: "http://y.localhost",
    },
  };
  expect((await told({ rows: [shopApi], envs })).text).toBe("");
});

test("a service that asks a proxy of this machine resolves nothing itself; one that asks another does", async () => {
  const API_URL = "http://x.localhost:9090";
  const envs = {
    "shop:ours": { API_URL, http_proxy: "http://127.0.0.1:9090" },
    "shop:upper": { API_URL, HTTP_PROXY: "http://localhost:9090/" },
    "shop:other": { API_URL, http_proxy: "http://proxy.example.com:3128" },
    "shop:broken": { API_URL, http_proxy: "127" },
  };
  const { text } = await told({ envs });
  expect([...text.matchAll(/shop:\w+/g)].map(String)).toEqual(["shop:other", "shop:broken"]);
});

test.each([
  ["http://api.localhost", ["api.localhost"]],
  ["HTTPS://API.Localhost:8443/x", ["api.localhost"]],
  ["postgres://me:p%40ss@db.localhost:5432/x", ["db.localhost"]],
  ["a=http://a.localhost b='ws://b.c.localhost'", ["a.localhost", "b.c.localhost"]],
  ['{"url":"http://api.localhost"}', ["api.localhost"]],
  ["http://localhost:3000", []],
  ["http://api.localhost.example.com", []],
  ["http://example.com/?to=api.localhost", []],
  ["api.localhost:3000", []],
  ["http://user@evil.com/@api.localhost", []],
  ["", []],
])("%j has the hosts %j", (value, hosts) => {
  expect(urlsIn({ A: value }).map(({ host }) => host)).toEqual(hosts);
});

test("a value of any length is read in no time", () => {
  const values = ["a.".repeat(65_000), "a://".repeat(32_000), `http://${"a@".repeat(60_000)}`];
  const started = performance.now();
  for (const value of values) expect(urlsIn({ A: value })).toEqual([]);
  expect(performance.now() - started).toBeLessThan(5_000);
});

test.each([
  ["curl -s http://api.localhost", true],
  ["/usr/bin/curl x", true],
  ["DEBUG=1 exec curl x", true],
  ["bun server.ts", true],
  ["bun --hot src/index.tsx", true],
  ["exec bun run worker.mjs", true],
  ["bun dev", false],
  ["bun run dev", false],
  ["node server.js", false],
  ["npm run dev", false],
  ["python -m app", false],
  ["", false],
])("%j finds these names by itself: %p", (command, itself) => {
  expect(resolvesItself(command)).toBe(itself);
});

test("only services whose files, or whose shell, may give them such a URL are asked for", () => {
  const spec = (name: string, env: Env) => ({ name, env }) as unknown as ServiceSpec;
  const project = {
    services: [
      spec("plain", { API: "http://localhost:3000", DB: "${services.db.url}" }),
      spec("url", { API: "http://api.LOCALHOST/" }),
      spec("domain", { API: "http://api.${project.domain}:9090" }),
      spec("many", { API: "http://api.localhost" }),
    ],
  };
  const may = (service: string, shell: Env = {}, instance?: Row["instance"]) =>
    mayName({ service, instance } as Row, { project, shell });
  expect(["plain", "url", "domain", "many"].filter((name) => may(name))).toEqual([
    "url",
    "domain",
    "many",
  ]);
  expect(may("many-2", {}, { of: "many", number: 2, route_name: null, url: null })).toBe(true);
  expect(may("plain", { API: "http://x.localhost" })).toBe(true);
  expect(may("plain", { LOCALHOSTESS_URL: "http://x.localhost" })).toBe(false);
  // The files have changed since.
  expect(may("unknown")).toBe(true);
});
