import { expect, test } from "bun:test";
import type { Order } from "../../src/manifest/order.ts";
import { planOf } from "../../src/programs/run-container.ts";
import { containerSpec } from "../containers/runs/made-plan.ts";

function planned(env: Record<string, string>, changes: Partial<Order> = {}) {
  const order: Order = {
    ...{ id: "shop:web", project: "shop", directory: "/shop", service: "web", command: "" },
    ...{ port: 4000, ports: { "81": 4001 }, routeName: "shop", variables: ["COLOUR"] },
    ...{ place: undefined, cache: "/cache", owner: "me", stopTimeout: 1000, memory: undefined },
    ...{ check: undefined, readiness: "program", engineNotes: "/notes", pty: false },
    engines: undefined,
    own: containerSpec({
      inside: 80,
      ports: [{ inside: 81, outside: undefined, protocol: "tcp" }],
    }),
    ...changes,
  };
  return planOf({ order, env }, { words: [], runId: "1" });
}

test("the program inside gets what the file declares and what we give, and nothing of the shell", () => {
  const env = { COLOUR: "red", HOME: "/home/me", SECRET: "x", PORT: "4000", NAME: "shop" };
  expect(planned(env).env).toEqual({ COLOUR: "red", NAME: "shop", PORT: "80" });
});

test("a further port is published where it was before", () => {
  expect(planned({}).spec.ports).toEqual([{ inside: 81, outside: 4001, protocol: "tcp" }]);
});
