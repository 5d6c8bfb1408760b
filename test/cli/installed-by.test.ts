/** The path of this program, as each way to install it makes it: who did, and the commands of an upgrade. */
import { describe, expect, test } from "bun:test";
import { type Installed, installedBy } from "../../src/cli/install/installed-by.ts";
import { type PlanOptions, upgradePlan } from "../../src/cli/install/upgrade-plan.ts";
import { withoutOwnProxy } from "../../src/cli/install/without-own-proxy.ts";

const latest: PlanOptions["to"] = { kind: "version", version: "latest" };

/** `there`: files beside it. */
type Row = [
  file: string,
  there: readonly string[],
  installed: Installed,
  commands: readonly string[],
  program: string | undefined,
];

const main = "node_modules/localhostess/src/main.ts";
const platform = "node_modules/@localhostess/linux-x64/bin/localhostess";
const launcher = "node_modules/localhostess/bin/localhostess";
const npm = { by: "global", manager: "npm" } as const;

const table: readonly Row[] = [
  [
    `/usr/local/lib/${main}`,
    [],
    { ...npm, folder: "/usr/local/lib" },
    ["npm install --global --prefix /usr/local localhostess@latest"],
    `/usr/local/lib/${launcher}`,
  ],
  [
    `/home/me/.nvm/versions/node/v24.1.0/lib/node_modules/localhostess/${platform}`,
    [],
    { ...npm, folder: "/home/me/.nvm/versions/node/v24.1.0/lib" },
    ["npm install --global --prefix /home/me/.nvm/versions/node/v24.1.0 localhostess@latest"],
    `/home/me/.nvm/versions/node/v24.1.0/lib/${launcher}`,
  ],
  [
    `/home/me/.local/share/pnpm/global/5/.pnpm/localhostess@0.1.0/${main}`,
    [],
    { by: "global", manager: "pnpm", folder: "/home/me/.local/share/pnpm/global/5" },
    ["pnpm add --global localhostess@latest"],
    `/home/me/.local/share/pnpm/global/5/${launcher}`,
  ],
  [
    `/Users/me/Library/pnpm/global/5/.pnpm/@localhostess+darwin-arm64@0.1.0/node_modules/@localhostess/darwin-arm64/bin/localhostess`,
    [],
    { by: "global", manager: "pnpm", folder: "/Users/me/Library/pnpm/global/5" },
    ["pnpm add --global localhostess@latest"],
    `/Users/me/Library/pnpm/global/5/${launcher}`,
  ],
  [
    `/home/me/.config/yarn/global/${main}`,
    [],
    { by: "global", manager: "yarn", folder: "/home/me/.config/yarn/global" },
    ["yarn global add localhostess@latest"],
    `/home/me/.config/yarn/global/${launcher}`,
  ],
  [
    `/home/me/.bun/install/global/${platform}`,
    ["/home/me/.bun/install/global/bun.lock"],
    { by: "global", manager: "bun", folder: "/home/me/.bun/install/global" },
    ["bun add --global localhostess@latest"],
    `/home/me/.bun/install/global/${launcher}`,
  ],
  [
    `/home/me/.npm/_npx/0f3e9c6a/${main}`,
    [],
    { by: "runner", manager: "npm" },
    ["npx --yes localhostess@latest server restart"],
    undefined,
  ],
  [
    `/home/me/.cache/pnpm/dlx/abc/18f/node_modules/.pnpm/localhostess@0.1.0/${main}`,
    [],
    { by: "runner", manager: "pnpm" },
    ["pnpm dlx localhostess@latest server restart"],
    undefined,
  ],
  [
    `/tmp/xfs-1a2b3c/dlx-4711/${main}`,
    [],
    { by: "runner", manager: "yarn" },
    ["yarn dlx localhostess@latest server restart"],
    undefined,
  ],
  [
    `/tmp/bunx-1000-localhostess@latest/${main}`,
    [],
    { by: "runner", manager: "bun" },
    ["bunx localhostess@latest server restart"],
    undefined,
  ],
  [
    `/srv/shop/${main}`,
    ["/srv/shop/package-lock.json"],
    { by: "project", manager: "npm", folder: "/srv/shop", isBerry: false },
    ["npm install localhostess@latest"],
    `/srv/shop/${launcher}`,
  ],
  [
    `/srv/shop/lib/${main}`,
    ["/srv/shop/lib/package.json", "/srv/shop/lib/package-lock.json"],
    { by: "project", manager: "npm", folder: "/srv/shop/lib", isBerry: false },
    ["npm install localhostess@latest"],
    `/srv/shop/lib/${launcher}`,
  ],
  [
    `/srv/shop/node_modules/.pnpm/localhostess@0.1.0/${main}`,
    ["/srv/shop/pnpm-lock.yaml"],
    { by: "project", manager: "pnpm", folder: "/srv/shop", isBerry: false },
    ["pnpm update --latest localhostess"],
    `/srv/shop/${launcher}`,
  ],
  [
    `/srv/shop/apps/web/${main}`,
    ["/srv/shop/yarn.lock"],
    { by: "project", manager: "yarn", folder: "/srv/shop", isBerry: false },
    ["yarn upgrade --latest localhostess"],
    `/srv/shop/${launcher}`,
  ],
  [
    `/srv/shop/${platform}`,
    ["/srv/shop/yarn.lock", "/srv/shop/.yarnrc.yml"],
    { by: "project", manager: "yarn", folder: "/srv/shop", isBerry: true },
    ["yarn up localhostess"],
    `/srv/shop/${launcher}`,
  ],
  [
    `/srv/shop/${main}`,
    ["/srv/shop/bun.lock"],
    { by: "project", manager: "bun", folder: "/srv/shop", isBerry: false },
    ["bun update --latest localhostess"],
    `/srv/shop/${launcher}`,
  ],
  [
    `/srv/shop/${main}`,
    [],
    { by: "project", manager: "npm", folder: "/srv/shop", isBerry: false },
    ["npm install localhostess@latest"],
    `/srv/shop/${launcher}`,
  ],
  [
    "/opt/homebrew/Cellar/localhostess/0.1.0/bin/localhostess",
    [],
    { by: "homebrew", prefix: "/opt/homebrew" },
    ["brew upgrade localhostess"],
    "/opt/homebrew/bin/localhostess",
  ],
  [
    "/home/me/src/localhostess/src/main.ts",
    ["/home/me/src/localhostess/.git"],
    { by: "clone", folder: "/home/me/src/localhostess" },
    [
      "git -C /home/me/src/localhostess pull --ff-only",
      "npm install --prefix /home/me/src/localhostess",
    ],
    "/home/me/src/localhostess/bin/localhostess",
  ],
];

