import { expect, test } from "bun:test";
import { heldPorts } from "../../src/daemon/held-ports.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { testService } from "../support/test-proxy.ts";

test("a port is held until the kernel would give a connection to another socket alone", () => {
  const clock = new FakeClock();
  let listening: number[] | undefined = [7];
  let questions = 0;
  const holds = heldPorts(() => {
    questions++;
    return listening;
  }, clock);
  const api = testService("api", { port: 3000, sockets: [7, 8] });
  expect(holds(api)).toBe(true);
  listening = [9];
  clock.advance(99);
  expect([holds(api), questions]).toEqual([true, 1]);
  clock.advance(1);
  expect([holds(api), questions]).toEqual([false, 2]);
  for (const others of [[9, 8], [], undefined]) {
    listening = others;
    clock.advance(100);
    expect(holds(api)).toBe(true);
  }
});

test("nothing is asked of what was not seen to listen, or where the system does not tell", () => {
  const asked = heldPorts(() => [9], new FakeClock());
  expect(asked(testService("api", { port: 3000 }))).toBe(true);
  const untold = heldPorts(undefined, new FakeClock());
  expect(untold(testService("api", { port: 3000, sockets: [7] }))).toBe(true);
});
