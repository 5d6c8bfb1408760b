import { expect, test } from "bun:test";
import { boundedModule } from "../../src/plugins/bounded-module.ts";

const head = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const name = (text: string): number[] => [text.length, ...Buffer.from(text)];
const section = (id: number, ...octets: number[]): number[] => [id, octets.length, ...octets];
const module = (...sections: number[][]): Uint8Array =>
  new Uint8Array([...head, ...sections.flat()]);

const memory = (...limits: number[]): Uint8Array =>
  module(section(5, 1, ...limits), section(7, 1, ...name("m"), 2, 0));
const table = (...limits: number[]): Uint8Array =>
  module(section(4, 1, 0x70, ...limits), section(7, 1, ...name("t"), 1, 0));

/** What the engine makes of a module that was bounded. */
function run(bytes: Uint8Array): Record<string, unknown> {
  const its = boundedModule(bytes);
  if (its.kind === "bad") throw new Error(its.why);
  const compiled = new WebAssembly.Module(its.bytes as Uint8Array<ArrayBuffer>);
  return new WebAssembly.Instance(compiled, {}).exports;
}

const why = (bytes: Uint8Array): unknown => {
  const its = boundedModule(bytes);
  return its.kind === "bad" ? its.why : its.kind;
};

test.each([
  ["without a maximum", [0, 1]],
  ["with a larger one", [1, 1, 0x80, 0x80, 0x04]],
])("a memory %s grows to 64 MiB, and no further", (_, limits) => {
  const { m } = run(memory(...limits)) as { m: WebAssembly.Memory };
  expect(m.grow(1023)).toBe(1);
  expect(() => m.grow(1)).toThrow();
});

test("a memory keeps a maximum that is smaller", () => {
  const { m } = run(memory(1, 1, 2)) as { m: WebAssembly.Memory };
  expect(m.grow(1)).toBe(1);
  expect(() => m.grow(1)).toThrow();
});

test("a table grows to 100,000 entries, and no further", () => {
  const { t } = run(table(0, 1)) as { t: WebAssembly.Table };
  expect(t.grow(99_999)).toBe(1);
  expect(() => t.grow(1)).toThrow();
});

test("whether a module has a memory of its own is told", () => {
  expect(boundedModule(memory(0, 1))).toMatchObject({ hasMemory: true });
  expect(boundedModule(table(0, 1))).toMatchObject({ hasMemory: false });
  expect(boundedModule(module(section(5, 0)))).toMatchObject({ hasMemory: false });
});

test.each<[name: string, bytes: Uint8Array, why: string]>([
  ["a memory of 128 MiB at once", memory(0, 0x80, 0x10), "it asks for 128 MiB of memory at once"],
  ["a memory that threads share", memory(3, 1, 2), "it has a memory that threads share"],
  ["a memory of 64 bits", memory(4, 1), "it has a memory of 64 bits"],
  ["a memory with pages of its own", memory(8, 1, 0), "it has a memory of an unknown kind"],
  [
    "a second memory",
    module(section(5, 2, 0, 1, 0, 1)),
    "it has a module with more than one memory",
  ],
  [
    "a table that is too large",
    table(0, 0xff, 0xff, 0x7f),
    "it asks for a table of 2097151 entries",
  ],
  ["a table of 64 bits", table(4, 1), "it has a table of 64 bits"],
  ["a table of another kind", module(section(4, 1, 0x64, 0, 0, 1)), "it has a table of an unknown"],
  ["many tables", module(section(4, 17)), "it has a module with more than 16 tables"],
  [
    "an imported memory that is shared",
    module(section(2, 1, 0, 0, 2, 3, 1, 2)),
    "it has a memory that",
  ],
  [
    "a name with a quote",
    module(section(7, 1, ...name("a'+b"), 0, 0)),
    "it has a name that is none",
  ],
  [
    "a name with a line",
    module(section(2, 1, ...name("a\nb"), 0, 0, 0)),
    "it has a name that is none",
  ],
  [
    "a number that is too large",
    memory(0, 0xff, 0xff, 0xff, 0xff, 0x1f),
    "a number of it is too large",
  ],
  ["a section that is cut off", new Uint8Array([...head, 5, 9, 1]), "it is cut off"],
  ["no module", new Uint8Array([0, 0x61, 0x73]), "a module in it is none of WebAssembly 1"],
])("%s is refused", (_, bytes, expected) => {
  expect(why(bytes)).toStartWith(expected);
});

test("whatever part of a module is left, it is read or refused, and never throws", () => {
  const whole = module(section(2, 1, 0, 0, 2, 1, 1, 2), section(4, 1, 0x70, 0, 1), section(5, 0));
  for (let length = 0; length <= whole.length; length++) {
    expect(["bounded", "bad"]).toContain(boundedModule(whole.subarray(0, length)).kind);
  }
});
