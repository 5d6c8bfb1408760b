/** One variable of an environment, as the kernel shows it. */
import { expect, test } from "bun:test";
import { sought, valueIn } from "../../src/system/environment-value.ts";

test.each<[environment: string, value: string | undefined]>([
  ["NAME=api\0HOME=/\0", "api"],
  ["HOME=/\0NAME=api\0", "api"],
  ["HOME=/\0NAME=api", "api"],
  ["NAME=\0", ""],
  ["NAME=api\0NAME=web\0", "api"],
  ["HOSTNAME=desk\0", undefined],
  ["X=a NAME=api\0", undefined],
  ["", undefined],
])("in %j, NAME is %j", (environment, value) => {
  expect(valueIn(Buffer.from(environment), sought("NAME"))).toBe(value);
});
