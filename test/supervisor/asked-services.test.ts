import { expect, test } from "bun:test";
import {
  askedServices,
  leftOutWhy,
  noProfiles,
  partOf,
  profileMistakes,
} from "../../src/supervisor/project/asked-services.ts";
import { projectSpec } from "./fake-project.ts";

const { services } = projectSpec([
  { name: "web", dependsOn: ["api"] },
  { name: "api", dependsOn: ["db"] },
  { name: "db", lazy: true },
  { name: "docs", lazy: true },
  { name: "tools", disabled: true, dependsOn: ["docs"] },
]);

test("the whole project is all that neither dozes nor is disabled, with what that depends on", () => {
  expect(askedServices(services, { names: undefined, profiles: noProfiles })).toEqual({
    up: ["db", "api", "web"],
    doze: ["docs"],
  });
});

test("a name brings its service, disabled or lazy, with what it depends on, and nothing dozes for it", () => {
  expect(askedServices(services, { names: ["tools"], profiles: noProfiles })).toEqual({
    up: ["docs", "tools"],
    doze: [],
  });
  expect(askedServices(services, { names: [], profiles: noProfiles })).toEqual({
    up: [],
    doze: [],
  });
});

test("a disabled service that is needed is brought up with who needs it", () => {
  const needing = projectSpec([
    { name: "web", dependsOn: ["db"] },
    { name: "db", disabled: true },
  ]);
  expect(askedServices(needing.services, { names: undefined, profiles: noProfiles }).up).toEqual([
    "db",
    "web",
  ]);
});

const part = (
  its: { disabled?: boolean; lazy?: boolean; schedule?: string; profiles?: string[] },
  ...asked: string[]
) =>
  partOf(
    { disabled: false, lazy: false, schedule: undefined, profiles: [], ...its },
    new Set(asked),
  );

test("disabled counts before lazy: no request wakes what its file has turned off", () => {
  expect(part({ disabled: true, lazy: true })).toBe("by-name");
  expect(part({ lazy: true })).toBe("dozes");
  expect(part({})).toBe("up");
});

test("a service with a schedule waits for its time, where it is not disabled", () => {
  expect(part({ schedule: "@hourly" })).toBe("dozes");
  expect(part({ schedule: "@hourly", disabled: true })).toBe("by-name");
});

test("a profile brings its services, those that were lazy to their first request, and no disabled one", () => {
  const profiles = ["tools", "ci"];
  expect(part({ profiles })).toBe("by-name");
  expect(part({ profiles }, "other")).toBe("by-name");
  expect(part({ profiles }, "ci")).toBe("up");
  expect(part({ profiles, lazy: true }, "tools", "other")).toBe("dozes");
  expect(part({ profiles, disabled: true }, "tools")).toBe("by-name");
  const all = projectSpec([
    { name: "web", dependsOn: ["db"] },
    { name: "db", profiles: ["data"] },
    { name: "adminer", profiles: ["tools"], dependsOn: ["db", "mail"] },
    { name: "mail", profiles: ["mail"] },
    { name: "seed", profiles: ["data"] },
  ]);
  const up = (names: string[] | undefined, ...asked: string[]) =>
    askedServices(all.services, { names, profiles: new Set(asked) }).up;
  // Whatever starts brings what it depends on, of whichever profile.
  expect(up(undefined)).toEqual(["db", "web"]);
  expect(up(undefined, "tools")).toEqual(["db", "web", "mail", "adminer"]);
  expect(up(["seed"])).toEqual(["seed"]);
  expect(up(["web"], "tools")).toEqual(["db", "web"]);
});

test("a service that is left out says why", () => {
  const why = (its: { disabled?: boolean; profiles?: string[] }) =>
    leftOutWhy({ disabled: false, profiles: [], ...its }, new Set(["ci"]));
  expect(why({})).toBeUndefined();
  expect(why({ profiles: ["ci", "x"] })).toBeUndefined();
  expect(why({ profiles: ["a", "b"] })).toBe("profile a or b");
  expect(why({ profiles: ["a"], disabled: true })).toBe("disabled");
});

test("a profile that no service has is a mistake, with the nearest one", () => {
  const { name, services } = projectSpec([{ name: "a", profiles: ["tools", "ci"] }]);
  const mistakes = (...asked: string[]) => profileMistakes({ name, services }, asked);
  expect(mistakes("tools", "ci")).toEqual([]);
  expect(mistakes("tols", "elsewhere")).toEqual([
    `shop has no profile "tols"; did you mean tools?`,
    `shop has no profile "elsewhere"; there are tools and ci`,
  ]);
  expect(profileMistakes({ name, services: [] }, ["x"])).toEqual([
    `shop has no profile "x"; no service has one`,
  ]);
});
