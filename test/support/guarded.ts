/** A request and the settings of its name -> what the guard says of it. */
import { expect } from "bun:test";
import type { NameSettings } from "../../src/manifest/name-settings.ts";
import { Destinations } from "../../src/proxy/request/destination.ts";
import { deniedIn, type Guarded } from "../../src/proxy/request/guarded.ts";
import { Dialects } from "../../src/proxy/upstream/dialect.ts";
import type { Denied } from "../../src/routes/denial.ts";
import { routeTable } from "../../src/routes/table.ts";
import { encode } from "../../src/wire/bytes.ts";
import { RequestFraming } from "../../src/wire/framing.ts";
import { RequestHead } from "../../src/wire/head.ts";
import { readTarget } from "../../src/wire/target.ts";
import { FakeClock } from "./fake-clock.ts";
import { testService, testSupervised } from "./test-proxy.ts";

export type Asked = {
  line?: string;
  host?: string;
  fields?: readonly string[];
  settings?: Partial<NameSettings>;
  mode?: "direct" | "tunnelled" | "forward";
};

/** `api` and `web` run, `api.shop` and `web.shop` are a project's, and so is `shop` itself. */
export function judged({
  line = "GET /",
  host = "api.localhost",
  fields = [],
  settings = {},
  mode,
}: Asked): Denied | undefined {
  const own = settings as NameSettings;
  const shop = (service: string, routeName: string) =>
    testSupervised({ id: `shop:${service}`, service, routeName, settings: own });
  const other = testSupervised({
    ...{ id: "blog:web", project: "blog", domain: "blog.shop.localhost", directory: "/srv/blog" },
    ...{ service: "web", routeName: "blog.shop", type: "process" as const },
  });
  const names = ["api", "web", "shop", "api.shop", "blog.shop"];
  const table = routeTable(
    names.map((name) => ({ ...testService(name, { port: 1 }), cwd: "/srv/shop" })),
    {
      tlds: ["test"],
      supervised: [shop("web", "shop"), shop("api", "api.shop"), other],
      configured: { all: {}, byName: new Map([["api", own]]) },
    },
  );
  const lines = [`${line} HTTP/1.1`, `Host: ${host}`, ...fields];
  const bytes = encode(`${lines.join("\r\n")}\r\n\r\n`);
  const head = new RequestHead();
  const framing = new RequestFraming();
  expect(head.read(bytes).kind).toBe("done");
  expect(framing.read(head, bytes)).toBeUndefined();
  const target = readTarget(head, bytes, {
    connect: framing.connect,
    secured: false,
  }) as Guarded["target"];
  const destinations = new Destinations();
  const destination = destinations.find(
    encode(host),
    { start: 0, end: host.length },
    {
      mode: mode ?? "direct",
      ...{ client: "127.0.0.1", secure: false, table, ownPorts: [], instance: "1" },
      urlPorts: { http: 1, https: 1 },
      dialects: new Dialects(new FakeClock(), () => table),
    },
  )!;
  const { decision } = destination;
  if (decision.kind !== "proxy") throw new Error(`${host} is ${decision.kind}`);
  const { service, supervised } = decision;
  return deniedIn(head, bytes, {
    ...{ framing, target, destination, destinations, supervised },
    name: service.name,
  });
}

/** `passes`, or the kind of what is refused. */
export function verdict(asked: Asked): string {
  return judged(asked)?.kind ?? "passes";
}

export const fromElsewhere = "Sec-Fetch-Site: cross-site";
export const evil = "Origin: https://evil.example";
export const socket = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
export const fetched = (mode: string, dest: string): string[] => [
  `Sec-Fetch-Mode: ${mode}`,
  `Sec-Fetch-Dest: ${dest}`,
];
export const opened = fetched("navigate", "document");
export const formType = "Content-Type: application/x-www-form-urlencoded";