test.each(table)("%s", (file, there, installed, commands, program) => {
  const exists = (path: string): boolean => there.includes(path);
  const its = installedBy({ file, exists, isDebian: false });
  expect(its).toEqual(installed);
  const plan = upgradePlan(its, { to: latest, mayWrite: () => true });
  if (plan.kind !== "steps") throw new Error(plan.how);
  expect(plan.steps.map(({ words }) => words.join(" "))).toEqual([...commands]);
  expect({ program: plan.program, rootsOwn: plan.rootsOwn }).toEqual({
    program,
    rootsOwn: undefined,
  });
});

const nothing = (): boolean => false;

test("a file of a Debian package is root's, and apt's", () => {
  const its = installedBy({ file: "/usr/bin/localhostess", exists: nothing, isDebian: true });
  const words = (to: PlanOptions["to"]) => {
    const plan = upgradePlan(its, { to, mayWrite: nothing });
    if (plan.kind !== "steps") throw new Error(plan.how);
    expect([plan.program, plan.rootsOwn]).toEqual(["/usr/bin/localhostess", "/usr"]);
    return plan.steps[0]!.words.join(" ");
  };
  expect(words(latest)).toBe("apt-get install --only-upgrade localhostess");
  expect(words({ kind: "version", version: "0.2.0" })).toBe("apt-get install localhostess=0.2.0");
  expect(words({ kind: "package", path: "/tmp/l_0.2.0.deb" })).toBe(
    "apt-get install /tmp/l_0.2.0.deb",
  );
});

