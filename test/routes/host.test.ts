import { expect, test } from "bun:test";
import { classifyHost, type Host } from "../../src/routes/host.ts";

const own: Host = { kind: "own" };
const foreign: Host = { kind: "foreign" };
const under = (name: string): Host => ({ kind: "name", name, domain: "localhost" });
const bare = (name: string): Host => ({ kind: "name", name, domain: "" });

/** Each host, and what it means to us. */
const hosts: [host: string, meaning: Host][] = [
  ["localhost", own],
  ["127.0.0.1", own],
  ["127.255.255.254", own],
  ["127.1.2.3", own],
  ["[::1]", own],
  ["api.localhost", under("api")],
  ["api.shop.localhost", under("api.shop")],
  ["my-api.localhost", under("my-api")],
  ["my_api.localhost", under("my_api")],
  ["_x_.localhost", under("_x_")],
  ["3000.localhost", under("3000")],
  ["localhost.localhost", under("localhost")],
  ["api", bare("api")],
  ["my-api", bare("my-api")],
  ["api2", bare("api2")],
  ["2api", bare("2api")],
  ["xn--bcher-kva", bare("xn--bcher-kva")],
  ["evillocalhost", bare("evillocalhost")],
  ["api.evillocalhost", foreign],
  // What inet_aton takes for an address is no name.
  ["2130706433", foreign],
  ["0", foreign],
  ["0x7f000001", foreign],
  ["0x", foreign],
  ["017700000001", foreign],
  ["127.1", foreign],
  ["127.0.0.256", foreign],
  ["127.0.0.1.2", foreign],
  ["0.0.0.0", foreign],
  ["[::]", foreign],
  ["[::ffff:127.0.0.1]", foreign],
  ["::1", foreign],
  ["192.168.1.10", foreign],
  ["[fe80::1]", foreign],
  ["example.com", foreign],
  ["api.example", foreign],
  ["localhost.example", foreign],
  ["api.localhost.example", foreign],
  ["127.0.0.1.nip.io", foreign],
  [".localhost", foreign],
  ["..localhost", foreign],
  [".api.localhost", foreign],
  ["a..b.localhost", foreign],
  ["-api.localhost", foreign],
  ["api-.localhost", foreign],
  ["-api", foreign],
  ["a b.localhost", foreign],
  ["a!b.localhost", foreign],
  ["api.localhost.", foreign],
  ["", foreign],
];

test.each(hosts)("%p means what it says", (host, meaning) => {
  expect(classifyHost(host)).toEqual(meaning);
});

const tlds = ["test", "dev.test", "home.arpa"];
const within = (domain: string, name: string): Host => ({ kind: "name", name, domain });

test.each<[host: string, meaning: Host]>([
  ["api.test", within("test", "api")],
  ["x.api.test", within("test", "x.api")],
  ["my_api.test", within("test", "my_api")],
  // The longer domain is the one that was meant.
  ["api.dev.test", within("dev.test", "api")],
  ["dev.test", within("test", "dev")],
  ["api.home.arpa", within("home.arpa", "api")],
  ["home.arpa", foreign],
  ["test", bare("test")],
  ["localhost", own],
  ["127.0.0.1", own],
  ["api.localhost", under("api")],
  ["api.test.localhost", under("api.test")],
  ["localhost.test", within("test", "localhost")],
  ["apitest", bare("apitest")],
  [".test", foreign],
  ["-api.test", foreign],
  ["a..b.test", foreign],
  ["api.test.com", foreign],
  ["api.tests", foreign],
])("%p is told apart where domains are configured", (host, meaning) => {
  expect(classifyHost(host, tlds)).toEqual(meaning);
});
