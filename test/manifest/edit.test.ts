/** A locald.toml of any shape and a new service: nothing else changes. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Edit, type NewService, withService } from "../../src/manifest/edit.ts";
import { readToml } from "../../src/manifest/toml.ts";
import { holdsFor } from "../support/property.ts";

function edited(text: string, service: NewService): string {
  const its = withService(text, service);
  if (its.kind !== "edited") throw new Error(JSON.stringify(its));
  return its.text;
}

function value(text: string): Record<string, unknown> {
  const toml = readToml(text);
  if (toml.kind === "bad") throw new Error(toml.why);
  return toml.document.value;
}

const api: NewService = { name: "api", command: "bun api.ts" };

test("it is written below, with a line between", () => {
  expect(edited('# Mine.\n[project]\nname = "shop" # so\n', api)).toBe(
    '# Mine.\n[project]\nname = "shop" # so\n\n[services.api]\ncommand = "bun api.ts"\n',
  );
  expect(withService("", api)).toEqual({
    kind: "edited",
    text: '[services.api]\ncommand = "bun api.ts"\n',
    line: 1,
  } satisfies Edit);
});

test("what was said of it is there, and nothing that it is anyway", () => {
  const worker: NewService = { name: "jobs", type: "worker", command: `say "a\\b"`, port: 80 };
  expect(edited("", worker)).toBe(
    '[services.jobs]\ntype = "worker"\ncommand = \'say "a\\b"\'\nport = 80\n',
  );
  expect(edited("", { ...api, type: "exec" })).toBe(edited("", api));
});

test("lines end as they do in the rest of the file", () => {
  expect(edited('[services]\r\nweb = "x"', api)).toBe(
    '[services]\r\nweb = "x"\r\n\r\n[services.api]\r\ncommand = "bun api.ts"\r\n',
  );
});

describe("services that are written otherwise", () => {
  test("in one line", () => {
    expect(edited('services = { web = { command = "}" } } # }\n[env]\n', api)).toBe(
      'services = { web = { command = "}" }, api = { command = "bun api.ts" } } # }\n[env]\n',
    );
    expect(value(edited("services = {}\n", api))).toEqual({
      services: { api: { command: "bun api.ts" } },
    });
  });

  test("with dots", () => {
    expect(value(edited('services.web = "x"\n[env]\nA = "1"\n', { ...api, port: 1 }))).toEqual({
      services: { web: "x", api: { command: "bun api.ts", port: 1 } },
      env: { A: "1" },
    });
  });
});

test("one that is there is told with its line", () => {
  expect(withService('[services]\nweb = "x"\napi = "y"\n', api)).toEqual({
    kind: "taken",
    line: 3,
  });
  expect(withService('[services.api]\ncommand = "y"\n', api)).toEqual({ kind: "taken", line: 1 });
});

test("invalid TOML, or has no services, is left alone", () => {
  expect(withService("a = \n", api).kind).toBe("mistake");
  expect(withService("services = 3\n", api)).toEqual({
    kind: "mistake",
    why: "services is not a table",
  });
});

const pieces = [
  '# A comment with "quotes" and = and ]\n',
  "\n",
  "   \n",
  '[project]\nname = "shop"\n',
  "[env]\nA = '''\n[services.api]\n'''\n",
  '[services]\nweb = "bun dev" # why\n',
  '[services.db]\ncommand = "x"\n  # indented\ndepends_on = [\n  "web", # first\n]\n',
  "[services.db.env]\nB = '1'\n",
  "[[other]]\nwhen = 2020-01-01T00:00:00Z\n[[other]]\nn = 1.5\n",
];

test("whatever the file, its value is what it was and the service; its lines are what they were", () => {
  const texts = fc
    .tuple(
      fc.shuffledSubarray(pieces),
      fc.constantFrom("\n", "\r\n"),
      fc.boolean(),
      fc.constantFrom("", "\uFEFF"),
    )
    .map(([parts, newline, ended, mark]) => {
      const text = mark + parts.join("").replaceAll("\n", newline);
      return ended ? text : text.replace(/\r?\n$/, "");
    })
    // Pieces that cannot stand in that order.
    .filter((text) => readToml(text).kind === "done");
  const services = fc.record({
    name: fc.oneof(fc.constantFrom("api", "a.b", 'q"', "ü", "x y"), fc.string({ minLength: 1 })),
    type: fc.constantFrom("exec" as const, "worker" as const, undefined),
    command: fc.string({ unit: "binary" }),
    port: fc.constantFrom(undefined, 3000),
  });
  holdsFor(
    fc.property(texts, services, (text, service) => {
      // Keys that the parser takes for an attack.
      fc.pre(service.name !== "__proto__" && service.name !== "constructor");
      fc.pre(service.name.isWellFormed());
      const before = value(text);
      fc.pre(!Object.hasOwn((before.services ?? {}) as object, service.name));
      const after = edited(text, service);
      const { name, type, command, port } = service;
      expect(value(after)).toEqual({
        ...before,
        services: {
          ...(before.services as object),
          [name]: {
            ...(type === "worker" ? { type } : {}),
            command: command.toWellFormed(),
            ...(port === undefined ? {} : { port }),
          },
        },
      });
      const lines = text.replace(/\n$/, "").split("\n");
      if (text === "") lines.pop();
      const kept = after.split("\n").slice(0, lines.length);
      // The last one has an end now.
      expect(kept.map((line) => line.replace(/\r$/, ""))).toEqual(
        lines.map((line) => line.replace(/\r$/, "")),
      );
      if (text !== "" && text.endsWith("\n")) expect(after.startsWith(text)).toBe(true);
    }),
    { runs: 300 },
  );
});
