import { expect, test } from "bun:test";
import {
  type Choice,
  chosenFor,
  originsOf,
  plainCheckout,
  plainName,
  type Version,
} from "../../src/routes/origins.ts";

const repository = "/srv/shop/.git";
const other = "/srv/other/.git";

function version(name: string, label?: string, of = repository): Version {
  return { name, checkout: { repository: of, root: `/srv/${label ?? "shop"}`, label } };
}

const all: Version[] = [
  version("shop"),
  version("api.shop"),
  version("fix-nav.shop", "fix-nav"),
  version("api.fix-nav.shop", "fix-nav"),
  version("docs"),
  version("fix-nav.docs", "fix-nav"),
  version("old.docs", "old"),
  { name: "mail", checkout: undefined },
];

type Facts = {
  versions?: Version[];
  choices?: Choice[];
  worktrees?: string[];
  branches?: string[];
  kept?: ReadonlySet<string>;
};

function originsIn({
  versions = all,
  choices = [],
  worktrees = [],
  branches = [],
  kept,
}: Facts = {}) {
  return originsOf({
    versions,
    kept,
    choices,
    checkouts: {
      worktrees: (its) =>
        its === repository ? worktrees.map((label) => ({ label, root: `/srv/${label}` })) : [],
      labels: (its) =>
        new Map(
          (its === repository ? [...worktrees, ...branches] : []).map((branch) => [
            branch,
            { branch, root: undefined },
          ]),
        ),
    },
  });
}

function choice(label: string, its: Partial<Choice> = {}): Choice {
  return { repository, root: `/srv/${label}`, label, of: undefined, names: [], ...its };
}

function nameFor(name: string, use: string | undefined, facts?: Facts): string | undefined {
  const origins = originsIn(facts);
  if (origins === undefined) return undefined;
  const chosen = chosenFor(name, { origins, use });
  return chosen === undefined ? undefined : (chosen.name ?? "nothing");
}

test("without a second checkout there are no origins", () => {
  expect(originsIn({ versions: [version("shop"), { name: "mail", checkout: undefined }] })).toBe(
    undefined,
  );
});

test("a worktree in which nothing runs is one that can be chosen", () => {
  const origins = originsIn({ versions: [version("shop")], worktrees: ["fix-nav"] });
  expect(origins!.all).toMatchObject([{ name: "shop", labels: ["fix-nav"], shown: undefined }]);
});

const rows: [name: string, use: string | undefined, leads: string | undefined][] = [
  ["shop", "fix-nav", "fix-nav.shop"],
  ["api.shop", "fix-nav", "api.fix-nav.shop"],
  ["docs", "fix-nav", "fix-nav.docs"],
  ["docs", "old", "old.docs"],
  // Subdomains go along.
  ["tenant.shop", "fix-nav", "tenant.fix-nav.shop"],
  ["a.b.api.shop", "fix-nav", "a.b.api.fix-nav.shop"],
  // The worktree has no such server, or is none.
  ["shop", "old", "nothing"],
  ["shop", "nosuch", "nothing"],
  // Its own name says which checkout is meant.
  ["fix-nav.shop", "old", undefined],
  ["api.fix-nav.shop", "old", undefined],
  ["tenant.fix-nav.docs", "old", undefined],
  ["old.shop", "fix-nav", undefined],
  ["api.old.shop", "fix-nav", undefined],
  // Not of a repository with worktrees.
  ["mail", "fix-nav", undefined],
  ["nosuch", "fix-nav", undefined],
  ["shop", plainCheckout, undefined],
  ["shop", undefined, undefined],
];

for (const [name, use, leads] of rows) {
  test(`${name} with ${use ?? "no choice"} leads to ${leads ?? "its own server"}`, () => {
    expect(nameFor(name, use)).toBe(leads);
  });
}

test("a kept name of no server stays with nobody, whatever is chosen", () => {
  const kept = new Set(["mail.shop", "api.shop"]);
  expect(nameFor("mail.shop", "fix-nav", { kept })).toBeUndefined();
  expect(nameFor("x.mail.shop", "fix-nav", { kept })).toBeUndefined();
  expect(nameFor("x.api.shop", "fix-nav", { kept })).toBe("x.api.fix-nav.shop");
});

