import { expect, test } from "bun:test";
import { runInNewContext } from "node:vm";
import { type PacFacts, pacFile } from "../../pac/proxy.pac.ts";
import { pacPage } from "../../src/proxy/pages/pac-page.ts";

const proxied = "PROXY 127.0.0.1:9090; DIRECT";

/** What a browser does: the text alone, in a fresh engine. */
function answer(host: string, facts: Partial<PacFacts> = {}): string {
  return runInNewContext(
    `${pacFile({ port: 9090, tlds: [], ...facts })}\nFindProxyForURL(url, host)`,
    {
      url: `http://${host}/`,
      host,
    },
  );
}

test.each(["api", "API", "my-app", "my_app", "a", "3d", "0xygen", "localhost2", "xn--mnchen-3ya"])(
  "the bare name %s goes to the proxy, and without us, direct",
  (host) => {
    expect(answer(host)).toBe(proxied);
  },
);

test.each([
  "localhost",
  "LOCALHOST",
  "api.localhost",
  "example.com",
  "api.",
  "localhost.",
  "127.0.0.1",
  "::1",
  "[::1]",
  "fe80::1%eth0",
  "2130706433",
  "0x7f000001",
  "",
  "-api",
  "api-",
  "a b",
  "api\nx",
])("%j goes direct", (host) => {
  expect(answer(host)).toBe("DIRECT");
});

test("the proxy is named by the port that it listens on", () => {
  expect(answer("api", { port: 12_345 })).toBe("PROXY 127.0.0.1:12345; DIRECT");
});

test("the text is ASCII without anything newer than ECMAScript 3", () => {
  const text = pacFile({ port: 9090, tlds: ["test", "home.arpa"] });
  expect(text).toMatch(/^[\x20-\x7e\n]+$/);
  expect(text).not.toMatch(
    /=>|`|\b(?:let|const|class)\b|\.(?:includes|startsWith|endsWith|trim)\(/,
  );
});

test("it is served with the type that browsers ask of a PAC file", () => {
  expect(pacPage({ port: 9090, tlds: ["test"] })).toEqual({
    status: 200,
    fields: [["Content-Type", "application/x-ns-proxy-autoconfig"]],
    body: pacFile({ port: 9090, tlds: ["test"] }),
  });
});

test.each([
  ["api.test", proxied],
  ["x.api.TEST", proxied],
  ["api.home.arpa", proxied],
  ["api", proxied],
  ["test", proxied],
  [".test", "DIRECT"],
  ["home.arpa", "DIRECT"],
  ["api.test.com", "DIRECT"],
  ["apitest.com", "DIRECT"],
  ["api.localhost", "DIRECT"],
  ["localhost", "DIRECT"],
])("where test and home.arpa are configured, %s gets %s", (host, verdict) => {
  expect(answer(host, { tlds: ["test", "home.arpa"] })).toBe(verdict);
});
