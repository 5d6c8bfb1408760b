/** What editors are given, and what people read, both hold every key. */
import { expect, test } from "bun:test";
import { jsonSchema } from "../../src/manifest/json-schema.ts";
import { layerSchema } from "../../src/manifest/schema.ts";

type Described = {
  description?: string;
  default?: unknown;
  properties?: Record<string, Described>;
  additionalProperties?: Described | boolean;
  anyOf?: Described[];
};

/** Every key with where it stands: `services.*.port`. */
function keysOf(its: Described, path: readonly string[] = []): [string, Described][] {
  const inner = Object.entries(its.properties ?? {}).flatMap(
    ([key, value]): [string, Described][] => [
      [[...path, key].join("."), value],
      ...keysOf(value, [...path, key]),
    ],
  );
  const each = typeof its.additionalProperties === "object" ? its.additionalProperties : {};
  return [
    ...inner,
    ...keysWithin(each, [...path, "*"]),
    ...(its.anyOf ?? []).flatMap((one) => keysOf(one, path)),
  ];
}

function keysWithin(its: Described, path: readonly string[]): [string, Described][] {
  return Object.keys(its).length === 0 ? [] : keysOf(its, path);
}

const keys = keysOf(jsonSchema() as Described);

test("it is a schema of draft 7 that holds every key, each with what it means", () => {
  expect(jsonSchema()).toMatchObject({ $schema: "http://json-schema.org/draft-07/schema#" });
  const names = keys.map(([name]) => name);
  expect(names).toContain("services.*.health_check.start_period");
  const own = Object.keys(layerSchema.entries);
  expect(own.every((key) => names.includes(key))).toBe(true);
  expect(keys.filter(([, { description }]) => !description).map(([name]) => name)).toEqual([]);
});

test("docs/locald-toml.md has a row for each of them", async () => {
  const page = await Bun.file(new URL("../../docs/locald-toml.md", import.meta.url)).text();
  const missing = keys
    .map(([name]) => name.split(".").at(-1)!)
    .filter((key) => !page.includes(`\n| \`${key}\` `));
  expect(missing).toEqual([]);
});

test("and says there what each of them is where nobody says", async () => {
  const page = await Bun.file(new URL("../../docs/locald-toml.md", import.meta.url)).text();
  const wrong = keys.filter(([name, { default: usual }]) => {
    // Said in words there.
    if (usual === undefined || name.endsWith(".workdir")) return false;
    const key = name.split(".").at(-1)!;
    const rows = page.split("\n").filter((line) => line.startsWith(`| \`${key}\` `));
    return !rows.some((row) => row.replace(/ *\|$/, "").endsWith(`\`${JSON.stringify(usual)}\``));
  });
  expect(wrong.map(([name]) => name)).toEqual([]);
});
