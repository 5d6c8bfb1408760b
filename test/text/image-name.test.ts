/** Words that may name an image, and those that cannot. */
import { expect, test } from "bun:test";
import { isImageName, isOnlyImage, lastPartOf } from "../../src/text/image-name.ts";

test.each([
  ["alpine", false, "alpine"],
  ["redis:7", false, "redis"],
  ["getmeili/meilisearch:v1.10", true, "meilisearch"],
  ["localhost:5000/tool", true, "tool"],
  ["ghcr.io/me/shop-db:latest", true, "shop-db"],
  [`me/tool@sha256:${"a".repeat(64)}`, true, "tool"],
])("%s is an image", (word, isOnly, last) => {
  expect(isImageName(word)).toBe(true);
  expect(isOnlyImage(word)).toBe(isOnly);
  expect(lastPartOf(word)).toBe(last);
});

test.each([
  "",
  "Alpine",
  "-it",
  "a b",
  "http://api.localhost/",
  "a//b",
  "a:",
  "../a",
  "a@sha256:1",
])("%j is none", (word) => {
  expect(isImageName(word)).toBe(false);
  expect(isOnlyImage(word)).toBe(false);
});
