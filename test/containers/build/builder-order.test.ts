import { describe, expect, test } from "bun:test";
import { builderOrder, describedOrder } from "../../../src/containers/build/builder-order.ts";

const known = [
  { id: "heroku/nodejs", version: "3.1.0" },
  { id: "heroku/nodejs", version: "3.2.0" },
  { id: "heroku/python", version: "1.0.0" },
];

const order = (...wanted: string[]) => builderOrder({ wanted, known, builder: "b:1" });

describe("the order of a builder", () => {
  test("is its own where the file names no buildpacks", () => {
    expect(order()).toEqual({ kind: "order", toml: undefined });
  });

  test("is one group of those that the file names, with a version each", () => {
    expect(order("heroku/nodejs", "urn:cnb:builder:heroku/python@1.0.0")).toEqual({
      kind: "order",
      toml: `[[order]]
[[order.group]]
id = "heroku/nodejs"
version = "3.2.0"
[[order.group]]
id = "heroku/python"
version = "1.0.0"
`,
    });
    expect(order("heroku/nodejs@3.1.0")).toMatchObject({ toml: expect.stringContaining("3.1.0") });
  });

  for (const [wanted, sentence] of [
    ["heroku/nodjs", "b:1 has no buildpack heroku/nodjs; did you mean heroku/nodejs?"],
    ["heroku/nodejs@9", "b:1 has heroku/nodejs 3.1.0, 3.2.0, and not 9"],
    ["./buildpacks/node", "./buildpacks/node is not in b:1, which has its buildpacks inside"],
    ["https://example.com/x#1", "leave out builder to run it on this machine"],
  ] as const) {
    test(`with ${wanted} is refused with a sentence`, () => {
      expect(order(wanted)).toEqual({ kind: "bad", why: expect.stringContaining(sentence) });
    });
  }

  test("of project.toml is a list of such names, and an inline buildpack is none of a builder's", () => {
    const entry = { id: undefined, version: undefined, uri: undefined, script: undefined, line: 1 };
    const script = { api: "0.10", shell: "/bin/sh", inline: "true" };
    const group = [
      { ...entry, id: "heroku/nodejs" },
      { ...entry, id: "heroku/python", version: "1.0.0" },
      { ...entry, uri: "./bp" },
      { ...entry, id: "own", script },
    ];
    const wanted = describedOrder(group);
    expect(wanted.slice(0, 3)).toEqual(["heroku/nodejs", "heroku/python@1.0.0", "./bp"]);
    expect(order(wanted[3]!)).toMatchObject({ kind: "bad" });
  });
});
