/** Which path of the program survives an update. */
import { expect, test } from "bun:test";
import { stableProgram } from "../../src/boot/stable-program.ts";

type Case = {
  name: string;
  own: string;
  /** What PATH has. */
  linked?: string;
  /** Links, and where they lead. */
  links?: Record<string, string>;
  path?: string;
  says?: string;
};

const npm = "/usr/local/lib/node_modules/localhostess";
const cases: readonly Case[] = [
  {
    name: "a clone",
    own: "/src/localhostess/src/main.ts",
    path: "/src/localhostess/bin/localhostess",
  },
  {
    name: "npm's link",
    own: `${npm}/src/main.ts`,
    linked: "/usr/local/bin/localhostess",
    links: { "/usr/local/bin/localhostess": `${npm}/bin/localhostess` },
    path: "/usr/local/bin/localhostess",
  },
  {
    name: "the compiled program in a platform's package beside it",
    own: "/usr/local/lib/node_modules/@localhostess/linux-x64/bin/localhostess",
    linked: "/usr/local/bin/localhostess",
    links: { "/usr/local/bin/localhostess": `${npm}/bin/localhostess` },
    path: "/usr/local/bin/localhostess",
  },
  {
    name: "the same, nested in it",
    own: `${npm}/node_modules/@localhostess/linux-x64/bin/localhostess`,
    linked: "/usr/local/bin/localhostess",
    links: { "/usr/local/bin/localhostess": `${npm}/bin/localhostess` },
    path: "/usr/local/bin/localhostess",
  },
  {
    name: "Homebrew's link, whose target has the version",
    own: "/opt/homebrew/Cellar/localhostess/0.1.0/bin/localhostess",
    linked: "/opt/homebrew/bin/localhostess",
    links: {
      "/opt/homebrew/bin/localhostess": "/opt/homebrew/Cellar/localhostess/0.1.0/bin/localhostess",
    },
    path: "/opt/homebrew/bin/localhostess",
  },
  {
    name: "Debian's package",
    own: "/usr/bin/localhostess",
    linked: "/usr/bin/localhostess",
    path: "/usr/bin/localhostess",
  },
  {
    name: "pnpm's script",
    own: "/home/me/.local/share/pnpm/global/5/.pnpm/localhostess@0.1.0/node_modules/localhostess/src/main.ts",
    linked: "/home/me/.local/share/pnpm/localhostess",
    path: "/home/me/.local/share/pnpm/localhostess",
  },
  {
    name: "another program of that name in PATH",
    own: "/src/localhostess/src/main.ts",
    linked: "/usr/local/bin/localhostess",
    links: { "/usr/local/bin/localhostess": `${npm}/bin/localhostess` },
    path: "/src/localhostess/bin/localhostess",
  },
  {
    name: "fnm's link of one shell",
    own: "/home/me/.local/share/fnm/node-versions/v22/installation/lib/node_modules/localhostess/src/main.ts",
    linked: "/run/user/1000/fnm_multishells/1_2/bin/localhostess",
    links: {
      "/run/user/1000/fnm_multishells/1_2/bin/localhostess":
        "/home/me/.local/share/fnm/node-versions/v22/installation/lib/node_modules/localhostess/bin/localhostess",
    },
    path: "/home/me/.local/share/fnm/node-versions/v22/installation/lib/node_modules/localhostess/bin/localhostess",
    says: "one version of Node",
  },
  {
    name: "a project's dependency",
    own: "/home/me/shop/node_modules/localhostess/src/main.ts",
    path: "/home/me/shop/node_modules/localhostess/bin/localhostess",
    says: "a dependency of /home/me/shop",
  },
  { name: "npx", own: "/home/me/.npm/_npx/1f2a/node_modules/localhostess/src/main.ts" },
  { name: "bunx", own: "/tmp/bunx-1000-localhostess@latest/node_modules/localhostess/src/main.ts" },
  { name: "pnpm dlx", own: "/home/me/.cache/pnpm/dlx/ab/node_modules/localhostess/src/main.ts" },
  { name: "yarn dlx", own: "/tmp/xfs-1f/dlx-77/node_modules/localhostess/src/main.ts" },
];

for (const { name, own, linked, links = {}, path, says } of cases) {
  test(`${name}: ${path ?? "refused"}`, () => {
    const its = stableProgram({
      ...{ own, PATH: "/bin" },
      real: (its) => links[its] ?? its,
      find: () => linked,
    });
    if (path === undefined)
      expect(its).toMatchObject({
        kind: "passing",
        why: expect.stringContaining("npm install -g"),
      });
    else {
      expect(its).toMatchObject({ kind: "stable", path });
      if (its.kind !== "stable") return;
      if (says === undefined) expect(its.remark).toBeUndefined();
      else expect(its.remark).toContain(says);
    }
  });
}
