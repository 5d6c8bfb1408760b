import { describe, expect, test } from "bun:test";
import { builderOrder, describedOrder } from "../../../src/containers/build/builder-order.ts";

const known = [
  { id: "heroku/nodejs", version: "3.1.0" },
  { id: "heroku/nodejs", version: "3.2.0" },
  { id: "heroku/python", version: "1.0.0" },
];

const added = [{ id: "own/bp", version: "2", written: "./bp" }];

const own = {
  buildpacks: known,
  order: [
    [{ written: "heroku/nodejs@3.1.0", optional: false }],
    [{ written: "heroku/python", optional: true }],
  ],
};
const usual = { wanted: [], pre: [], post: [], own, added, builder: "b:1" };

const order = (...wanted: string[]) => builderOrder({ ...usual, wanted });

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
    expect(order("./bp")).toMatchObject({
      toml: '[[order]]\n[[order.group]]\nid = "own/bp"\nversion = "2"\n',
    });
    expect(order("heroku/nodejs@3.1.0")).toMatchObject({ toml: expect.stringContaining("3.1.0") });
  });

  test("has what project.toml wants in front of each group, and behind it", () => {
    const its = builderOrder({ ...usual, pre: ["./bp"], post: ["heroku/python"] });
    const entry = (id: string, version: string) =>
      `[[order.group]]\nid = "${id}"\nversion = "${version}"\n`;
    const behind = entry("heroku/python", "1.0.0");
    const front = `[[order]]\n${entry("own/bp", "2")}`;
    expect(its).toEqual({
      kind: "order",
      toml: `${front}${entry("heroku/nodejs", "3.1.0")}${behind}${front}${behind}optional = true\n${behind}`,
    });
    const none = { buildpacks: known, order: [] };
    expect(builderOrder({ ...usual, pre: ["./bp"], own: none })).toEqual({
      ...{ kind: "bad", why: expect.stringContaining("b:1 does not say its own order") },
    });
  });

  for (const [wanted, sentence] of [
    ["heroku/nodjs", "b:1 has no buildpack heroku/nodjs; did you mean heroku/nodejs?"],
    ["heroku/nodejs@9", "b:1 has heroku/nodejs 3.1.0, 3.2.0, and not 9"],
    ["docker://a/b:1", "docker://a/b:1 is not in b:1, which has its buildpacks inside"],
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
