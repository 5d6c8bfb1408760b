import { expect, test } from "bun:test";
import { byCheckout } from "../../src/routes/by-checkout.ts";

type Row = { name: string; checkout?: { repository: string; label?: string | null } | null };

const shop = (name: string, label?: string): Row => ({
  name,
  checkout: { repository: "/srv/shop/.git", label: label ?? null },
});

function names(rows: readonly Row[]): string[] {
  return byCheckout(rows).map(({ row, below }) => `${below ? "  " : ""}${row.name}`);
}

test("the servers of a repository's checkouts stand together: the main one's, then each worktree's", () => {
  const rows = [
    shop("api"),
    { name: "docs", checkout: { repository: "/srv/docs/.git", label: null } },
    shop("fix-nav.api", "fix-nav"),
    shop("fix-nav.web", "fix-nav"),
    { name: "mail" },
    shop("old.api", "old"),
    { name: "pages", checkout: null },
    shop("web"),
  ];
  expect(names(rows)).toEqual([
    "api",
    "web",
    "  fix-nav.api",
    "  fix-nav.web",
    "  old.api",
    "docs",
    "mail",
    "pages",
  ]);
});

test("without a server of the main checkout, nothing stands below it", () => {
  expect(names([shop("fix-nav.api", "fix-nav"), { name: "mail" }, shop("old.api", "old")])).toEqual(
    ["fix-nav.api", "old.api", "mail"],
  );
});

test("the order stays where a repository has servers in one checkout only", () => {
  expect(names([shop("a"), { name: "b" }, shop("c")])).toEqual(["a", "b", "c"]);
});
