import { expect, test } from "bun:test";
import type { ContainerLabels } from "../../src/containers/container.ts";
import { type ComposeCheckout, containerName } from "../../src/containers/container-name.ts";
import { madeContainer } from "./made-container.ts";

function nameOf(name: string, labels: ContainerLabels = {}): string | undefined {
  return containerName(madeContainer({ name, labels }))?.name;
}

const compose = { project: "shop", service: "api" };

test.each<[string, ContainerLabels, string]>([
  // The label, whatever else there is.
  ["quirky_turing", { name: "mail" }, "mail"],
  ["quirky_turing", { ...compose, name: "Mail.Shop" }, "mail.shop"],
  ["quirky_turing", { name: "mail.localhost" }, "mail"],
  // Compose.
  ["shop-api-1", compose, "api.shop"],
  ["shop-api-1", { project: "my_shop", service: "Web_App.v2" }, "web-app-v2.my-shop"],
  // Run beside its service.
  ["shop-api-run-4f2a", { ...compose, oneOff: "True" }, "shop-api-run-4f2a"],
  ["shop-api-1", { ...compose, oneOff: "False" }, "api.shop"],
  ["half", { service: "api" }, "half"],
  // The container's own name.
  ["quirky_turing", {}, "quirky-turing"],
  ["shop_db_1", {}, "shop-db-1"],
  ["api.shop", {}, "api.shop"],
  ["_-x-_", {}, "x"],
  ["UPPER", {}, "upper"],
  // A number would be an address, and localhost is this machine.
  ["123", {}, "c-123"],
  ["a.0x1f", {}, "c-a-0x1f"],
  ["localhost", {}, "c-localhost"],
  [`${"a".repeat(70)}`, {}, "a".repeat(63)],
])("container %p with labels %j is %p", (name, labels, expected) => {
  expect(nameOf(name, labels)).toBe(expected);
});

test.each([
  "My_App",
  "a b",
  "--",
  "",
  "x".repeat(64),
  "a..b",
  "17",
  "localhost",
  "\x1b[31mred",
  "é",
])("a label %p is no name: the next one counts, with a sentence on the label", (label) => {
  const named = containerName(madeContainer({ name: "box", labels: { ...compose, name: label } }));
  expect(named?.name).toBe("api.shop");
  expect(named?.warning).toStartWith("its label localhostess.name=");
  expect(named?.warning).not.toMatch(/[\x00-\x1f]/);
});

test("a label of one hyphen means no name at all, as NAME=- does", () => {
  const box = madeContainer({ name: "box", labels: { ...compose, name: "-" } });
  expect(containerName(box)).toBeUndefined();
});

test("a Compose project in a linked worktree has the worktree's label in front, and the main checkout's name", () => {
  const repository = "/w/shop/.git";
  const trees: Record<string, ComposeCheckout> = {
    "/w/shop": { repository, root: "/w/shop", main: "/w/shop" },
    "/w/shop-fix": { repository, label: "fix", root: "/w/shop-fix", main: "/w/shop" },
    "/w/my.shop-fix/deploy": { repository, label: "fix", root: "/w/my.shop-fix", main: "/w/shop" },
    "/w/bare": { repository, label: "bare", root: "/w/bare", main: undefined },
  };
  const checkout = (folder: string) => trees[folder];
  const name = (project: string, folder: string) =>
    containerName(madeContainer({ labels: { service: "api", project, folder } }), { checkout })
      ?.name;
  expect(name("shop-fix", "/w/shop-fix")).toBe("fix.api.shop");
  // Compose leaves the dot out.
  expect(name("myshop-fix", "/w/my.shop-fix/deploy")).toBe("fix.api.shop");
  expect(name("deploy", "/w/my.shop-fix/deploy")).toBe("fix.api.deploy");
  expect(name("bare", "/w/bare")).toBe("bare.api.bare");
  expect(name("shop", "/w/shop")).toBe("api.shop");
  // A path that is not absolute is no folder of this machine.
  expect(name("shop", "shop-fix")).toBe("api.shop");
});

test("the reason tells what a name is from, and shows no control character of a label", () => {
  const because = (labels: ContainerLabels) =>
    containerName(madeContainer({ name: "shop-api-1", labels }))?.because;
  expect(because({ name: "mail" })).toBe("label localhostess.name of container shop-api-1");
  expect(because(compose)).toBe("service api of Compose project shop, container shop-api-1");
  expect(because({})).toBe("name of container shop-api-1");
  expect(because({ ...compose, service: "api\x1b[2J" })).not.toContain("\x1b");
});
