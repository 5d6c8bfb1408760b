/** The words that lists have for what runs. */
import { expect, test } from "bun:test";
import { shownCommand } from "../../src/manifest/shown-command.ts";
import type { ContainerSpec } from "../../src/manifest/types/own.ts";

const container: ContainerSpec = {
  ...{ kind: "container", image: "redis:7", build: undefined, entrypoint: undefined },
  ...{ user: undefined, workdir: undefined, inside: undefined, ports: [], volumes: [] },
  ...{ pull: "missing", stopSignal: undefined },
};
const build = { context: "/shop/src", dockerfile: "Dockerfile", target: undefined, args: {} };

test("a container is shown by its image, and a built one by its folder", () => {
  expect(shownCommand({ own: undefined, command: "bun dev" })).toBe("bun dev");
  expect(shownCommand({ own: container, command: "" })).toBe("redis:7");
  expect(shownCommand({ own: container, command: "redis-server --port 1" })).toBe(
    "redis:7 redis-server --port 1",
  );
  const built = { ...container, image: undefined, build };
  expect(shownCommand({ own: built, command: "" })).toBe("built from /shop/src");
  expect(shownCommand({ own: built, command: "sh x" })).toBe("built from /shop/src: sh x");
});
