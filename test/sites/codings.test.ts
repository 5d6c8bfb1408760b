import { expect, test } from "bun:test";
import { codingsIn } from "../../src/sites/codings.ts";
import { contentType, isAsset, isCompressible } from "../../src/sites/content-types.ts";

test("compressed neighbours are looked for as the client's weights have it", () => {
  const read = (field: string | undefined): string =>
    codingsIn(field)
      .map(({ name }) => name)
      .join();
  expect(read(undefined)).toBe("");
  expect(read("")).toBe("");
  expect(read("gzip, deflate, br, zstd")).toBe("br,zstd,gzip");
  expect(read("gzip")).toBe("gzip");
  expect(read("x-gzip")).toBe("gzip");
  expect(read("br;q=0, gzip")).toBe("gzip");
  expect(read("br;q=0.1, gzip;q=0.9")).toBe("gzip,br");
  expect(read("*")).toBe("br,zstd,gzip");
  expect(read("*;q=0, gzip")).toBe("gzip");
  expect(read("identity, gzip;q=0.5")).toBe("");
  expect(read("identity;q=0.2, gzip;q=0.5")).toBe("gzip");
  expect(read("br;q=2, gzip;q=x")).toBe("");
  expect(read("GZIP ; Q=1.000")).toBe("gzip");
});

test("a type is known by the ending, text is UTF-8, and an unknown one is bytes", () => {
  expect(contentType("index.HTML")).toBe("text/html; charset=utf-8");
  expect(contentType("a.min.js")).toBe("text/javascript; charset=utf-8");
  expect(contentType("logo.svg")).toBe("image/svg+xml; charset=utf-8");
  expect(contentType("a.json")).toBe("application/json");
  expect(contentType("a.wasm")).toBe("application/wasm");
  for (const name of ["LICENSE", "a.", "a.constructor", "a.__proto__", "js", "a.xyz"]) {
    expect(contentType(name)).toBe("application/octet-stream");
  }
  expect(["app.js", "a.html", "john.doe", "5"].map(isAsset)).toEqual([true, false, false, false]);
  expect(isCompressible(contentType("a.css")) && !isCompressible(contentType("a.png"))).toBe(true);
});
