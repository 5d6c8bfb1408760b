import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Facts, fill } from "../../src/manifest/fill.ts";
import type { ServiceSpec } from "../../src/manifest/project.ts";
import {
  type Operator,
  type Part,
  readTemplate,
  type Reference,
  templateText,
} from "../../src/manifest/reference.ts";
import { fieldsOf } from "./fields-of.ts";
import { service } from "./manifest.ts";

const facts: Facts = {
  project: { name: "shop", domain: "shop.localhost", directory: "/home/ada/shop" },
  shell: { HOME: "/home/ada", PATH: "/bin", LEVEL: "shell", EMPTY: "" },
  given: { PORT: "4000" },
  fieldOf: (name, field) =>
    fieldsOf(
      new Map([
        ["db", 5432],
        ["web", 4000],
      ]).get(name),
    )[field],
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
  ["${env.EMPTY:-none}", "none"],
  ["${env.EMPTY-none}", ""],
  ["${env.NONE:-${env.HOME}/${project.name}}", "/home/ada/shop"],
  ['${env.NONE:-{"a": {}}}', '{"a": {}}'],
  ["${env.NONE:-$${HOME}}", "${HOME}"],
  ["${env.HOME:+set}${env.NONE:+unset}", "set"],
  ["${env.HOME:?why}", "/home/ada"],
  ["${env.NONE:?why}", "services.web.env.VALUE: NONE is not set: why"],
  ["${shell.LEVEL}", "shell"],
  ["${project.name} ${project.domain} ${project.dir}", "shop shop.localhost /home/ada/shop"],
  ["$${services.db.port}", "${services.db.port}"],
  ["$$${services.db.port}", "$5432"],
  ["$$$${services.db.port}", "$${services.db.port}"],
  ["$ $$ $HOME a$", "$ $$ $HOME a$"],
];

for (const [written, meant] of values) {
  test(`${written} is ${meant}`, () => expect(filled(written)).toBe(meant));
}

test("hooks are filled as the command is, and what is wrong in them begins with their key", () => {
  const hooks = { before_start: "wait-for ${services.db.port}", stop_command: "kill $MAINPID" };
  expect(fill({ ...web({}), hooks }, facts)).toMatchObject({
    hooks: { before_start: "wait-for 5432", stop_command: "kill $MAINPID" },
  });
  expect(fill({ ...web({}), hooks: { after_stop: "${env.NONE}" } }, facts)).toMatchObject({
    mistakes: [
      expect.stringMatching(/^services\.web\.after_stop: \$\{env\.NONE\}: NONE is not set/),
    ],
  });
});

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

test("${shell.X} is the shell's, whatever the file says, and alone it stays unset where the shell has none", () => {
  const its = fill(
    web({ LEVEL: "own", A: "${shell.LEVEL}", B: "${env.LEVEL}", C: "${shell.C}" }),
    facts,
  );
  expect(its.kind === "filled" && its.env).toEqual({ LEVEL: "own", A: "shell", B: "own" });
});

test("references that grow without end are an error", () => {
  const env: Record<string, string> = { A0: "x".repeat(1000) };
  for (let index = 1; index < 60; index++) env[`A${index}`] = `\${env.A${index - 1}}`.repeat(2);
  const its = fill(web(env), facts);
  expect(its.kind === "mistakes" && its.mistakes[0]).toBe(
    "services.web.env.A8: longer than 128 KiB with its references filled in",
  );
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
  const plain = fc.string({ unit: fc.constantFrom("$", "{", "}", "a", "'", "\\"), minLength: 1 });
  const { reference } = fc.letrec<{ reference: Reference; parts: Part[] }>((tie) => ({
    parts: fc.array(fc.oneof({ maxDepth: 3 }, plain, tie("reference")), { minLength: 1 }),
    reference: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      fc.constantFrom<Reference>(
        { kind: "env", scope: "service", name: "A", otherwise: undefined },
        { kind: "env", scope: "shell", name: "A", otherwise: { operator: ":-", word: [""] } },
        { kind: "project", field: "dir" },
        { kind: "service", name: "db", field: "url" },
      ),
      fc.record({
        kind: fc.constant("env" as const),
        scope: fc.constantFrom("service" as const, "shell" as const),
        name: fc.constant("B"),
        otherwise: fc.record({
          operator: fc.constantFrom<Operator[]>(":-", "-", ":?", "?", ":+", "+"),
          word: tie("parts"),
        }),
      }),
    ),
  }));
  // Neighbouring texts are one.
  const text = (parts: readonly Part[]): string =>
    parts
      .map((part) => {
        if (typeof part === "string") return part;
        if (part.kind !== "env" || part.otherwise === undefined) return JSON.stringify(part);
        const { word, operator } = part.otherwise;
        return JSON.stringify({ ...part, operator, otherwise: text(word) });
      })
      .join("");
  fc.assert(
    fc.property(fc.array(fc.oneof(plain, reference), { minLength: 1 }), (parts) => {
      const read = readTemplate(templateText(parts), { shell: false });
      expect(read.mistakes).toEqual([]);
      expect(text(read.parts)).toBe(text(parts));
    }),
  );
});

test("the command of a build is filled, and stays as the file has it for people", () => {
  const text = '[services.web]\ncommand = "x"\nbuild = "make ${services.db.port}"\n';
  const its = fill(service(`${text}[services.db]\ncommand = "y"\n`, "web"), facts);
  expect(its.kind === "filled" && its.own).toEqual({
    kind: "built",
    build: {
      kind: "command",
      command: "make 5432",
      written: "make ${services.db.port}",
      inputs: [],
    },
  });
});
