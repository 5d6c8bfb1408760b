import { expect, test } from "bun:test";
import { type Order, orderVariable } from "../../src/manifest/order.ts";
import { containerSpec } from "../containers/runs/made-plan.ts";
import { FakeLifecycle, request, settled } from "./fake-lifecycle.ts";
import { PlayedProject } from "./fake-project.ts";

async function running(): Promise<FakeLifecycle> {
  const own = containerSpec({ inside: 80 });
  const fake = new FakeLifecycle({ type: "container", own });
  fake.service.start(request);
  await settled();
  return fake;
}

test("a container is ready when our program says so, and not because its engine's relay listens", async () => {
  const fake = await running();
  fake.listening.add(request.port!);
  await fake.clock.advance(20_000);
  expect(fake.state).toBe("running");
  fake.say("READY=1");
  expect(fake.state).toBe("ready");
  fake.say("X_UNREADY=its engine does not answer");
  expect([fake.state, fake.why]).toEqual(["unready", "its engine does not answer"]);
  fake.say("READY=1");
  expect(fake.state).toBe("ready");
});

test("what a killed client leaves is removed, and nothing is looked for when it has ended by itself", async () => {
  const fake = await running();
  fake.exit({ code: 3, signal: null });
  await settled();
  expect(fake.tidied).toBe(0);
  const killed = await running();
  killed.exit({ code: null, signal: "SIGKILL" });
  await settled();
  expect(killed.tidied).toBe(1);
});

test("a port that a former container holds is set free before a start, and is nobody else's", async () => {
  const own = containerSpec({ inside: 80 });
  const fake = new FakeLifecycle({ type: "container", own });
  fake.busy.add(request.port!);
  fake.left = [request.port!];
  fake.service.start(request);
  await settled();
  expect([fake.tidied, fake.state]).toEqual([1, "running"]);
});

test("one that was stopped, and whose port another program has taken since, is told its new port", async () => {
  const own = containerSpec({ inside: 80 });
  using played = new PlayedProject([{ name: "files", type: "container", own, port: undefined }]);
  const order = (): Order => JSON.parse(played.service("files").spec.env[orderVariable]!) as Order;
  const up = async (): Promise<void> => {
    const begun = played.up();
    await settled();
    played.service("files").be("ready");
    expect(await begun).toEqual({ kind: "ready" });
  };
  await up();
  const before = order().port;
  await played.project.stop(["files"]);
  // The same port: it is the same service.
  await up();
  expect(order().port).toBe(before!);
  await played.project.stop(["files"]);
  played.moved.set("shop:files", 29_000);
  await up();
  expect(order().port).toBe(29_000);
  expect(played.service("files").requests.at(-1)!.port).toBe(29_000);
});
