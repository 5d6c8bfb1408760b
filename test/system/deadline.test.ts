/** One timer for somebody who looks at it now and then. */
import { expect, test } from "bun:test";
import { Deadline } from "../../src/system/deadline.ts";

function scene() {
  let now = 0;
  const deadline = new Deadline(() => now);
  const ran: string[] = [];
  return {
    deadline,
    ran,
    at(time: number): readonly string[] {
      now = time;
      deadline.tick();
      return ran.splice(0);
    },
    after: (delay: number, name: string) => deadline.after(delay, () => ran.push(name)),
  };
}

test("an action runs once, at the first look at which it is due", () => {
  const { at, after } = scene();
  after(1_000, "a");
  expect([at(500), at(999), at(1_500), at(2_000)]).toEqual([[], [], ["a"], []]);
});

test("nothing was asked for, nothing runs", () => {
  expect(scene().at(1_000_000)).toEqual([]);
});

test("a cancelled action does not run; cancelling again, or late, is harmless", () => {
  const { at, after } = scene();
  const cancel = after(1_000, "a");
  cancel();
  cancel();
  expect(at(1_000)).toEqual([]);
  after(1_000, "b");
  cancel();
  expect(at(2_000)).toEqual(["b"]);
});

test("the next action takes the place of the one before", () => {
  const { at, after } = scene();
  after(1_000, "a");
  after(2_000, "b");
  expect([at(1_000), at(2_000)]).toEqual([[], ["b"]]);
});

test("an action may ask for the next one", () => {
  const { at, deadline, after } = scene();
  deadline.after(1_000, () => after(1_000, "b"));
  expect([at(1_000), at(1_999), at(2_000)]).toEqual([[], [], ["b"]]);
});
