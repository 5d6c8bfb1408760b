import { expect, test } from "bun:test";
import type { Supervised } from "../../src/routes/supervised.ts";
import { Keepers } from "../../src/supervisor/keepers.ts";
import type { OpenLine } from "../../src/supervisor/line.ts";
import { FakeClock } from "../support/fake-clock.ts";

const period = 5000;

function scene() {
  const clock = new FakeClock();
  const children = new Map<number, number[]>();
  const pids = new Set<number>();
  const told: unknown[] = [];
  const keepers = new Keepers({
    clock,
    machine: {
      keepers: pids,
      childrenOf: (pid) => children.get(pid),
      adopted: {
        watch: () => () => {},
        look() {},
        told: (pid, ending) => void told.push({ pid, ...ending }),
      },
    },
    onWake: (id) => void told.push({ wake: id }),
    onChange: (change) => void told.push(change),
  });
  const line = () => {
    const said: unknown[] = [];
    const its: OpenLine & { said: unknown[]; over: boolean } = {
      said,
      over: false,
      descriptor: 9,
      tell: (value) => said.push(value) > 0,
      end() {
        its.over = true;
      },
    };
    return its;
  };
  return { clock, children, pids, told, keepers, line };
}

test("what a daemon before tells of its services is passed on; what is no message is passed over", () => {
  const { keepers, line, told } = scene();
  const elder = line();
  keepers.begin();
  keepers.add(10, elder, { serves: true });
  elder.hear?.({ ended: { pid: 20, code: 3, signal: null } });
  elder.hear?.({ wake: "shop:api" });
  elder.hear?.({ changed: { directory: "/shop", service: "api", what: "port" } });
  elder.hear?.(null);
  elder.hear?.("later versions may say more");
  expect(told).toEqual([
    { pid: 20, code: 3, signal: null },
    { wake: "shop:api" },
    { directory: "/shop", service: "api", what: "port" },
  ]);
});

test("news that come before its services are known here wait for that", () => {
  const { keepers, line, told } = scene();
  const elder = line();
  const changed = { directory: "/shop", service: "api", what: "port" };
  keepers.add(10, elder, { serves: true });
  elder.hear?.({ changed });
  elder.hear?.({ wake: "shop:api" });
  expect(told).toEqual([]);
  keepers.begin();
  expect(told).toEqual([changed, { wake: "shop:api" }]);
  keepers.begin();
  expect(told.length).toBe(2);
});

test("services are told to the daemon before for as long as it has clients, and to no older one", () => {
  const { keepers, line } = scene();
  const [elder, older] = [line(), line()];
  keepers.add(10, elder, { serves: true });
  keepers.add(9, older, { serves: false });
  const api = { id: "shop:api" } as Supervised;
  keepers.tell(api);
  elder.hear?.({ keeps: 10 });
  keepers.tell(api);
  expect(elder.said).toEqual([{ supervised: api }]);
  expect(older.said).toEqual([]);
});

test("one without children is let go, unless it serves; then nobody looks any more", () => {
  const { keepers, line, clock, children, pids } = scene();
  const [elder, older] = [line(), line()];
  keepers.add(10, elder, { serves: true });
  keepers.add(9, older, { serves: false });
  children.set(10, []).set(9, [30]);
  keepers.begin();
  clock.advance(period);
  expect([elder.over, older.over]).toEqual([false, false]);
  children.set(9, []);
  clock.advance(period);
  expect([elder.over, older.over]).toEqual([false, true]);
  elder.hear?.({ keeps: 10 });
  clock.advance(period);
  expect(elder.over).toBe(true);
  expect(pids.size + keepers.lines.size).toBe(0);
  expect(clock.waiting).toBe(0);
});

test("one that is gone is forgotten; at the end all lines are", () => {
  const { keepers, line, pids } = scene();
  const [elder, older] = [line(), line()];
  keepers.add(10, elder, { serves: true });
  keepers.add(9, older, { serves: false });
  older.ended?.();
  expect([...pids]).toEqual([10]);
  keepers.end();
  expect([elder.over, older.over]).toEqual([true, false]);
});
