/** A word for one server, and the folder that it is typed in -> the name that it leads to. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { routes } from "../../src/cli/servers/step-routes.ts";
import { reach, targetOf } from "../../src/cli/shared/reach.ts";
import type { Sight } from "../../src/cli/shared/look.ts";
import { noColors, type World } from "../../src/cli/shared/world.ts";
import type { Service } from "../../src/routes/service.ts";

let root: string;

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "localhostess-reach-")));
  mkdirSync(join(root, "shop/api"), { recursive: true });
  mkdirSync(join(root, "other"));
  writeFileSync(join(root, "shop/locald.toml"), `[services]\napi = "true"\n`);
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

function serverIn(cwd: string): Service {
  return {
    name: "api",
    routable: true,
    endpoint: { address: "127.0.0.1", port: 3000, dial: ["127.0.0.1"] },
    process: { pid: 17, startedAt: 0 },
    pids: [17],
    ports: [3000],
    command: "bun dev",
    cwd,
    source: "NAME",
    warnings: [],
  };
}

const noProject: Omit<Sight, "services"> = {
  scan: { observations: [], processes: new Map(), skipped: [] },
  supervised: [],
  proxy: undefined,
  port: 9090,
  urlPorts: { http: 9090, https: 9090 },
  tlds: [],
};

/** The name, or why there is none; no project is up. `from` and `cwd` are folders below the root. */
async function leads(word: string, { from, cwd }: { from: string; cwd: string }): Promise<string> {
  const sight: Sight = { ...noProject, services: [serverIn(join(root, cwd))] };
  const world = {
    cwd: join(root, from),
    home: root,
    env: {},
    platform: process.platform,
    err: { colors: noColors },
  } as World;
  try {
    const target = await targetOf(word, { sight, world });
    return target.kind === "name" ? target.name : target.kind;
  } catch (mistake) {
    return (mistake as Error).message.replaceAll(root, "");
  }
}

const notUp = "shop:api: nobody has started it; start it with: localhostess up /shop api";

test("a plain name is the service of the project here, also where nobody has started it", async () => {
  for (const word of ["api", "API", "shop:api", "api.shop", "http://api.shop.localhost:9090/x"]) {
    expect(await leads(word, { from: "shop", cwd: "other" })).toStartWith(notUp);
  }
});

test("a server that was started by hand in the project's folder is that service", async () => {
  for (const cwd of ["shop", "shop/api"]) {
    expect(await leads("api", { from: "shop/api", cwd })).toBe("api");
  }
});

test("elsewhere it is the server with that NAME, as its own address is everywhere", async () => {
  expect(await leads("api", { from: "other", cwd: "shop" })).toBe("api");
  expect(await leads("api.localhost", { from: "shop", cwd: "other" })).toBe("api");
});

test("a name of another worktree leads nowhere, and the command that starts its server is told", async () => {
  const checkout = { repository: "/w/.git", root: "/w" };
  const sight: Sight = {
    ...noProject,
    services: [{ ...serverIn("/w"), checkout }],
    routing: {
      checkouts: {
        of: () => undefined,
        labels: () => new Map([["fix", { branch: "fix", root: "/fix" }]]),
        worktrees: () => [],
      },
    },
  };
  const command = "cd /fix && NAME=api bun dev";
  const reason =
    "no server is named fix.api; fix is the worktree /fix, for which api does not answer";
  expect(reach("fix.api", sight)).toMatchObject({
    kind: "unknown",
    why: `${reason}; to start it there: ${command}`,
  });
  const { step } = await routes("fix.api", {
    sight,
    settings: { stateDirectory: "/nowhere" } as never,
  });
  expect(step).toMatchObject({ detail: reason, fix: `to start it there: ${command}` });
  expect(reach("x.api", sight)).toMatchObject({ kind: "server" });
  const strict: Sight = {
    ...sight,
    routing: { configured: { all: { strictSubdomains: true }, byName: new Map() } },
  };
  expect(reach("x.api", strict)).toMatchObject({
    why: "no server is named x.api; strict_subdomains keeps api from answering for it; [names.api] strict_subdomains = false in config.toml allows that",
  });
});
