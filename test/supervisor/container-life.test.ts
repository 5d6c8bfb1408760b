import { expect, test } from "bun:test";
import { containerSpec } from "../containers/runs/made-plan.ts";
import { FakeLifecycle, request, settled } from "./fake-lifecycle.ts";

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
