/** Any value under any key: read or told of, never thrown at. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { fieldsOf } from "./fields-of.ts";
import { fill } from "../../src/manifest/fill.ts";
import { layerOf } from "../../src/manifest/layer.ts";
import { readManifest } from "../../src/manifest/read/read-manifest.ts";
import { healthSchema, projectSchema, serviceSchema } from "../../src/manifest/schema.ts";
import { directory } from "./manifest.ts";
import { holdsFor } from "../support/property.ts";

const names = fc.constantFrom("web", "api", "db", "shop", "", "a b", "my_jobs", "toString");

/** Mostly sound, so that what is said of sound things is reached. */
const text = fc.oneof(
  { weight: 3, arbitrary: names },
  fc.constantFrom(
    ...["x", "worker", "exec", "http", "tcp", "command", "always", "int", "5s", "/", "("],
    ...["${services.api.port}", "${services.web.url}", "${env.A}", "${env.B}${", "${project.dir}"],
  ),
  fc.string({ maxLength: 4 }),
);
const value = fc.oneof(
  { weight: 4, arbitrary: text },
  fc.array(text, { maxLength: 3 }),
  fc.integer({ min: -1, max: 70_000 }),
  fc.constantFrom(true, false, Number.NaN, Number.POSITIVE_INFINITY, new Date(0), {}, [[]]),
  fc.dictionary(fc.constantFrom("A", "B", "a=b", ""), text, { maxKeys: 3 }),
);

function tableOf(entries: object): fc.Arbitrary<Record<string, unknown>> {
  const keys = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...Object.keys(entries)) },
    fc.constantFrom("comand", "cwd", "version"),
  );
  return fc.dictionary(keys, value, { maxKeys: 5 });
}

const health = fc.oneof(value, tableOf(healthSchema.entries));
const service = fc
  .tuple(tableOf(serviceSchema.entries), fc.option(health), fc.boolean())
  .map(([its, check, sound]) => ({
    ...(sound ? { command: "x" } : {}),
    ...its,
    ...(check === null ? {} : { health_check: check }),
  }));
const anything = fc.record(
  {
    project: fc.oneof(value, tableOf(projectSchema.entries)),
    env: value,
    services: fc.oneof(
      { weight: 9, arbitrary: fc.dictionary(names, fc.oneof(value, service), { maxKeys: 5 }) },
      value,
    ),
  },
  { requiredKeys: [] },
);

/** Without a mistake in any one place, so that only what they come to together can be wrong. */
const template = fc
  .array(
    fc.constantFrom(
      ...[
        "${services.api.port}",
        "${services.web.url}",
        "${services.jobs.host}",
        "$${x}",
        "$",
        "{",
      ],
      ...["${env.A}", "${env.B}", "${env.C:-}", "${project.dir}", "x"],
      ...["a", "b", "c", "d", "e", "f", "g", "h"],
    ),
    { minLength: 1, maxLength: 2 },
  )
  .map((parts) => parts.join(" "));
const variables = fc.dictionary(fc.constantFrom("A", "B", "C"), template, { maxKeys: 2 });
const others = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  fc.subarray(["web", "api", "jobs"]),
);
const sound = fc.record(
  {
    command: template,
    env: variables,
    depends_on: others,
    restart_with: others,
    health_check: template,
    lazy: fc.boolean(),
  },
  { requiredKeys: ["command"] },
);
const shop = fc.record({
  env: variables,
  services: fc.record({
    web: sound,
    api: sound,
    jobs: sound.map(({ lazy: _, ...its }) => ({ ...its, type: "worker" })),
  }),
});

const documents: fc.Arbitrary<Record<string, unknown>[]> = fc.oneof(
  fc.tuple(shop),
  fc.tuple(shop, shop),
  fc.tuple(anything, anything),
  fc.tuple(anything, shop),
);

test("it is a project that can be filled, or errors with their lines", () => {
  let projects = 0;
  holdsFor(
    fc.property(documents, (values) => {
      const layers = values.map((value) =>
        layerOf({ value, placeOf: () => ({ line: 1, column: 1 }) }, "locald.toml"),
      );
      const shell = { A: "1" };
      const its = readManifest({ directory, layers, envFiles: new Map(), shell });
      if (its.kind === "mistakes") {
        expect(its.mistakes.length).toBeGreaterThan(0);
        for (const mistake of its.mistakes) expect(mistake).toStartWith("locald.toml:1 ");
        return;
      }
      projects += 1;
      const { services } = its.project;
      const declared = new Set(services.map(({ name }) => name));
      for (const spec of services) {
        const others = [...spec.dependsOn, ...spec.restartWith];
        expect(others.filter((other) => !declared.has(other))).toEqual([]);
        // What was read without a mistake has none when it starts either.
        const filled = fill(spec, {
          project: its.project,
          shell,
          given: {},
          fieldOf: (name, field) =>
            fieldsOf(services.find((one) => one.name === name)?.type === "exec" ? 4000 : undefined)[
              field
            ],
        });
        expect(filled.kind).toBe("filled");
      }
    }),
    { runs: 1_500, atLeast: 200 },
  );
  expect(projects).toBeGreaterThan(10);
});
