/** docs/json.md says what verbs and the daemon print. */
import { expect, test } from "bun:test";
import { failureCodes } from "../../src/cli/shared/failure.ts";
import { errorCodes } from "../../src/control/found/protocol.ts";
import { documentPath, renewed, schema, schemaPath } from "./json-document.ts";

// To write both anew: bun test/cli/json-document.ts
test("the answers in docs/json.md are those that tests hold the verbs to", async () => {
  const document = await Bun.file(documentPath).text();
  expect(renewed(document)).toBe(document);
  expect(await Bun.file(schemaPath).json()).toEqual(JSON.parse(JSON.stringify(schema())));
});

test("every code of an error is in docs/json.md, and no other", async () => {
  const document = await Bun.file(documentPath).text();
  const [, codes = ""] = document.split("## Codes");
  const listed = [...codes.split("<!--")[0]!.matchAll(/^\| `([a-z_]+)`/gm)].map(
    ([, code]) => code!,
  );
  const sources = ["http", "outcomes"].map((name) =>
    Bun.file(`${import.meta.dir}/../../src/control/http/${name}.ts`).text(),
  );
  const byHttp = (await Promise.all(sources)).flatMap((text) =>
    [...text.matchAll(/code: "([a-z_]+)"/g)].map(([, code]) => code!),
  );
  const all = new Set<string>([...failureCodes, ...errorCodes, ...byHttp]);
  expect(listed.sort()).toEqual([...all].sort());
});

test("every code of the proxy's own answers is in docs/json.md", async () => {
  const document = await Bun.file(documentPath).text();
  const sources = ["explain", "explain-name"].map((name) =>
    Bun.file(`${import.meta.dir}/../../src/proxy/pages/${name}.ts`).text(),
  );
  const source = (await Promise.all(sources)).join("\n");
  const codes = [...source.matchAll(/(?:code: |\? |: )"([a-z_]+)"(?:,| :)/g)].map(
    ([, its]) => its!,
  );
  expect(codes.length).toBeGreaterThan(10);
  for (const code of codes) expect(document).toContain(`\`${code}\``);
});
