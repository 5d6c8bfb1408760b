/** What has started is stopped: in reverse, all of it, once. */
import { expect, test } from "bun:test";
import { Stops } from "../../src/daemon/stops.ts";

function scene() {
  const told: string[] = [];
  const stops = new Stops((part, error) =>
    told.push(`${part} failed: ${(error as Error).message}`),
  );
  return {
    stops,
    told,
    /** A part that has stopped when its `resolve` is called. */
    slow(name: string) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const stop = (): Promise<void> => {
        told.push(`${name} begins`);
        return promise.finally(() => told.push(`${name} ends`));
      };
      return { stop, resolve, reject };
    },
    quick: (name: string) => () => void told.push(name),
  };
}

test("parts are stopped in reverse", async () => {
  const { stops, told, quick } = scene();
  for (const name of ["a", "b", "c"]) stops.push(name, quick(name));
  await stops.stop();
  expect(told).toEqual(["c", "b", "a"]);
});

test("a part is stopped when those that started after it have stopped", async () => {
  const { stops, told, quick, slow } = scene();
  const b = slow("b");
  stops.push("a", quick("a"));
  stops.push("b", b.stop);
  const stopped = stops.stop();
  await Promise.resolve();
  expect(told).toEqual(["b begins"]);
  b.resolve();
  await stopped;
  expect(told).toEqual(["b begins", "b ends", "a"]);
});

test("what need not wait has stopped before stop() returns, up to the first that waits", () => {
  const { stops, told, quick, slow } = scene();
  stops.push("a", quick("a"));
  stops.push("b", slow("b").stop);
  stops.push("c", quick("c"));
  void stops.stop();
  expect(told).toEqual(["c", "b begins"]);
});

test.each([
  [
    "throws",
    () => {
      throw new Error("stuck");
    },
  ],
  ["rejects", () => Promise.reject(new Error("stuck"))],
])("a part whose stop %s is told of, and the others are stopped", async (_, stop) => {
  const { stops, told, quick } = scene();
  stops.push("a", quick("a"));
  stops.push("b", stop);
  stops.push("c", quick("c"));
  await stops.stop();
  expect(told).toEqual(["c", "b failed: stuck", "a"]);
});

test("twice is harmless, and both wait", async () => {
  const { stops, told, quick, slow } = scene();
  const b = slow("b");
  stops.push("a", quick("a"));
  stops.push("b", b.stop);
  const both = Promise.all([stops.stop(), stops.stop()]);
  expect(told).toEqual(["b begins"]);
  b.resolve();
  await both;
  await stops.stop();
  expect(told).toEqual(["b begins", "b ends", "a"]);
});

test("parts of one place are begun with before any is waited for, and what is below waits for all", async () => {
  const { stops, told, quick, slow } = scene();
  const [a, b] = [slow("a"), slow("b")];
  stops.push("below", quick("below"));
  const place = stops.together("both");
  stops.push("above", quick("above"));
  place.push("a", a.stop);
  place.push("b", b.stop);
  const stopped = stops.stop();
  expect(told).toEqual(["above", "b begins", "a begins"]);
  b.resolve();
  await Promise.resolve();
  a.reject(new Error("stuck"));
  await stopped;
  expect(told.slice(3)).toEqual(["b ends", "a ends", "a failed: stuck", "below"]);
});

test("a part that starts while others are stopped is stopped as well", async () => {
  const { stops, told, quick, slow } = scene();
  const a = slow("a");
  stops.push("a", a.stop);
  const stopped = stops.stop();
  stops.push("late", quick("late"));
  a.resolve();
  await stopped;
  expect(told).toEqual(["a begins", "a ends", "late"]);
  stops.push("later", quick("later"));
  expect(told.at(-1)).toBe("later");
});

test("a part that joins its place after that has been stopped is stopped at once", async () => {
  const { stops, told, quick } = scene();
  const place = stops.together("both");
  await stops.stop();
  place.push("a", quick("a"));
  expect(told).toEqual(["a"]);
});

test("nothing has started, nothing is stopped", async () => {
  await scene().stops.stop();
});
