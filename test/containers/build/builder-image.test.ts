import { describe, expect, test } from "bun:test";
import { readBuilder } from "../../../src/containers/build/builder-image.ts";

const name = "heroku/builder:24";

const metadata = {
  stack: { runImage: { image: "heroku/heroku:24", mirrors: ["elsewhere/heroku:24"] } },
  images: [{ image: "heroku/heroku:24-run", mirrors: [] }],
  buildpacks: [
    { id: "heroku/nodejs", version: "3.2.0", homepage: "https://example.com" },
    { id: "heroku/python", version: "1.0.0" },
    { id: 7 },
  ],
};

const apis = { platform: { supported: ["0.7", "0.12", "0.13"], deprecated: ["0.10"] } };

function image({
  labels = {},
  env = ["PATH=/bin", "CNB_USER_ID=1002", "CNB_GROUP_ID=1000"],
  ...more
}: { labels?: Record<string, unknown>; env?: string[] } & Record<string, unknown> = {}): unknown {
  const all = {
    "io.buildpacks.builder.metadata": JSON.stringify(metadata),
    "io.buildpacks.lifecycle.apis": JSON.stringify(apis),
    "io.buildpacks.buildpack.order": JSON.stringify([
      { group: [{ id: "heroku/nodejs", version: "3.2.0" }, { id: 1 }] },
      { group: [{ id: "heroku/python", optional: true }] },
    ]),
    ...labels,
  };
  return {
    Id: "sha256:1",
    Os: "linux",
    Architecture: "arm64",
    Config: { Labels: all, Env: env },
    ...more,
  };
}

function why(value: unknown): string {
  const read = readBuilder(value, { name });
  return read.kind === "bad" ? read.why : "a builder";
}

describe("a builder image", () => {
  test("says by its labels and variables what a build needs", () => {
    expect(readBuilder(image(), { name })).toEqual({
      kind: "builder",
      builder: {
        id: "sha256:1",
        architecture: "arm64",
        api: "0.13",
        uid: 1002,
        gid: 1000,
        folders: {
          app: "/workspace",
          layers: "/layers",
          platform: "/platform",
          buildpacks: "/cnb/buildpacks",
        },
        runImage: "heroku/heroku:24-run",
        buildpacks: [
          { id: "heroku/nodejs", version: "3.2.0" },
          { id: "heroku/python", version: "1.0.0" },
        ],
        order: [
          [{ written: "heroku/nodejs@3.2.0", optional: false }],
          [{ written: "heroku/python", optional: true }],
        ],
      },
    });
  });

  test("may have its own folders, and its run image and APIs where older builders have them", () => {
    const old = { stack: metadata.stack, lifecycle: { apis } };
    const folders = ["CNB_APP_DIR=/app", "CNB_LAYERS_DIR=/l=1", "CNB_PLATFORM_DIR=relative"];
    const read = readBuilder(
      image({
        labels: {
          "io.buildpacks.builder.metadata": JSON.stringify(old),
          "io.buildpacks.lifecycle.apis": undefined,
        },
        env: ["CNB_USER_ID=1", "CNB_GROUP_ID=2", ...folders],
      }),
      { name },
    );
    expect(read).toMatchObject({
      builder: {
        ...{ runImage: "heroku/heroku:24", api: "0.13", buildpacks: [] },
        folders: { app: "/app", layers: "/l=1", platform: "/platform" },
      },
    });
  });

  for (const [spoken, chosen] of [
    [["0.10"], "0.10"],
    [["0.9", "0.14", "0.15"], "0.14"],
    [["0.11", "0.12"], "0.12"],
  ] as const) {
    test(`that speaks ${spoken.join(", ")} is asked by ${chosen}`, () => {
      const labels = {
        "io.buildpacks.lifecycle.apis": JSON.stringify({ platform: { supported: spoken } }),
      };
      expect(readBuilder(image({ labels }), { name })).toMatchObject({ builder: { api: chosen } });
    });
  }

  for (const [what, value, sentence] of [
    ["has no labels", { Id: "1", Config: {} }, "heroku/builder:24 is no builder: it has no label"],
    ["is no image", undefined, "is no builder"],
    [
      "has a label that is no JSON",
      image({ labels: { "io.buildpacks.builder.metadata": "{" } }),
      "is no builder",
    ],
    [
      "is for windows",
      image({ Os: "windows" }),
      "is a builder for windows, and only those for linux",
    ],
    [
      "speaks older APIs only",
      image({
        labels: {
          "io.buildpacks.lifecycle.apis": JSON.stringify({
            platform: { supported: ["0.9"], deprecated: ["0.3", "0.10-rc"] },
          }),
        },
      }),
      "the lifecycle of heroku/builder:24 speaks 0.3, 0.9, and we speak Platform API 0.10 to 0.14; use a newer one",
    ],
    [
      "says no APIs",
      image({ labels: { "io.buildpacks.lifecycle.apis": "[]" } }),
      "does not say which Platform API",
    ],
    [
      "names no run image",
      image({ labels: { "io.buildpacks.builder.metadata": "{}" } }),
      "does not name the run image",
    ],
    ["has no user", image({ env: ["CNB_USER_ID=x"] }), "it has no CNB_USER_ID and CNB_GROUP_ID"],
  ] as const) {
    test(`that ${what} is refused with a sentence`, () => {
      expect(why(value)).toContain(sentence);
    });
  }
});
