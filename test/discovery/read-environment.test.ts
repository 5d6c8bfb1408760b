import { expect, test } from "bun:test";
import { readEnvironment } from "../../src/discovery/read-environment.ts";

const read = (text: string, options = {}) => readEnvironment(Buffer.from(text), options);

test("a supervisor's name beats NAME, and an empty one counts as not set", () => {
  const found = { variable: "LOCALHOSTESS_NAME", name: "api", overwritten: false } as const;
  expect(read("NAME=x\0LOCALHOSTESS_NAME=api\0")).toMatchObject(found);
  expect(read("LOCALHOSTESS_NAME=\0NAME=x\0")).toMatchObject({ variable: "NAME", name: "x" });
  expect(read("NAME=\0")).toMatchObject({ variable: undefined, name: "" });
  expect(read("PORT=3000\0A=b\0")).toMatchObject({ name: undefined, wantedPort: 3000 });
});

test("of two with one name, the first is the one that programs see", () => {
  expect(read("NAME=a\0NAME=b\0").name).toBe("a");
});

test("a title that looks like a variable is one where the kernel shows that it goes on", () => {
  expect(read("worker=3\0NAME=desk\0NAME=api\0", { titled: true })).toMatchObject({
    overwritten: true,
    name: "api",
  });
});

test("cut off anywhere, it is read as far as it goes", () => {
  const whole = "A=b\0NAME=api\0PORT=3000\0";
  for (let at = 0; at <= whole.length; at++) {
    const { name } = read(whole.slice(0, at));
    expect(name === undefined || "api".startsWith(name)).toBe(true);
  }
});
