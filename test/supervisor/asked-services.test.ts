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
  const its = { disabled: false, lazy: false, schedule: undefined };
  expect(partOf({ ...its, disabled: true, lazy: true })).toBe("by-name");
  expect(partOf({ ...its, lazy: true })).toBe("dozes");
  expect(partOf(its)).toBe("up");
});

test("a service with a schedule waits for its time, where it is not disabled", () => {
  const its = { disabled: false, lazy: false, schedule: "@hourly" };
  expect(partOf(its)).toBe("dozes");
  expect(partOf({ ...its, disabled: true })).toBe("by-name");
});
