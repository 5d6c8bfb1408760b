/** What a daemon says of its services, and what the next one makes of it: all of it, or nothing, with nothing open. */
import { expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import type { ServiceSpec } from "../../src/manifest/project.ts";
import type { Given } from "../../src/supervisor/handed.ts";
import { form, sayable } from "../../src/supervisor/project/handed-project.ts";
import { takenFrom } from "../../src/supervisor/taken.ts";
import { specOf } from "./fake-lifecycle.ts";

const life = {
  ...{ pid: 4242, startedAt: 1, runId: "0".repeat(32), birth: 5, members: [], age: 10 },
  ...{ socket: "/run/n", maySpeak: false, speaks: false, isGreeted: true, isAlive: true },
  ...{ listens: [3000], listensAs: [0], warnings: [], remarks: [], watchdog: 0 },
  isReloading: false,
};

function described(spec: ServiceSpec = specOf()) {
  return {
    ...{ form, pid: 4000, environments: [{ HOME: "/home/me" }], snapshots: [] },
    folders: [
      {
        ...{ directory: "/shop", shell: 0, isLost: false, whole: true, profiles: [] },
        spec: sayable({
          ...{ name: "shop", domain: "shop.localhost", directory: "/shop", services: [spec] },
          ...{ reload: { value: "git", personal: false }, files: [], warnings: [] },
        }),
        units: [
          {
            ...{ name: "web", wish: { state: "given" }, shell: "own", granted: [] },
            service: {
              spec: sayable(spec),
              lifecycle: {
                ...{ phase: "ready", restarts: 2, deaths: 0, failures: 2, isRefused: false },
                ...{ leftovers: [], request: { trust: {} }, life },
              },
              ...{ shell: 0, rest: { stdout: "", stderr: "" } },
            },
          },
        ],
      },
    ],
  };
}

const places = [
  [0, "", "lock"],
  [4001, "", "keeper"],
  [0, "web", "terminal"],
  [0, "web", "notify"],
];

async function* batches(...all: Given[]): AsyncGenerator<Given> {
  yield* all;
}

function opened(count: number): number[] {
  return Array.from({ length: count }, () => openSync("/dev/null", "r"));
}

function isOpen(descriptor: number): boolean {
  try {
    closeSync(descriptor);
    return true;
  } catch {
    // EBADF
    return false;
  }
}

test("each service has its descriptors by name; the lock and the lines of older daemons are apart", async () => {
  const descriptors = opened(4);
  const first = { value: JSON.parse(JSON.stringify(described())), descriptors: [] };
  const taken = await takenFrom(
    batches(
      first,
      { value: { places: places.slice(0, 2) }, descriptors: descriptors.slice(0, 2) },
      { value: { places: places.slice(2) }, descriptors: descriptors.slice(2) },
    ),
  );
  const [lock, keeper, terminal, notify] = descriptors as [number, number, number, number];
  expect(taken.lock).toBe(lock);
  expect(Object.fromEntries(taken.keepers)).toEqual({ "4001": keeper });
  expect(taken.folders[0]!.streams.get("web")).toEqual({ terminal, notify });
  const { service } = taken.folders[0]!.handed.units[0]!;
  expect(service!.spec).toEqual(specOf());
  expect(service!.lifecycle.life!.runId).toBe("0".repeat(32));
  taken.drop();
  taken.drop();
  expect(descriptors.map(isOpen)).toEqual([false, false, false, false]);
});

test("how requests to a name are treated comes along", async () => {
  const descriptors = opened(4);
  const spec = { ...specOf(), settings: { guard: "strict", allowPosts: ["/login"] } } as const;
  const value = JSON.parse(JSON.stringify(described(spec)));
  const taken = await takenFrom(
    batches({ value, descriptors: [] }, { value: { places }, descriptors }),
  );
  expect(taken.folders[0]!.handed.spec.services[0]!.settings).toEqual(spec.settings);
  taken.drop();
});

type Mistake = [what: string, change: (value: ReturnType<typeof described>) => unknown];

test.each<Mistake>([
  ["another form", (value) => ({ ...value, form: form + 1 })],
  ["a project that is none", (value) => ({ ...value, folders: [{}] })],
  ["a service without a key that ours have", (value) => without(value, "stopTimeout")],
  ["a pid that is a whole group", (value) => ({ ...value, pid: -1 })],
  ["nothing", () => null],
])("%s is not taken, and every descriptor is closed", async (_what, change) => {
  const descriptors = opened(4);
  const value = change(JSON.parse(JSON.stringify(described()))) as Record<string, unknown>;
  const taken = takenFrom(batches({ value, descriptors }, { value: { places }, descriptors: [] }));
  await expect(taken).rejects.toThrow("in another way");
  expect(descriptors.map(isOpen)).toEqual([false, false, false, false]);
});

function without(value: ReturnType<typeof described>, key: string) {
  const spec = value.folders[0]!.units[0]!.service.spec as Record<string, unknown>;
  delete spec[key];
  return value;
}

test.each<[what: string, places: unknown, count: number]>([
  ["fewer descriptors than places", places, 3],
  ["more descriptors than places", places.slice(1), 4],
  ["a service that runs, and has no descriptors", places.slice(0, 2), 2],
])("%s: nothing is taken", async (_what, these, count) => {
  const descriptors = opened(count);
  const value = JSON.parse(JSON.stringify(described()));
  const taken = takenFrom(
    batches({ value, descriptors: [] }, { value: { places: these }, descriptors }),
  );
  await expect(taken).rejects.toThrow();
  expect(descriptors.filter(isOpen)).toEqual([]);
});

test("a daemon that says nothing at all hands over nothing", async () => {
  await expect(takenFrom(batches())).rejects.toThrow("nothing has come");
});
