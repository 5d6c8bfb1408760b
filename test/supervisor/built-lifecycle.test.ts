import { expect, test } from "bun:test";
import { builtVariable, orderVariable } from "../../src/manifest/order.ts";
import type { ServiceSpec } from "../../src/manifest/project.ts";
import { containerSpec } from "../containers/runs/made-plan.ts";
import { FakeLifecycle, request, settled } from "./fake-lifecycle.ts";

const own = {
  kind: "built",
  build: { kind: "command", command: "make", inputs: [] },
} as const satisfies ServiceSpec["own"];

/** A service that runs, and builds that a test plays; `files`: what its folder holds, by path. */
async function running(changes: Partial<ServiceSpec> = {}) {
  const files = new Map<string, { content: string; changed: number; born: number }>();
  const of = {
    hashOf: async (path: string) => files.get(path)?.content,
    timesOf: (path: string) => files.get(path),
  };
  const env = { [orderVariable]: JSON.stringify({ id: "shop:web", own }) };
  const its = new FakeLifecycle({ own, workdir: "/shop", env, ...changes }, { files: of });
  const built = async (): Promise<void> => {
    its.say("X_BUILT=1");
    await its.becomeReady();
  };
  await its.start();
  await built();
  await its.pass(1000);
  const change = async (name: string, content = name): Promise<void> => {
    const path = `/shop/${name}`;
    files.set(path, { content, changed: its.clock.wall(), born: 0 });
    its.service.renew!(`${name} changed`, { paths: [path] });
    await settled();
  };
  const end = async (code: number): Promise<void> => {
    its.builds.at(-1)!.end(code);
    await settled();
    await its.pass(1000);
  };
  /** As its project does it. */
  const makeWay = async (): Promise<void> => {
    await its.service.stop({ makesWay: true });
    its.service.start({ ...request, reason: "src/a.ts changed" });
    await settled();
    await built();
  };
  return { its, of, change, end, makeWay, built };
}

/** Nobody sees the end of a process of another daemon but by time. */
async function endAdopted(its: FakeLifecycle): Promise<void> {
  const ended = its.service.dispose();
  await its.pass(2000);
  await ended;
}

test("a change builds beside the process, which makes way once that has succeeded, and builds nothing then", async () => {
  const { its, change, end, makeWay } = await running();
  expect(its.spawns[0]!.env[builtVariable]).toBeUndefined();
  await change("src/a.ts");
  expect([its.builds.length, its.spawns.length, its.state]).toEqual([1, 1, "ready"]);
  const order = JSON.parse(its.builds[0]!.env[orderVariable]!);
  // A build of another instance that began later has seen the change.
  const asked = its.clock.wall() + 10;
  expect(order).toEqual({ id: "shop:web", own, only: "build", asked });
  expect(its.builds[0]!.env.PORT).toBeUndefined();
  expect(its.service.snapshot().status).toBe("builds again");
  its.say("STATUS=builds: make");
  await settled();
  expect(its.service.snapshot().status).toBe("builds again: make");
  expect(its.said).toEqual(["builds again: src/a.ts changed"]);
  expect(its.swaps).toEqual([]);
  await end(0);
  expect(its.swaps).toEqual(["src/a.ts changed"]);
  expect([its.spawns.length, its.state]).toEqual([1, "ready"]);
  await makeWay();
  expect([its.spawns.length, its.state]).toEqual([2, "ready"]);
  expect(its.spawns[1]!.env[builtVariable]).toBe("1");
  expect(its.service.snapshot()).toMatchObject({ status: undefined, warnings: [] });
  await its.service.dispose();
});

test("while a build has failed, what was built before runs on with a warning, which the next success takes back", async () => {
  const { its, change, end } = await running();
  await change("src/a.ts");
  await end(2);
  const text =
    "its last build ended with exit code 2; it runs what was built before; localhostess logs shop:web";
  expect(its.service.snapshot()).toMatchObject({ state: "ready", warnings: [text] });
  expect(its.service.unbuilt).toBe(text);
  expect(its.said.at(-1)).toBe("its last build failed; it runs what was built before");
  expect([its.swaps, its.spawns.length]).toEqual([[], 1]);
  await change("src/a.ts", "mended");
  expect(its.service.snapshot().warnings).toEqual([]);
  await end(0);
  expect([its.swaps, its.builds.length]).toEqual([["src/a.ts changed"], 2]);
  expect(its.service.unbuilt).toBeUndefined();
  await its.service.dispose();
});