test("npm's global folder may be root's, and then it is", () => {
  const file = `/usr/lib/${main}`;
  const its = installedBy({ file, exists: nothing, isDebian: false });
  const plan = upgradePlan(its, {
    to: latest,
    mayWrite: (path) => path !== "/usr/lib/node_modules",
  });
  expect(plan).toMatchObject({ rootsOwn: "/usr/lib/node_modules" });
});

test("a package at hand, or another version, takes the place of the latest", () => {
  const wordsOf = (file: string, to: PlanOptions["to"], there: readonly string[] = []) => {
    const exists = (path: string): boolean => there.includes(path);
    const its = installedBy({ file, exists, isDebian: false });
    const plan = upgradePlan(its, { to, mayWrite: () => true });
    return plan.kind === "steps" ? plan.steps.map(({ words }) => words.join(" ")) : plan.how;
  };
  const file = { kind: "package", path: "/tmp/l.tgz" } as const;
  const version = { kind: "version", version: "0.2.0" } as const;
  expect(wordsOf(`/usr/lib/${main}`, file)).toEqual([
    "npm install --global --prefix /usr /tmp/l.tgz",
  ]);
  expect(wordsOf(`/shop/${main}`, version, ["/shop/pnpm-lock.yaml"])).toEqual([
    "pnpm add localhostess@0.2.0",
  ]);
  expect(wordsOf(`/shop/${main}`, file, ["/shop/bun.lock"])).toEqual(["bun add /tmp/l.tgz"]);
  expect(wordsOf("/opt/homebrew/Cellar/localhostess/1/bin/localhostess", version)).toContain(
    "brew",
  );
  expect(wordsOf("/r/src/main.ts", version, ["/r/.git"])).toContain("check out");
  expect(wordsOf(`/home/me/.cache/pnpm/dlx/a/${main}`, file)).toContain(
    "install the package first",
  );
});

test.each(["/opt/localhostess/bin/localhostess", "/r/src/main.ts", "/home/me/bin/localhostess"])(
  "nobody that is known has installed %s: a person is told what to do",
  (file) => {
    const its = installedBy({ file, exists: nothing, isDebian: false });
    expect(its).toEqual({ by: "file", file });
    const plan = upgradePlan(its, { to: latest, mayWrite: nothing });
    expect(plan).toMatchObject({ kind: "by hand", how: expect.stringContaining(file) });
  },
);

describe("a download does not go through our own proxy", () => {
  const ports = [9090, 80, 443];
  test.each<[name: string, value: string, stays: boolean]>([
    ["http_proxy", "http://localhost:9090", false],
    ["HTTPS_PROXY", "http://127.0.0.1:9090/", false],
    ["all_proxy", "socks5://[::1]:9090", false],
    ["https_proxy", "localhost:9090", false],
    ["http_proxy", "http://me:secret@localhost", false],
    ["npm_config_https_proxy", "http://proxy.localhost:9090", false],
    ["npm_config_proxy", "http://127.0.0.1:9090", false],
    ["https_proxy", "http://proxy.example:9090", true],
    ["https_proxy", "http://localhost:3128", true],
    ["https_proxy", "", true],
    ["https_proxy", "::::", true],
    ["no_proxy", "localhost:9090", true],
    ["MY_PROXY_URL", "http://localhost:9090", true],
  ])("%s=%s", (name, value, stays) => {
    const env = withoutOwnProxy({ [name]: value, PATH: "/bin", GONE: undefined }, ports);
    expect(env).toEqual(stays ? { [name]: value, PATH: "/bin" } : { PATH: "/bin" });
  });
});
