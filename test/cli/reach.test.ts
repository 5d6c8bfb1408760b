/** A word for one server -> the name that it leads to, and what the proxy finds there. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answers } from "../../src/cli/servers/step-answers.ts";
import type { Walk } from "../../src/cli/servers/step.ts";
import type { Sight } from "../../src/cli/shared/look.ts";
import { reach, targetOf } from "../../src/cli/shared/reach.ts";
import type { World } from "../../src/cli/shared/world.ts";
import type { Supervised } from "../../src/routes/supervised.ts";
import { testService, testSupervised } from "../support/test-proxy.ts";

let root: string;

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "localhostess-reach-")));
  for (const folder of ["shop/src", "blog", "new"])
    mkdirSync(join(root, folder), { recursive: true });
  const toml =
    '[project]\nname = "new"\n[services.api]\ncommand = "true"\n[services.cms]\ncommand = "true"\n';
  writeFileSync(join(root, "new/locald.toml"), toml);
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

function service(
  id: string,
  routeName: string | undefined,
  its: Partial<Supervised> = {},
): Supervised {
  const [project, name] = id.split(":") as [string, string];
  return testSupervised({
    ...{ id, project, service: name, routeName, domain: `${project}.localhost` },
    ...{ directory: join(root, project), state: "stopped" },
    ...its,
  });
}

/** Servers by hand: `api`, and `cms` in the folder of a project that declares one. */
function sight(): Sight {
  const supervised = [
    service("shop:web", "shop"),
    service("shop:api", "api.shop", { state: "ready", port: 4000, listens: [4000] }),
    service("shop:jobs", undefined, { type: "worker", state: "ready" }),
    ...[1, 2].map((number) =>
      service(`shop:app-${number}`, `app-${number}.shop`, {
        instance: { of: "app", number, routeName: "app.shop" },
      }),
    ),
    service("blog:api", "api.blog", { lazy: true }),
    service("blog:docs", "docs.blog"),
  ];
  const hand = (name: string, cwd: string) => ({
    ...testService(name, { port: 3000 }),
    ...{ name, cwd: join(root, cwd) },
  });
  return {
    scan: { observations: [], processes: new Map(), skipped: [] },
    services: [hand("api", "elsewhere"), hand("cms", "new/below"), hand("docs", "elsewhere")],
    supervised,
    proxy: { pid: 1, port: 9090 },
    port: 9090,
    urlPorts: { http: 9090, https: 9090 },
    tlds: [],
  };
}

/** The name and the path, or why there is none. */
async function led(word: string, folder: string): Promise<string> {
  const cwd = join(root, folder);
  const world = { cwd, home: root, env: {}, platform: process.platform } as World;
  try {
    const target = await targetOf(word, { sight: sight(), world });
    return target.kind === "own" ? "own" : `${target.name}${target.path}`;
  } catch (error) {
    return (error as Error).message.replaceAll(root, "");
  }
}

test.each([
  // The project here, the server with that NAME, another project.
  ["api", "shop/src", "api.shop/"],
  ["api", "blog", "api.blog/"],
  ["api", ".", "api/"],
  ["docs", "blog", "docs.blog/"],
  ["docs", "shop", "docs/"],
  ["web", "blog", "shop/"],
  // Every other form.
  ["shop:api", "blog", "api.shop/"],
  ["shop:api/users?a=b", "blog", "api.shop/users?a=b"],
  ["api/users", "shop", "api.shop/users"],
  ["API", "shop", "api.shop/"],
  ["api.shop", "blog", "api.shop/"],
  ["http://api.blog.localhost:9090/x?y=z#f", "shop", "api.blog/x?y=z"],
  ["http://api/", "shop", "api/"],
  ["api.localhost", "shop", "api/"],
  ["shop", "blog", "shop/"],
  [".", "shop/src", "shop/"],
  ["../shop", "blog", "shop/"],
  ["app", "shop", "app.shop/"],
  ["app-2", "shop", "app-2.shop/"],
  ["http://localhost:9090/", "shop", "own"],
  // A person may run what the project declares by hand.
  ["cms", "new", "cms/"],
])("%s in %s leads to %s", async (word, folder, name) => {
  expect(await led(word, folder)).toBe(name);
});

test("where it leads nowhere, it is told why", async () => {
  expect(await led("api", "new")).toBe(
    "new:api: nobody has started it; start it with: localhostess up /new api; api.localhost is another server",
  );
  expect(await led("api.new", "new")).toContain("new:api: nobody has started it");
  expect(await led("jobs", "shop")).toBe("shop:jobs is ready; a worker has no address");
  expect(await led("blog", "shop")).toBe("blog has several addresses: name blog:api or blog:docs");
  expect(await led("ftp://api.shop/", "shop")).toContain("only http:// and https://");
});

test("a name is looked up as the proxy does it", () => {
  const kindOf = (name: string) => reach(name, sight()).kind;
  expect(reach("api.shop", sight())).toMatchObject({
    kind: "server",
    service: { endpoint: { port: 4000 } },
  });
  expect(reach("shop", sight())).toMatchObject({ kind: "absent", turn: "down" });
  expect(reach("api.blog", sight())).toMatchObject({ kind: "absent", turn: "wake" });
  expect(kindOf("x.api.shop")).toBe("server");
  expect(reach("api.shpo", sight())).toMatchObject({ kind: "unknown", nearest: "api.shop" });
});

test("why tells an answer of the proxy as it is, instead of sending people to curl", async () => {
  const body = "localhostess: shop:api has failed; to start it: localhostess up /srv/shop api\n";
  using proxy = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => new Response(body, { status: 503, headers: { Server: "localhostess" } }),
  });
  const port = proxy.port!;
  const target = {
    kind: "name",
    name: "api.shop",
    domain: "localhost",
    scheme: "http",
    port,
    path: "/",
  };
  const walk = { target, sight: sight(), port, host: "api.shop.localhost", byPac: false } as Walk;
  const step = await answers(walk, "127.0.0.1");
  expect(step.ok).toBe(false);
  expect(step.detail).toEndWith(
    "503 Service Unavailable, by the proxy itself: shop:api has failed; to start it: localhostess up /srv/shop api",
  );
  expect(`${step.fix}`).not.toContain("curl");
});