test("however often something changes while it is built, it is built once more, and only that is run", async () => {
  const { its, change, end } = await running();
  await change("a");
  for (const name of ["b", "c", "d"]) await change(name);
  expect(its.builds.length).toBe(1);
  await end(0);
  expect([its.builds.length, its.swaps.length]).toEqual([2, 0]);
  await end(0);
  expect([its.builds.length, its.swaps.length]).toEqual([2, 1]);
  await its.service.dispose();
});

test("a failed build is followed by another one where something has changed meanwhile", async () => {
  const { its, change, end } = await running();
  await change("a");
  await change("b");
  await end(1);
  expect([its.builds.length, its.service.unbuilt]).toEqual([2, undefined]);
  await end(0);
  expect(its.swaps).toEqual(["b changed"]);
  await its.service.dispose();
});

test("what the build itself writes does not begin it for ever, nor a process anew", async () => {
  const { its, change, end, makeWay } = await running();
  await change("src/a.ts");
  await change("dist/a.js");
  await end(0);
  // Once, as nobody knows yet that the file is the build's.
  expect([its.builds.length, its.swaps.length]).toEqual([2, 0]);
  await change("dist/a.js");
  await end(0);
  expect([its.builds.length, its.swaps.length]).toEqual([2, 1]);
  await makeWay();
  await change("src/a.ts", "2");
  await change("dist/a.js", "2");
  await end(0);
  expect([its.builds.length, its.swaps.length]).toEqual([3, 2]);
  await its.service.dispose();
});

test("what the first build of a process writes does not replace that process", async () => {
  const { its, of, change, end } = await running();
  await its.service.stop();
  its.listening.clear();
  await its.start();
  its.say("STATUS=building");
  await change("dist/a.js", "1");
  expect(its.builds.length).toBe(0);
  expect(its.service.snapshot().status).toBe("building");
  its.say("X_BUILT=1");
  await settled();
  expect([its.builds.length, its.state]).toEqual([1, "running"]);
  await its.becomeReady();
  await change("dist/a.js", "1");
  await end(0);
  expect([its.builds.length, its.swaps.length, its.service.isBuilding]).toEqual([1, 0, false]);
  expect(await of.hashOf("/shop/dist/a.js")).toBe("1");
  await its.service.dispose();
});

test("where a build had no use for what the last one wrote, the process goes on, and no other begins", async () => {
  const { its, change, end, built, makeWay } = await running();
  await its.service.stop();
  its.listening.clear();
  await its.start();
  await change("dist/a.js", "1");
  await built();
  expect(its.builds.length).toBe(1);
  its.say("STATUS=nothing to build");
  await end(0);
  expect([its.builds.length, its.swaps.length]).toEqual([1, 0]);
  await change("src/a.ts");
  await change("dist/a.js", "2");
  await end(0);
  expect([its.builds.length, its.swaps.length]).toEqual([2, 1]);
  await makeWay();
  // An edit that is no input of the build is one of the process's.
  await change("config.json");
  its.say("STATUS=nothing to build");
  await end(0);
  expect([its.builds.length, its.swaps.length]).toEqual([3, 2]);
  await its.service.dispose();
});

test("a stop while it is built ends the build and the process, and the next start builds by itself", async () => {
  const { its, change } = await running();
  await change("a");
  await its.service.stop();
  expect(its.state).toBe("stopped");
  expect(its.lingering.size).toBe(0);
  expect(its.endings.map(({ pid }) => pid).sort()).toEqual([1001, 5001]);
  await its.start();
  expect(its.spawns.at(-1)!.env[builtVariable]).toBeUndefined();
  expect(its.service.isBuilding).toBe(false);
  await its.service.dispose();
});

test("a restart by a person while it is built ends that build, and the new process builds by itself", async () => {
  const { its, change, makeWay } = await running();
  await change("a");
  await makeWay();
  expect([its.lingering.size, its.spawns.length]).toEqual([0, 2]);
  expect(its.spawns[1]!.env[builtVariable]).toBeUndefined();
  expect(its.swaps).toEqual([]);
  await its.service.dispose();
});

