/** Services that are supervised -> the rows of `Status`. */
import { expect, test } from "bun:test";
import { statusRows } from "../../src/control/commands/status.ts";
import { testSupervised } from "../support/test-proxy.ts";

type Asked = Parameters<typeof statusRows>[0];

test("while a daemon takes services over, their rows have the addresses that they had", async () => {
  const instance = { of: "api", number: 1, routeName: "shop" };
  const projects = {
    snapshots: () => [testSupervised({ instance }), testSupervised({ routeName: undefined })],
    usage: { read: async () => new Map() },
    // The projects themselves are not read yet.
    specOf: () => undefined,
    ageOf: () => undefined,
    addressOf: (name: string, domain: string) => ({ url: `http://${name}/`, domain }),
  } as unknown as NonNullable<Asked["projects"]>;
  const facts = (() => ({ port: 9090, httpPort: undefined })) as unknown as Asked["facts"];
  const traffic = {
    counts: () => ({ denied: 0 }),
    denials: () => [],
  } as unknown as Asked["traffic"];
  const rows = await statusRows({ facts, services: () => [], projects, traffic });
  expect(rows).toMatchObject([
    { url: "http://api.shop/", domain: "shop.localhost", instance: { url: "http://shop/" } },
    { url: null, domain: null, instance: null },
  ]);
});
