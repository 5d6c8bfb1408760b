import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Facts, fill } from "../../src/manifest/fill.ts";
import type { ServiceSpec } from "../../src/manifest/project.ts";
import { readTemplate, templateText } from "../../src/manifest/reference.ts";
import { service } from "./manifest.ts";

const facts: Facts = {
  project: { name: "shop", domain: "shop.localhost", directory: "/home/ada/shop" },
  shell: { HOME: "/home/ada", PATH: "/bin", LEVEL: "shell" },
  given: { PORT: "4000" },
  portOf: (name) => ({ db: 5432, web: 4000 })[name],
};

function web(env: Record<string, string>, command = "x"): ServiceSpec {
  return { ...service('[services]\nweb = "x"\n', "web"), env, command };
}

function filled(value: string): string | undefined {
  const its = fill(web({ VALUE: value }), facts);
  return its.kind === "filled" ? its.env.VALUE : its.mistakes.join("; ");
}

const values: [written: string, meant: string][] = [
  ["plain", "plain"],
  ["${services.db.port}", "5432"],
  ["${services.db.host}", "localhost"],
  ["postgres://${services.db.host}:${services.db.port}/shop", "postgres://localhost:5432/shop"],
  ["${services.db.url}", "http://localhost:5432"],
  ["${env.HOME}/x", "/home/ada/x"],
  ["${env.NONE:-none}", "none"],
  ["${env.NONE:-}", ""],
  ["${env.PORT}", "4000"],
  ["${project.name} ${project.domain} ${project.dir}", "shop shop.localhost /home/ada/shop"],
  ["$${services.db.port}", "${services.db.port}"],
  ["$$${services.db.port}", "$5432"],
  ["$$$${services.db.port}", "$${services.db.port}"],
  ["$ $$ $HOME a$", "$ $$ $HOME a$"],
];

for (const [written, meant] of values) {
  test(`${written} is ${meant}`, () => expect(filled(written)).toBe(meant));
}

describe("${env.X}", () => {
  const env = (its: Record<string, string>): unknown => {
    const read = fill(web(its), facts);
    return read.kind === "filled" ? read.env : read.mistakes;
  };

  test("is what the service will see, in whatever order they stand", () => {
    expect(env({ A: "${env.B}/a", B: "${env.LEVEL}", LEVEL: "own" })).toEqual({
      A: "own/a",
      B: "own",
      LEVEL: "own",
    });
  });

  test("within its own value is what the shell has", () => {
    expect(env({ PATH: "/x:${env.PATH}" })).toEqual({ PATH: "/x:/bin" });
  });

  test("that is part of a cycle is an error", () => {
    expect(env({ A: "${env.B}", B: "${env.A}" })).toEqual([
      "services.web.env.B: reference cycle: A -> B -> A",
    ]);
  });

  test("that nobody has is an error, reported with its key", () => {
    expect(env({ A: "${env.TOKEN}" })).toEqual([
      "services.web.env.A: ${env.TOKEN}: TOKEN is not set; set it, or give a default: ${env.TOKEN:-value}",
    ]);
  });
});

test("a port that there is not is an error", () => {
  expect(filled("${services.jobs.port}")).toBe(
    "services.web.env.VALUE: ${services.jobs.port}: jobs has no port",
  );
});

test("in a command the shell keeps what is its own", () => {
  const command = "a ${PORT} ${X:-y} ${#a} $$ $${PORT} ${a[0]} ${ ${services.db.port} $${env.HOME}";
  const its = fill(web({}, command), facts);
  expect(its.kind === "filled" && its.command).toBe(
    "a ${PORT} ${X:-y} ${#a} $$ $${PORT} ${a[0]} ${ 5432 ${env.HOME}",
  );
});

test("a health check's command is filled too", () => {
  const spec = service(
    '[services]\ndb = "x"\nweb = { command = "x", health_check = "nc ${services.db.port}" }\n',
    "web",
  );
  const its = fill(spec, facts);
  expect(its.kind === "filled" && its.health?.ask).toEqual({ kind: "command", command: "nc 5432" });
});

test("parts written down read as the same parts", () => {
  const plain = fc.string({ unit: fc.constantFrom("$", "{", "}", "a", ".", "\\"), minLength: 1 });
  const reference = fc.constantFrom(
    { kind: "env", name: "A", fallback: undefined } as const,
    { kind: "env", name: "A", fallback: "" } as const,
    { kind: "project", field: "dir" } as const,
    { kind: "service", name: "db", field: "url" } as const,
  );
  const text = (parts: readonly unknown[]): string =>
    parts.map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join("");
  fc.assert(
    fc.property(fc.array(fc.oneof(plain, reference), { minLength: 1 }), (parts) => {
      const read = readTemplate(templateText(parts), { shell: false });
      expect(read.mistakes).toEqual([]);
      expect(text(read.parts)).toBe(text(parts));
    }),
  );
});