test("a process begins with what was built though something has changed since, which is built once it has begun", async () => {
  for (const when of ["before its end", "during its end", "after its end", "in its first moment"]) {
    const { its, change, end, built } = await running();
    await change("a");
    await end(0);
    if (when === "before its end") await change("b");
    const ended = its.service.stop({ makesWay: true });
    if (when === "during its end") await change("b");
    await ended;
    if (when === "after its end") await change("b");
    await its.start();
    if (when === "in its first moment") await change("b");
    const isBuilt = its.spawns.at(-1)!.env[builtVariable];
    expect([when, its.state, isBuilt, its.builds.length]).toEqual([when, "running", "1", 1]);
    await built();
    expect([when, its.state, its.builds.length, its.said.at(-1)]).toEqual([
      ...[when, "ready", 2, "builds again: b changed"],
    ]);
    await end(0);
    expect([when, its.swaps]).toEqual([when, ["a changed", "b changed"]]);
    await its.service.dispose();
  }
});

test("an image is built again once the container that begins with the last one is ready", async () => {
  const build = {
    kind: "dockerfile",
    ...{ context: "/shop", dockerfile: "Dockerfile", target: undefined, args: {} },
  } as const;
  const { its, change, end } = await running({ own: containerSpec({ image: undefined, build }) });
  await change("a");
  await end(0);
  await its.service.stop({ makesWay: true });
  its.listening.clear();
  await its.start();
  await change("b");
  expect([its.state, its.spawns.at(-1)!.env[builtVariable]]).toEqual(["running", "1"]);
  await its.pass(1000);
  expect(its.builds.length).toBe(1);
  its.say("READY=1");
  await settled();
  expect([its.state, its.builds.length]).toEqual(["ready", 2]);
  await its.service.dispose();
});

test("where the process that was built cannot begin, what has changed since is built beside its next try", async () => {
  const { its, change, end } = await running();
  await change("a");
  await end(0);
  await its.service.stop({ makesWay: true });
  await change("b");
  await its.start();
  its.exit({ code: 1, signal: null });
  await settled();
  expect([its.state, its.builds.length]).toEqual(["backoff", 2]);
  await end(0);
  expect(its.swaps).toEqual(["a changed", "b changed"]);
  await its.service.dispose();
});

test("what a build has written begins no other where that is told of while the process makes way", async () => {
  const { its, of, change, end, built } = await running();
  await change("src/a.ts");
  await change("dist/a.js");
  await end(0);
  await change("dist/a.js");
  await end(0);
  expect(its.builds.length).toBe(2);
  await its.service.stop({ makesWay: true });
  const { changed } = of.timesOf("/shop/dist/a.js")!;
  expect(its.clock.wall() - changed).toBeLessThan(4000);
  its.service.renew!("dist/a.js changed", { paths: ["/shop/dist/a.js"] });
  await its.start();
  expect(its.spawns.at(-1)!.env[builtVariable]).toBe("1");
  await built();
  await its.pass(1000);
  expect([its.state, its.builds.length]).toEqual(["ready", 2]);
  await its.service.dispose();
});

test("a process that dies while it is built is started again, and makes way for what was built", async () => {
  const { its, change, end } = await running();
  await change("a");
  its.exit({ code: 1, signal: null });
  await settled();
  expect([its.state, its.service.isBuilding]).toEqual(["backoff", true]);
  await its.pass(1000);
  expect(its.spawns.length).toBe(2);
  await end(0);
  expect(its.swaps).toEqual(["a changed"]);
  await its.service.dispose();
});

test("a process that is given up while it is built is started with what was built", async () => {
  const { its, change, end } = await running();
  await change("a");
  its.say("X_CANNOT=its build failed", 0);
  its.exit({ code: 69, signal: null });
  await settled();
  expect([its.state, its.why]).toEqual(["failed", "its build failed"]);
  await end(0);
  expect([its.swaps, its.spawns.length]).toEqual([[], 2]);
  expect(its.spawns[1]!.env[builtVariable]).toBe("1");
  await its.service.dispose();
});

test("a service whose first build has failed is started again when something changes", async () => {
  const { its, change } = await running();
  its.say("X_CANNOT=its build failed");
  its.exit({ code: 69, signal: null });
  await settled();
  await its.pass(1000);
  await change("a");
  expect([its.state, its.builds.length, its.spawns.length]).toEqual(["running", 0, 2]);
  expect(its.spawns[1]!.env[builtVariable]).toBeUndefined();
  await its.service.dispose();
});

