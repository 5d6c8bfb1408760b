/** Whatever a component answers: a plan that can be applied, or sentences; the same ones each time. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { layerOf } from "../../src/manifest/layer.ts";
import { appliedPlan, portNames } from "../../src/plugins/apply-plan.ts";
import { filePathMistake } from "../../src/plugins/file-path.ts";
import { readApplied, readPlan } from "../../src/plugins/read-plan.ts";
import { validatePlan } from "../../src/plugins/validate-plan.ts";
import { holdsFor } from "../support/property.ts";

const options = { granted: [], service: "cache", taken: ["api"] } as const;

const word = fc.constantFrom("a", "b", "port", "web", "", "__proto__", "x y", "api");
const key = fc.constantFrom(
  "command",
  "port",
  "image",
  "env.A",
  "args.0",
  "args.2",
  "env",
  "type",
  "a.",
  "__proto__.x",
);
const literal = fc.oneof(
  fc.record({ tag: fc.constantFrom("text", "path", "url"), val: fc.string() }),
  fc.record({
    tag: fc.constantFrom("signed", "unsigned"),
    val: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  }),
  fc.record({ tag: fc.constant("float"), val: fc.double() }),
  fc.record({ tag: fc.constant("boolean"), val: fc.boolean() }),
  fc.record({ tag: fc.constant("bytes"), val: fc.uint8Array({ maxLength: 3 }) }),
  fc.constant({ tag: "null" }),
);
const field = fc.constantFrom("port", "host", "name", "image", "rendered", "path", "constructor");
const value = fc.oneof(
  fc.record({ tag: fc.constant("lit"), val: literal }),
  fc.record({
    tag: fc.constant("get"),
    val: fc.record({
      stepId: word,
      path: fc.array(fc.record({ tag: fc.constant("field"), val: field }), { maxLength: 2 }),
    }),
  }),
);
const entries = fc.array(fc.tuple(key, value), { maxLength: 4 });
const operation = fc.oneof(
  fc.record({
    tag: fc.constant("declare-service"),
    val: fc.record({
      name: word,
      runtime: fc.constantFrom("exec", "container", "site", "task", "x"),
      settings: entries,
    }),
  }),
  fc.record({ tag: fc.constant("allocate-port"), val: fc.record({ name: word }) }),
  fc.record({
    tag: fc.constant("oci-pull"),
    val: fc.record({ image: fc.oneof(word, fc.string()) }),
  }),
  fc.record({
    tag: fc.constant("render-template"),
    val: fc.record({
      template: fc.constantFrom("{{a}}", "{{", "{{ b }} x", "plain"),
      values: fc.array(fc.tuple(word, value), { maxLength: 2 }),
    }),
  }),
  fc.record({
    tag: fc.constant("write-file"),
    val: fc.record({ path: fc.oneof(word, fc.string()), contents: value }),
  }),
);
const plans = fc.record({
  irVersion: fc.constantFrom(1, 1, 1, 2),
  requestedCapabilities: fc.subarray(["oci-pull", "write-file", "render_template"]),
  steps: fc.array(fc.record({ id: word, needs: fc.array(word, { maxLength: 3 }), op: operation }), {
    maxLength: 6,
  }),
});

const get = (stepId: string, name: string) => ({
  tag: "get",
  val: { stepId, path: [{ tag: "field", val: name }] },
});
const lit = (tag: string, val: unknown) => ({ tag: "lit", val: { tag, val } });

/** Right, but for a value or two. */
const nearly = fc
  .record({
    ports: fc.nat(3),
    command: fc.string(),
    path: fc.oneof(fc.constant("a/b"), fc.string()),
    more: entries,
    values: literal,
  })
  .map(({ ports, command, path, more, values }) => {
    const ids = Array.from({ length: ports }, (_, at) => `p${at}`);
    const settings = [
      ["command", lit("text", command)],
      ...ids.map((id, at) => [`env.P${at}`, get(id, "port")]),
      ...more.filter(([name]) => name.startsWith("env.A")),
    ];
    return {
      irVersion: 1,
      requestedCapabilities: ["write-file"],
      steps: [
        {
          id: "web",
          needs: ids,
          op: { tag: "declare-service", val: { name: "web", runtime: "exec", settings } },
        },
        {
          id: "file",
          needs: [],
          op: { tag: "write-file", val: { path, contents: { tag: "lit", val: values } } },
        },
        ...ids.map((id) => ({ id, needs: [], op: { tag: "allocate-port", val: { name: id } } })),
      ],
    };
  });

test("anything at all is read, without an exception", () => {
  holdsFor(
    fc.property(fc.anything(), (its) => {
      for (const read of [readPlan(its), readApplied({ tag: "ok", val: its }), readApplied(its)]) {
        expect(["plan", "mistakes", "diagnostics"]).toContain(read.kind);
      }
    }),
    { runs: 2_000 },
  );
});

test("a plan is refused with sentences, or its services are tables of a file, and its files in the project", () => {
  let applied = 0;
  holdsFor(
    fc.property(fc.oneof(plans, nearly), (its) => {
      const read = readPlan(its);
      if (read.kind !== "plan") return;
      const first = validatePlan(read.plan, options);
      expect(validatePlan(read.plan, options)).toEqual(first);
      for (const text of first.mistakes) expect(text).not.toContain("undefined");
      if (first.mistakes.length > 0) return;
      applied += 1;
      expect(first.order).toHaveLength(read.plan.steps.length);
      const ports = Object.fromEntries(
        portNames(first.order).map((name, at) => [name, 20_000 + at]),
      );
      const { services, files } = appliedPlan(first.order, ports);
      const layer = layerOf(
        { value: { services }, placeOf: () => ({ line: 1, column: 1 }) },
        "plan",
      );
      expect(layer.mistakes).toEqual([]);
      for (const { path } of files) expect(filePathMistake(path)).toBeUndefined();
    }),
    { runs: 2_000 },
  );
  expect(applied).toBeGreaterThan(0);
});
