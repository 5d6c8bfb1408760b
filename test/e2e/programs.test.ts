/** Where tests may install what they need, none is skipped for the lack of it. */
import { expect, test } from "bun:test";
import { installer, missingPrograms } from "../support/debian.ts";

test.skipIf(installer() === undefined)("every program that tests need is installed", () => {
  expect(missingPrograms()).toEqual([]);
});
