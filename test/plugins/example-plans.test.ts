/** The example plugins, asked as `up` asks them: a service of a file -> the services, files and images of its plan. */
import { beforeAll, describe, expect, test } from "bun:test";
import type { WrittenService } from "../../src/manifest/planned.ts";
import { appliedPlan, type AppliedPlan, portNames } from "../../src/plugins/apply-plan.ts";
import type { Plugin } from "../../src/plugins/installed.ts";
import { planBy } from "../../src/plugins/make-plans.ts";
import { inParallel } from "../support/in-parallel.ts";
import { call, examplePlugin, hasTranspiler, lackingTranspiler } from "../support/plugin-calls.ts";

type Config = Record<string, unknown>;

/** `missing`: what has to be granted. */
type Expected = (AppliedPlan & { missing: readonly string[] }) | { errors: readonly string[] };

const redis = {
  ...{ type: "container", image: "redis:7", port: 6001, container_port: 6379 },
  ...{ volumes: ["data:/data"], command: "--protected-mode no" },
};
const page = (title: string) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>${title}</title>
  </head>
  <body>
    <h1>${title}</h1>
  </body>
</html>
`;

const rows: readonly [title: string, plugin: string, config: Config, expected: Expected][] = [
  [
    "a redis without keys",
    "redis",
    {},
    {
      services: { main: redis },
      files: [],
      images: ["redis:7"],
      missing: ["oci-pull"],
    },
  ],
  [
    "a redis of a version, with a limit and a volume",
    "redis",
    { version: 8n, memory: "64mb", volume: "cache" },
    {
      services: {
        main: {
          ...{ ...redis, image: "redis:8", volumes: ["cache:/data"] },
          command: "--protected-mode no --maxmemory 64mb",
        },
      },
      files: [],
      images: ["redis:8"],
      missing: ["oci-pull"],
    },
  ],
  [
    "another image, at a port of one's own",
    "redis",
    { image: "valkey/valkey:8", port: 6379n },
    {
      services: {
        main: { ...redis, image: "valkey/valkey:8", port: 6379 },
      },
      files: [],
      images: ["valkey/valkey:8"],
      missing: ["oci-pull"],
    },
  ],
  [
    "a redis with a key that it has not",
    "redis",
    { verison: "7" },
    { errors: ["no key verison; there are version, image, port, volume and memory"] },
  ],
  [
    "a site as it is",
    "static-site",
    { path: "dist", reload: true },
    {
      services: { main: { type: "site", path: "dist", reload: true } },
      files: [],
      images: [],
      missing: [],
    },
  ],
  [
    "a site with a first page and one of what is missing, in any script",
    "static-site",
    { title: "Käse & <b>パン</b> 🧀 {{x}}", missing: "weg" },
    {
      services: { main: { type: "site", path: "public", reload: false } },
      files: [
        {
          path: "public/index.html",
          contents: page("Käse &amp; &lt;b&gt;パン&lt;/b&gt; 🧀 {{x}}"),
        },
        {
          path: "public/404.html",
          contents: "<!doctype html>\n<title>Not here</title>\n<p>weg</p>\n",
        },
      ],
      images: [],
      missing: ["render-template", "write-file"],
    },
  ],
  [
    "a Procfile",
    "procfile-to-services",
    {
      procfile: "# all of it\r\nweb: npm start -- --port $PORT\r\n\nworker:  node worker.js  \n",
      env: { LEVEL: "debug", RETRIES: 3n },
    },
    {
      services: {
        main: {
          ...{ type: "exec", command: "npm start -- --port $PORT", port: 6001 },
          env: { LEVEL: "debug", RETRIES: "3" },
        },
        "main-worker": {
          ...{ type: "worker", command: "node worker.js" },
          env: { LEVEL: "debug", RETRIES: "3" },
        },
      },
      files: [],
      images: [],
      missing: [],
    },
  ],
  [
    "a Procfile with mistakes, all of which are told",
    "procfile-to-services",
    { procfile: "web npm start\nworker: one\nworker: two\nlog:\n../x: id", lazy: true },
    {
      errors: [
        "no key lazy; there are procfile and env",
        "procfile, line 1: expected a name, a colon and a command",
        "procfile, line 3: there is a second worker",
        "procfile, line 4: expected a name, a colon and a command",
        "procfile, line 5: expected a name, a colon and a command",
      ],
    },
  ],
  [
    "no Procfile",
    "procfile-to-services",
    {},
    { errors: ['procfile is required: its lines as a text, such as "web: npm start"'] },
  ],
];

function written(type: string, config: Config): WrittenService {
  return { name: "main", type, plugin: undefined, config, dependsOn: [], fingerprint: "" };
}

const typeOf: Readonly<Record<string, string>> = {
  redis: "redis",
  "static-site": "static-site",
  "procfile-to-services": "procfile",
};

describe.skipIf(!hasTranspiler())(`example plugins${lackingTranspiler()}`, () => {
  const made = new Map<string, Awaited<ReturnType<typeof planBy>>>();

  beforeAll(async () => {
    await inParallel(rows, 3, async ([title, name, config]) => {
      const path = examplePlugin(name);
      const plugin: Plugin = {
        ...{ name, path, sha256: "", from: "user", state: "ready", source: path },
        ...{ claims: [], granted: [] },
      };
      const its = await planBy(plugin, {
        context: { workspaceId: "shop", root: "/projects/shop" },
        taken: ["main", "other"],
        service: written(typeOf[name]!, config),
        grantedTo: () => [],
        call: async (_, request) => await call(path, request),
      });
      made.set(title, its);
    });
  }, 120_000);

  test.each(rows)("%s", (title, name, _, expected) => {
    const its = made.get(title)!;
    if ("errors" in expected) {
      if (its.kind === "plan") throw new Error("it has a plan");
      const lines = expected.errors.map((error) => `\n  ${error}`).join("");
      expect(its.why).toBe(`the plugin ${name} has no plan for it:${lines}`);
      return;
    }
    if (its.kind === "failed") throw new Error(its.why);
    const { missing, ...applied } = expected;
    const { order } = its.plan;
    const ports = Object.fromEntries(portNames(order).map((port, at) => [port, 6001 + at]));
    expect(appliedPlan(order, ports)).toEqual(applied);
    expect([...its.plan.missing]).toEqual([...missing] as never);
  });

  test("none knows a service of another type", async () => {
    for (const name of Object.keys(typeOf)) {
      const answer = await call(examplePlugin(name), {
        kind: "detect",
        context: { workspaceId: "shop", root: "/projects/shop" },
        spec: { name: "main", type: "mysql", dependsOn: [], config: [] },
      });
      expect(answer).toEqual({ kind: "answer", value: null });
    }
  });
});
