/** Volumes and networks of ours: found by their label in the engines that we have used, and removed. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noteEngine } from "../../../src/containers/runs/engine-notes.ts";
import { ownVolumes, removeVolume } from "../../../src/containers/runs/own-volumes.ts";
import { systemClock as clock } from "../../../src/system/clock.ts";
import { answerOf, type FakeEngine, fakeEngine, type Script } from "../fake-engine.ts";

let notes: string;
beforeEach(() => {
  notes = mkdtempSync(join(tmpdir(), "localhostess-notes-"));
});
afterEach(() => rmSync(notes, { recursive: true }));

const look = () => ownVolumes({ notes, owner: "0123456789abcdef", clock });

function refusal(status: string): Script {
  const text = '{"message":"volume is in use"}';
  return ({ write, end }) => {
    write(
      `HTTP/1.1 ${status}\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`,
    );
    end();
  };
}

async function noted(scripts: Record<string, Script>): Promise<FakeEngine> {
  const engine = fakeEngine(scripts);
  await noteEngine(notes, engine.path);
  return engine;
}

test("both are asked for by the owner's label, of engines that answer", async () => {
  using engine = await noted({
    "/volumes": answerOf('{"Volumes":[{"Name":"shop-data"},{"Nameless":1}],"Warnings":null}'),
    "/networks": answerOf('[{"Name":"shop-net"}]'),
  });
  using ill = await noted({ "/volumes": answerOf("nonsense"), "/networks": refusal("500 X") });
  await noteEngine(notes, join(notes, "gone.sock"));
  expect(await look()).toEqual([
    { socket: engine.path, kind: "volumes", name: "shop-data" },
    { socket: engine.path, kind: "networks", name: "shop-net" },
  ]);
  const label = encodeURIComponent('{"label":["localhostess.owner=0123456789abcdef"]}');
  expect(engine.asked[0]).toBe(`GET /volumes?filters=${label}`);
  expect(ill.asked).toHaveLength(2);
});

test("each is removed by its name; one that is gone is no error, and one in use is told", async () => {
  using engine = await noted({
    "/volumes/a%2Fb": answerOf(""),
    "/volumes/gone": refusal("404 Not Found"),
    "/volumes/used": refusal("409 Conflict"),
  });
  const { path: socket } = engine;
  await removeVolume({ socket, kind: "volumes", name: "a/b" }, clock);
  await removeVolume({ socket, kind: "volumes", name: "gone" }, clock);
  expect(engine.asked).toEqual(["DELETE /volumes/a%2Fb", "DELETE /volumes/gone"]);
  expect(removeVolume({ socket, kind: "volumes", name: "used" }, clock)).rejects.toThrow(
    `used could not be removed from the engine at ${socket}: `,
  );
});
