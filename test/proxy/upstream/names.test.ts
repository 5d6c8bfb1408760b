/** URLs and domains of a service that is told another name: which are ours to map, and which only look like it. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  isOrigin,
  type NamesFacts,
  namesOf,
  toldUrl,
  visibleDomain,
  visibleUrl,
} from "../../../src/proxy/upstream/names.ts";

const bareFacts: NamesFacts = {
  visible: { scheme: "http", host: "api", port: 80 },
  told: { scheme: "http", host: "api.localhost", port: 9090 },
  server: { scheme: "http", port: 3000 },
};
const bare = namesOf(bareFacts);

const underDomain = namesOf({
  visible: { scheme: "https", host: "x.api.test", port: 8443 },
  told: { scheme: "https", host: "x.api.localhost", port: 443 },
  server: { scheme: "http", port: 3000 },
});

test.each([
  ["http://api.localhost:9090", "http://api"],
  ["http://api.localhost:9090/", "http://api/"],
  ["http://api.localhost:9090?q", "http://api?q"],
  ["http://api.localhost:9090#f", "http://api#f"],
  ["HTTP://Api.LOCALHOST:9090/X", "http://api/X"],
  ["http://api.localhost.:9090/", "http://api/"],
  ["http://api.localhost:09090/", "http://api/"],
  ["http://me:secret@api.localhost:9090/", "http://me:secret@api/"],
  ["//api.localhost:9090/x", "//api/x"],
])("%s leads to the bare name: %s", (from, to) => {
  expect(visibleUrl(from, bare)).toBe(to);
});

test.each([
  "http://api.localhost:90901/",
  "http://api.localhost:909/",
  "http://api.localhost/",
  "http://api.localhost:/",
  "https://api.localhost:9090/",
  "ws://api.localhost:9090/",
  "http://api.localhost:9090@evil.example/",
  "http://api.localhost:9090:9090/",
  "http://api.localhost:9090\\@evil.example/",
  "http://me@api.localhost:9090@evil.example/",
  "http://x.api.localhost:9090/",
  "http://xapi.localhost:9090/",
  "http://api.localhost.evil.example:9090/",
  "http://api.localhost:9090.evil.example/",
  "http://localhost:9090/",
  "http:/api.localhost:9090/",
  "http:api.localhost:9090/",
  "http:///api.localhost:9090/",
  "///api.localhost:9090/",
  "/\\api.localhost:9090/",
  "api.localhost:9090",
  "/http://api.localhost:9090/",
  "?http://api.localhost:9090/",
  " http://api.localhost:9090/",
  "http://[api.localhost]:9090/",
  "http://api.localhost:9090x/",
  "",
  "*",
  "null",
])("%s is another's, or nobody's", (url) => {
  expect(visibleUrl(url, bare)).toBeUndefined();
});

test("a default port may be left out or written, on either side", () => {
  for (const port of ["", ":", ":443"]) {
    expect(visibleUrl(`https://x.api.localhost${port}/`, underDomain)).toBe(
      "https://x.api.test:8443/",
    );
  }
  for (const port of ["", ":", ":80"]) {
    expect(toldUrl(`http://api${port}/`, bare)).toBe("http://api.localhost:9090/");
  }
  expect(toldUrl("https://x.api.test:8443", underDomain)).toBe("https://x.api.localhost");
});

test("a server that goes by the scheme it speaks means the same place", () => {
  expect(visibleUrl("http://x.api.localhost/in", underDomain)).toBe("https://x.api.test:8443/in");
  expect(visibleUrl("http://x.api.localhost:443/in", underDomain)).toBeUndefined();
  const speaksTls = namesOf({ ...bareFacts, server: { scheme: "https", port: 3000 } });
  expect(visibleUrl("https://api.localhost:9090/in", speaksTls)).toBe("http://api/in");
  expect(visibleUrl("https://api.localhost/in", speaksTls)).toBeUndefined();
});

test("a server that goes by the port it listens on means the same place, by its own scheme", () => {
  expect(visibleUrl("http://api.localhost:3000/folder/", bare)).toBe("http://api/folder/");
  expect(visibleUrl("//api.localhost:3000/folder/", bare)).toBe("//api/folder/");
  expect(visibleUrl("http://x.api.localhost:3000/a", underDomain)).toBe(
    "https://x.api.test:8443/a",
  );
  expect(visibleUrl("https://api.localhost:3000/", bare)).toBeUndefined();
  expect(visibleUrl("http://localhost:3000/", bare)).toBeUndefined();
  expect(visibleUrl("http://api:3000/", bare)).toBeUndefined();
  const plain80 = namesOf({ ...bareFacts, server: { scheme: "http", port: 80 } });
  expect(visibleUrl("http://api.localhost/folder/", plain80)).toBe("http://api/folder/");
});

test("where both have one name, only what the server knows of itself is mapped", () => {
  const site = (scheme: "http" | "https") => ({ scheme, host: "api.localhost", port: 9090 });
  const by = (scheme: "http" | "https", its: "http" | "https") =>
    namesOf({ visible: site(scheme), told: site(scheme), server: { scheme: its, port: 3000 } });
  const own = "http://API.localhost:9090/x";
  expect(visibleUrl(own, by("http", "http"))).toBeUndefined();
  expect(visibleUrl("http://api.localhost:3000/x", by("http", "http"))).toBe(
    "http://api.localhost:9090/x",
  );
  expect(visibleUrl(own, by("https", "http"))).toBe("https://api.localhost:9090/x");
  expect(visibleUrl("http://api.localhost:3000/x", by("https", "http"))).toBe(
    "https://api.localhost:9090/x",
  );
  // Perhaps it means to lead its clients to https.
  for (const url of ["https://api.localhost:9090/x", "https://api.localhost:3000/x"]) {
    expect(visibleUrl(url, by("http", "https"))).toBeUndefined();
    expect(visibleUrl(url, by("http", "http"))).toBeUndefined();
  }
  expect(visibleUrl("https://api.localhost:3000/x", by("https", "https"))).toBe(
    "https://api.localhost:9090/x",
  );
});

test.each([
  "http://web",
  "http://api:8080",
  "https://api",
  "//api",
  "http://api.localhost:9090",
  "http://apis",
  "http://api http://web",
  "null",
  "",
])("an Origin of %s goes on as it is", (url) => {
  expect(toldUrl(url, bare)).toBeUndefined();
});

test("an origin has nothing behind its port", () => {
  expect(isOrigin("http://api.localhost:9090")).toBe(true);
  for (const text of ["http://api.localhost:9090/", "*", "null", "", "http://a, http://b"]) {
    expect(isOrigin(text)).toBe(false);
  }
});

test.each([
  ["x.api.localhost", "x.api.test"],
  [".X.Api.Localhost", ".x.api.test"],
  ["api.localhost", "api.test"],
  [".api.localhost", ".api.test"],
  ["localhost", ""],
  [".localhost", ""],
  ["y.x.api.localhost", undefined],
  ["pi.localhost", undefined],
  ["x.api.test", undefined],
  ["example.com", undefined],
  ["", undefined],
  [".", undefined],
])("a cookie's Domain %s is %s under a configured domain", (domain, mapped) => {
  expect(visibleDomain(domain, underDomain)).toBe(mapped!);
});

test("a name without a dot can have no Domain", () => {
  expect(visibleDomain("api.localhost", bare)).toBe("");
  expect(visibleDomain(".api.localhost", bare)).toBe("");
  expect(visibleDomain("localhost", bare)).toBe("");
  expect(visibleDomain("api", bare)).toBeUndefined();
});

test("whatever a browser takes for the told origin, and nothing else, is mapped, and back to the same path", () => {
  const piece = fc.constantFrom(
    ..."/?#:@\\.[] \t%".split(""),
    "http:",
    "https:",
    "//",
    "api.localhost",
    "localhost",
    "9090",
    "80",
    "443",
    "API",
    "evil.example",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
      const url = pieces.join("");
      const mapped = visibleUrl(url, bare);
      if (mapped === undefined) return;
      const from = new URL(url, "http://api/");
      const to = new URL(mapped, "http://api/");
      expect(from.origin).toBe("http://api.localhost:9090");
      expect(to.origin).toBe("http://api");
      expect([to.pathname, to.search, to.hash]).toEqual([from.pathname, from.search, from.hash]);
      expect(toldUrl(mapped.replace(/^\/\//, "http://"), bare)).toBeDefined();
    }),
    { numRuns: 3_000 },
  );
});

test("64 KiB of anything take no time", () => {
  const began = performance.now();
  for (const text of ["/", "@", ":", "a", "a@", "\\", ".", "http://"]) {
    visibleUrl(`http://${text.repeat(65_536 / text.length)}`, bare);
  }
  expect(performance.now() - began).toBeLessThan(1_000);
});
