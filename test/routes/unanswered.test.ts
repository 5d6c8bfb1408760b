/** Longer names than a server's own -> whether that server may answer for them. */
import { describe, expect, test } from "bun:test";
import type { KnownCheckouts, KnownLabel, ServiceCheckout } from "../../src/routes/checkout.ts";
import { decide } from "../../src/routes/decide.ts";
import { routeTable, type TableOptions } from "../../src/routes/table.ts";
import type { Service } from "../../src/routes/service.ts";
import { type Unanswered, unansweredText } from "../../src/routes/unanswered.ts";
import { testService, testSupervised } from "../support/test-proxy.ts";

const repository = "/w/shop/.git";
const main: ServiceCheckout = { repository, root: "/w/shop", branch: "main" };
const fix: ServiceCheckout = { repository, root: "/w/fix it", label: "fix-nav", branch: "fix-nav" };

const labels = new Map<string, KnownLabel>([
  ["main", { branch: "main", root: "/w/shop" }],
  ["fix-nav", { branch: "fix-nav", root: "/w/fix it" }],
  ["idle", { branch: "ann/idle", root: undefined }],
]);

const checkouts: KnownCheckouts = {
  of: (folder) => (folder.startsWith("/w/shop") ? main : undefined),
  labels: (of) => (of === repository ? labels : new Map()),
  left: (name) =>
    name === "old.api" ? { repository, root: "/w/old", label: "old", branch: "old" } : undefined,
};

const api = { ...testService("api", { port: 1 }), cwd: "/w/shop/apps/api", checkout: main };

function of(name: string, services: Service[] = [api], options: TableOptions = {}) {
  const table = routeTable(services, { checkouts, ...options });
  return decide({ host: `${name}.localhost`, port: undefined, mode: "direct" }, table, []);
}

/** The server that answers, or why none does. */
function outcome(...asked: Parameters<typeof of>): string | Unanswered | undefined {
  const decision = of(...asked);
  if (decision.kind === "proxy" || decision.kind === "tunnel") return decision.service.name;
  if (decision.kind === "absent") return `absent ${decision.supervised.routeName}`;
  return decision.kind === "unknown" ? (decision.unanswered ?? "unknown") : decision.kind;
}

const worktree = {
  kind: "worktree",
  by: "api",
  label: "fix-nav",
  folder: "/w/fix it",
  command: "cd '/w/fix it/apps/api' && NAME=api bun dev",
};

const branch = {
  kind: "branch",
  by: "api",
  label: "idle",
  branch: "ann/idle",
  command: "cd /w/shop && localhostess worktree add ann/idle",
};

describe("a server of the main checkout", () => {
  test.each([
    ["api", "api"],
    ["x.api", "api"],
    ["x.y.api", "api"],
    ["fix-nav.api", worktree],
    ["x.fix-nav.api", worktree],
    ["fix-nav.x.api", worktree],
    ["idle.api", branch],
    // The main checkout has this branch itself.
    ["main.api", "api"],
    ["fix-navy.api", "api"],
    ["old.api", { kind: "left", by: "api", label: "old", folder: "/w/old" }],
    ["x.old.api", { kind: "left", by: "api", label: "old", folder: "/w/old" }],
  ])("%s leads to %o", (name, expected) => {
    expect(outcome(name)).toEqual(expected as string);
  });

  test("by every way in, and under every domain", () => {
    const table = routeTable([api], { checkouts, tlds: ["test"], answersBare: "all" });
    for (const host of ["fix-nav.api.localhost", "fix-nav.api.test"]) {
      for (const mode of ["direct", "tunnelled", "forward", "connect"] as const) {
        expect(decide({ host, port: 80, mode }, table, [])).toEqual({
          kind: "unknown",
          name: "fix-nav.api",
          quiet: false,
          unanswered: worktree as Unanswered,
        });
      }
    }
  });
});