test("a branch without a worktree is no subdomain of the one that is shown", () => {
  const facts = { choices: [choice("fix-nav")], branches: ["later"] };
  expect(nameFor("tenant.shop", undefined, facts)).toBe("tenant.fix-nav.shop");
  expect(nameFor("later.shop", undefined, facts)).toBe(undefined);
});

test("what a request says is stronger than what all browsers see", () => {
  const facts = { choices: [choice("old")] };
  expect(nameFor("docs", undefined, facts)).toBe("old.docs");
  expect(nameFor("docs", "fix-nav", facts)).toBe("fix-nav.docs");
  expect(nameFor("docs", plainCheckout, facts)).toBe(undefined);
});

test("a choice for one name holds for it and what is under it, and is stronger than the repository's", () => {
  const choices = [choice("old"), choice("fix-nav", { of: "shop" })];
  expect(nameFor("docs", undefined, { choices })).toBe("old.docs");
  expect(nameFor("shop", undefined, { choices })).toBe("fix-nav.shop");
  expect(nameFor("api.shop", undefined, { choices })).toBe("api.fix-nav.shop");
  const ofOne = [choice("fix-nav", { of: "api.shop" })];
  expect(nameFor("shop", undefined, { choices: ofOne })).toBe(undefined);
});

test("a name that a choice was made for leads to nothing while no checkout has it", () => {
  const choices = [choice("fix-nav", { names: ["admin"] })];
  expect(nameFor("admin", undefined, { versions: [], choices })).toBe("nothing");
});

test("a server keeps its label when another branch is checked out, and is the worktree's all the same", () => {
  const choices = [choice("new-branch", { root: "/srv/fix-nav" })];
  expect(nameFor("docs", undefined, { choices })).toBe("fix-nav.docs");
  const started = [...all, { ...version("new-branch.docs", "new-branch") }];
  expect(nameFor("docs", undefined, { choices, versions: started })).toBe("new-branch.docs");
});

test("such a server is found by the label of now, too, as a cookie has it", () => {
  const origins = originsOf({
    versions: [version("docs"), version("fix-nav.docs", "fix-nav")],
    choices: [choice("new-branch", { root: "/srv/fix-nav" })],
    checkouts: {
      worktrees: () => [{ label: "new-branch", root: "/srv/fix-nav" }],
      labels: () => new Map(),
    },
  })!;
  for (const use of ["fix-nav", "new-branch", undefined]) {
    expect(chosenFor("docs", { origins, use })?.name).toBe("fix-nav.docs");
  }
  expect(origins.of("fix-nav.docs")).toEqual({ name: "docs", shown: true });
  expect(origins.of("docs")).toEqual({ name: "docs", shown: false });
});

test("a plain name that is another folder's stays with it", () => {
  const versions = [version("fix-nav.docs", "fix-nav"), version("docs", undefined, other)];
  expect(nameFor("docs", "fix-nav", { versions, choices: [choice("fix-nav")] })).toBe(undefined);
  const byHand = [version("fix-nav.docs", "fix-nav"), { name: "docs", checkout: undefined }];
  expect(nameFor("docs", "fix-nav", { versions: byHand })).toBe(undefined);
});

test("of two repositories, the one that is chosen from has the name", () => {
  const versions = [version("fix-nav.docs", "fix-nav"), version("new.docs", "new", other)];
  expect(nameFor("docs", "fix-nav", { versions })).toBe("nothing");
  expect(nameFor("docs", undefined, { versions, choices: [choice("fix-nav")] })).toBe(
    "fix-nav.docs",
  );
});

test("the label is taken out of a name wherever it stands, but not out of one without it", () => {
  expect(plainName("fix-nav.api", "fix-nav")).toBe("api");
  expect(plainName("api.fix-nav.shop", "fix-nav")).toBe("api.shop");
  expect(plainName("api.shop", "fix-nav")).toBe(undefined);
  expect(plainName("fix-nav", "fix-nav")).toBe(undefined);
});