test("a stopped service, and one that ended well, are not started by a change", async () => {
  const { its } = await running({ restart: "no" });
  its.exit({ code: 0, signal: null });
  await settled();
  expect(its.service.renew!("a changed", { paths: ["/shop/a"] })).toBe(false);
  await its.service.stop();
  expect(its.service.renew!("a changed")).toBe(false);
  expect([its.state, its.builds.length, its.spawns.length]).toEqual(["stopped", 0, 1]);
});

test("after a crash, a process that has built by itself takes the warning back when it is ready", async () => {
  const { its, change, end, built } = await running();
  await change("a");
  await end(1);
  its.exit({ code: 1, signal: null });
  await its.pass(1000);
  expect(its.service.unbuilt).toBeDefined();
  await built();
  expect([its.state, its.service.unbuilt]).toEqual(["ready", undefined]);
  await its.service.dispose();
});

test("the next daemon begins the build again that was under way, and the process goes on", async () => {
  const { its, of, change, end } = await running();
  await change("a");
  expect(its.service.isSettled).toBe(true);
  const handed = (await its.service.halt(undefined as never))!;
  expect(its.lingering.size).toBe(0);
  expect(handed.lifecycle.build).toEqual({ todo: "anew", why: "a changed" });
  const former = its.service;
  await its.takeOverBuilt(handed, of);
  former.leave(() => {});
  await settled();
  expect([its.state, its.service.isBuilding, its.builds.length]).toEqual(["ready", true, 2]);
  await end(0);
  expect(its.swaps).toEqual(["a changed"]);
  await endAdopted(its);
});

test("the next daemon builds what has changed since the build that the process is about to make way for", async () => {
  const { its, of, change, end } = await running();
  await change("a");
  await end(0);
  await change("b");
  const handed = (await its.service.halt(undefined as never))!;
  expect(handed.lifecycle.build).toEqual({ todo: "late", why: "b changed" });
  const former = its.service;
  await its.takeOverBuilt(handed, of);
  former.leave(() => {});
  const ended = its.service.stop({ makesWay: true });
  await its.pass(2000);
  await ended;
  its.listening.clear();
  await its.start();
  expect(its.spawns.at(-1)!.env[builtVariable]).toBe("1");
  its.say("X_BUILT=1");
  await its.becomeReady();
  expect([its.state, its.builds.length]).toEqual(["ready", 2]);
  await its.service.dispose();
});

test("a process that begins with what was built comes before a build also where another daemon goes on with it", async () => {
  const { its, of, change, end } = await running();
  await change("a");
  await end(0);
  await its.service.stop({ makesWay: true });
  its.listening.clear();
  await its.start();
  const handed = (await its.service.halt(undefined as never))!;
  const former = its.service;
  await its.takeOverBuilt(handed, of);
  former.leave(() => {});
  its.service.renew!("b changed");
  await settled();
  expect([its.state, its.builds.length]).toEqual(["running", 1]);
  its.say("X_BUILT=1");
  await settled();
  expect(its.builds.length).toBe(2);
  await endAdopted(its);
});

test("the next daemon knows that the last build has failed", async () => {
  const { its, of, change, end } = await running();
  await change("a");
  await end(1);
  const { unbuilt } = its.service;
  const handed = (await its.service.halt(undefined as never))!;
  await its.takeOverBuilt(handed, of);
  expect(its.service.unbuilt).toBe(unbuilt!);
  await endAdopted(its);
});

test("where the next daemon does not take over, the build begins again here", async () => {
  const { its, change, end, makeWay } = await running();
  await change("a");
  await its.service.halt(undefined as never);
  its.service.goOn();
  await settled();
  expect([its.service.isBuilding, its.builds.length]).toEqual([true, 2]);
  await end(0);
  expect(its.swaps).toEqual(["a changed"]);
  await makeWay();
  its.handable = false;
  await change("b");
  expect(await its.service.halt(undefined as never)).toBeUndefined();
  await settled();
  expect([its.service.isBuilding, its.builds.length]).toEqual([true, 4]);
  await its.service.dispose();
});