test("a server of a worktree answers below its own label, and for no other checkout", () => {
  const its = { ...testService("fix-nav.api", { port: 2 }), checkout: fix };
  expect(outcome("x.fix-nav.api", [api, its])).toBe("fix-nav.api");
  expect(outcome("fix-nav.fix-nav.api", [api, its])).toBe("fix-nav.api");
  expect(outcome("main.fix-nav.api", [its])).toMatchObject({ kind: "worktree", label: "main" });
});

test("a server in no repository, or in another one, knows none of these labels", () => {
  expect(outcome("fix-nav.api", [{ ...api, checkout: undefined }])).toBe("api");
  const other = { repository: "/v/.git", root: "/v" };
  expect(outcome("fix-nav.api", [{ ...api, checkout: other }])).toBe("api");
  expect(outcome("fix-nav.api", [api], { checkouts: undefined })).toBe("api");
});

describe("a project of the main checkout", () => {
  const web = testSupervised({ routeName: "shop", directory: "/w/shop", state: "ready" });
  const row = { ...testService("shop", { port: 1 }), cwd: "/w/shop", checkout: main };
  const up = { kind: "worktree", by: "shop", command: "localhostess up '/w/fix it'" };

  test.each([
    ["x.shop", "shop"],
    ["fix-nav.shop", up],
    ["api.fix-nav.shop", up],
    ["idle.shop", { kind: "branch", by: "shop" }],
  ])("%s leads to %o", (name, expected) => {
    const found = outcome(name, [row], { supervised: [web] });
    if (typeof expected === "string") expect(found).toBe(expected);
    else expect(found).toMatchObject(expected);
  });

  test("is asked neither when it is down, nor before a scan has seen it", () => {
    for (const state of ["stopped", "starting", "ready", "failed"] as const) {
      const supervised = [{ ...web, state }];
      expect(outcome("fix-nav.shop", [], { supervised })).toMatchObject(up);
    }
  });

  test("a service in a folder of the repository is started in that folder of the worktree", () => {
    const directory = "/w/shop/apps/web";
    const supervised = [{ ...web, directory }];
    const command = "localhostess up '/w/fix it/apps/web'";
    expect(outcome("fix-nav.shop", [], { supervised })).toMatchObject({ command });
  });

  test("instances that share a name answer for no other checkout", () => {
    const supervised = [1, 2].map((number) =>
      testSupervised({
        ...web,
        routeName: `web-${number}.shop`,
        directory: "/w/shop",
        state: "ready",
        instance: { of: "web", number, routeName: "shop" },
      }),
    );
    expect(outcome("fix-nav.shop", [], { supervised })).toMatchObject({ kind: "worktree" });
    expect(outcome("x.shop", [], { supervised })).toBe("absent web-1.shop");
  });
});

describe("strict_subdomains", () => {
  const strict = { kind: "strict", by: "api" };
  const configured = (all: boolean | undefined, own: boolean | undefined) => ({
    all: all === undefined ? {} : { strictSubdomains: all },
    byName: new Map(own === undefined ? [] : [["api", { strictSubdomains: own }]]),
  });

  test.each([
    [undefined, undefined, "api"],
    [true, undefined, strict],
    [undefined, true, strict],
    [true, false, "api"],
    [false, true, strict],
  ])("all: %p, api: %p: x.api leads to %o", (all, own, expected) => {
    const options = { configured: configured(all, own) };
    expect(outcome("x.api", [api], options)).toEqual(expected as string);
    expect(outcome("api", [api], options)).toBe("api");
  });

  test("a label of another checkout is told rather than that", () => {
    const options = { configured: configured(true, undefined) };
    expect(outcome("fix-nav.api", [api], options)).toEqual(worktree as Unanswered);
  });

  test("says how to allow it", () => {
    expect(unansweredText({ kind: "strict", by: "api.shop" })).toContain(
      '[names."api.shop"] strict_subdomains = false in config.toml',
    );
  });
});
