/** docs/api.md says what the list of commands says. */
import { expect, test } from "bun:test";
import { commands } from "../../src/control/commands/commands.ts";
import { securityHeaders } from "../../src/control/http/outcomes.ts";
import { documentPath, renewed } from "./api-document.ts";

// To write it anew: bun test/control/api-document.ts
test("the commands in docs/api.md are those that there are", async () => {
  const document = await Bun.file(documentPath).text();
  expect(renewed(document)).toBe(document);
});

test("every header that all answers have is in docs/api.md", async () => {
  const document = await Bun.file(documentPath).text();
  for (const name of Object.keys(securityHeaders)) expect(document).toContain(`\`${name}\``);
});

test("names, routes and what they change are told apart", () => {
  const names = commands.map(({ name }) => name);
  const paths = commands.map(({ path }) => path);
  expect(new Set(names).size).toBe(names.length);
  expect(new Set(paths).size).toBe(paths.length);
  for (const { name, path, method, changes } of commands) {
    expect(path).toMatch(/^\/v1\/[a-z-]+$/);
    // A GET comes from a link or an image too.
    expect([name, method]).toEqual([name, changes ? "POST" : "GET"]);
  }
});
