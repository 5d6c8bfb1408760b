/** A refusal of the guard -> the lines that it gives: each is one that files may have, and lets the request pass. */
import { expect, test } from "bun:test";
import { object, safeParse } from "valibot";
import { declaredSettings } from "../../src/manifest/name-settings.ts";
import { settingEntries } from "../../src/manifest/settings-schema.ts";
import { readToml } from "../../src/manifest/toml.ts";
import { allowing, deniedText, waysToAllow } from "../../src/routes/denial.ts";
import {
  fetched,
  formType,
  fromElsewhere,
  judged,
  opened,
  socket,
  verdict,
} from "../support/guarded.ts";

const pages = [
  "Origin: https://evil.example",
  "Origin: https://EVIL.example:443",
  "Origin: http://evil.example.",
  "Origin: http://xn--bcher-kva.example",
  "Origin: http://a_b.example:81",
  "Origin: http://0.0.0.0:8000",
  "Origin: http://[2001:db8::1]:3000",
  "Origin: http://192.168.1.5:3000",
  "Origin: app://.",
  "Origin: app://Bundle.X",
  "Origin: chrome-extension://abcdefghijklmnopabcdefghijklmnop",
  "Origin: vscode-webview://0d1k-8g",
  "Origin: null",
  "Origin: file://",
  "Referer: https://evil.example/a?b",
  "Referer: about:blank",
];

const requests: { line: string; fields?: readonly string[] }[] = [
  { line: "PUT /" },
  { line: "GET /", fields: socket },
  { line: "GET /", fields: fetched("navigate", "iframe") },
  { line: "OPTIONS /", fields: ["Access-Control-Request-Method: PUT"] },
  ...["/a%20b/%C3%BC?c=d", "/a|b;c='d'", "//a/./b", "/a%2fb%zz", "/*/a", "/a\\b", "/^{}"].map(
    (path) => ({ line: `POST ${path}`, fields: [...opened, formType] }),
  ),
  { line: `POST /${"a".repeat(500)}`, fields: [...opened, formType] },
];

test.each(pages)("%s", (page) => {
  for (const { line, fields = [] } of requests) {
    const asked = { line, fields: [fromElsewhere, page, ...fields] };
    const denied = judged(asked)!;
    for (const its of [allowing(denied), ...waysToAllow(denied)]) {
      const toml = readToml(its.line);
      const read = safeParse(
        object(settingEntries),
        toml.kind === "done" ? toml.document.value : toml.why,
      );
      const settings = read.success ? declaredSettings(read.output) : {};
      const after = read.success ? verdict({ ...asked, settings }) : read.issues[0].message;
      expect(`${line}: ${its.line}: ${after}`).toBe(`${line}: ${its.line}: passes`);
    }
  }
});

test("a page of one's own that does not say so is told how it may", () => {
  const hint = "a page of yours passes with Referrer-Policy: origin";
  const said = (...fields: string[]) => deniedText(judged({ fields: [fromElsewhere, ...fields] })!);
  expect(said()).toContain(hint);
  expect(said("Origin: null")).toContain(hint);
  expect(said("Origin: https://evil.example")).not.toContain(hint);
});
