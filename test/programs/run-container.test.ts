import { expect, test } from "bun:test";
import type { Engine } from "../../src/containers/runs/choose-engine.ts";
import { builtVariable, type Order, orderVariable } from "../../src/manifest/order.ts";
import { builtOf, makeImage, personOf } from "../../src/programs/container-image.ts";
import { planOf } from "../../src/programs/run-container.ts";
import type { KindFacts } from "../../src/supervisor/types/kind.ts";
import { kindOf } from "../../src/supervisor/types/kinds.ts";
import { containerSpec } from "../containers/runs/made-plan.ts";
import { playedEngine } from "../containers/runs/played-engine.ts";
import { project } from "../manifest/manifest.ts";
import { noKinds } from "../supervisor/no-kinds.ts";

function orderOf(changes: Partial<Order> = {}): Order {
  return {
    ...{ id: "shop:web", project: "shop", directory: "/shop", service: "web", command: "" },
    ...{ port: 4000, ports: { "81": 4001 }, routeName: "shop", variables: ["COLOUR"] },
    ...{ place: undefined, cache: "/cache", owner: "me", stopTimeout: 1000, memory: undefined },
    ...{ check: undefined, readiness: "program", engineNotes: "/notes", pty: false },
    ...{ engines: undefined, build: undefined, only: undefined, clean: false },
    own: containerSpec({
      inside: 80,
      ports: [{ inside: 81, outside: undefined, protocol: "tcp" }],
    }),
    ...changes,
  };
}

function planned(env: Record<string, string>) {
  const order = orderOf();
  return planOf({ order, env }, { words: [], runId: "1" });
}

test("the program inside gets what the file declares and what we give, and nothing of the shell", () => {
  const env = { COLOUR: "red", HOME: "/home/me", SECRET: "x", PORT: "4000", NAME: "shop" };
  expect(planned(env).env).toEqual({ COLOUR: "red", NAME: "shop", PORT: "80" });
});

test("instances of a service share the image that is built", () => {
  const text = '[services.web]\ninstances = 2\nbuild = { builder = "b" }\n';
  const orders = project(text).services.map((spec): Order => {
    const id = `shop:${spec.name}`;
    const facts: KindFacts = {
      ...{ id, project: "shop", directory: "/shop", port: 4000, url: undefined },
      ...{ portOf: () => undefined, machine: noKinds },
    };
    return JSON.parse(kindOf(spec).launched(spec, facts).env[orderVariable]!) as Order;
  });
  expect(orders.map(({ service }) => service)).toEqual(["web-1", "web-2"]);
  expect([...orders, orderOf()].map(builtOf)).toEqual(["web", "web", "web"]);
});

test("an image that was just built beside the container is taken as it is; where it is gone, it is built", async () => {
  using engine = playedEngine();
  const build = {
    kind: "dockerfile",
    ...{ context: "/no-such-folder", dockerfile: "Dockerfile", target: undefined, args: {} },
  } as const;
  const order = orderOf({ own: containerSpec({ image: undefined, build }) });
  const make = (env: Record<string, string>) =>
    makeImage(
      { order, env, say() {} },
      {
        ...{ engine: { socket: engine.path } as Engine, signal: new AbortController().signal },
        ...{ status() {}, labels: {} as never, person: {} },
      },
    );
  expect(await make({ [builtVariable]: "1" })).toEqual({
    ...{ kind: "built", id: "sha256:1", ran: false },
  });
  expect(engine.asked.map((its) => its.replace(/-[0-9a-f]+-/, "-"))).toEqual([
    "GET /images/localhostess/shop-web/json",
  ]);
  expect(await make({})).toMatchObject({ kind: "failed" });
  engine.images.absent = true;
  expect(await make({ [builtVariable]: "1" })).toMatchObject({ kind: "failed" });
});

test("a further port is published where it was before", () => {
  expect(planned({}).spec.ports).toEqual([{ inside: 81, outside: 4001, protocol: "tcp" }]);
});

test("a file cannot say which engine is asked, or whose contexts are read", () => {
  const order = orderOf({ variables: ["DOCKER_HOST", "HOME"] });
  const env = { DOCKER_HOST: "unix:///evil.sock", HOME: "/evil", XDG_RUNTIME_DIR: "/run/me" };
  const person = personOf({ order, env });
  expect(person.env).toEqual({ XDG_RUNTIME_DIR: "/run/me" });
  expect(person.home).not.toBe("/evil");
});
