import { expect, test } from "bun:test";
import { askedServices, partOf } from "../../src/supervisor/project/asked-services.ts";
import { projectSpec } from "./fake-project.ts";

const { services } = projectSpec([
  { name: "web", dependsOn: ["api"] },
  { name: "api", dependsOn: ["db"] },
  { name: "db", lazy: true },
  { name: "docs", lazy: true },
  { name: "tools", disabled: true, dependsOn: ["docs"] },
]);

test("the whole project is all that neither dozes nor is disabled, with what that depends on", () => {
  expect(askedServices(services, { names: undefined })).toEqual({
    up: ["db", "api", "web"],
    doze: ["docs"],
  });
});

test("a name brings its service, disabled or lazy, with what it depends on, and nothing dozes for it", () => {
  expect(askedServices(services, { names: ["tools"] })).toEqual({
    up: ["docs", "tools"],
    doze: [],
  });
  expect(askedServices(services, { names: [] })).toEqual({ up: [], doze: [] });
});

test("a disabled service that is needed is brought up with who needs it", () => {
  const needing = projectSpec([
    { name: "web", dependsOn: ["db"] },
    { name: "db", disabled: true },
  ]);
  expect(askedServices(needing.services, { names: undefined }).up).toEqual(["db", "web"]);
});

test("disabled counts before lazy: no request wakes what its file has turned off", () => {
  expect(partOf({ disabled: true, lazy: true })).toBe("by-name");
  expect(partOf({ disabled: false, lazy: true })).toBe("dozes");
  expect(partOf({ disabled: false, lazy: false })).toBe("up");
});
