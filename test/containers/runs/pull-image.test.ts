import { expect, test } from "bun:test";
import { findImage, pulledName, pullImage } from "../../../src/containers/runs/pull-image.ts";
import { PullProgress } from "../../../src/containers/runs/pull-progress.ts";
import { systemClock } from "../../../src/system/clock.ts";
import { answerOf, fakeEngine, head, type Script } from "../fake-engine.ts";

const clock = systemClock;

function line(value: object): string {
  return `${JSON.stringify(value)}\r\n`;
}

const lines = [
  line({ status: "Pulling from library/redis", id: "7" }),
  line({ status: "Downloading", id: "a", progressDetail: { current: 10, total: 100 } }),
  line({ status: "Downloading", id: "b", progressDetail: { current: 50, total: 100 } }),
  line({ status: "Extracting", id: "a", progressDetail: { current: 1, total: 2 } }),
  line({ status: "Download complete", id: "a" }),
].join("");

test("the progress of a pull is told, in whatever pieces it comes", () => {
  for (const size of [1, 7, 10_000]) {
    const progress = new PullProgress();
    for (let at = 0; at < lines.length; at += size) {
      progress.take(Buffer.from(lines.slice(at, at + size)));
    }
    expect(progress.text).toBe("75 % of 200 B");
    expect(progress.failure).toBeUndefined();
  }
});

test("lines that are too long, cut in half or no JSON are no progress", () => {
  const progress = new PullProgress();
  progress.take(Buffer.from(`{"status":"${"x".repeat(100_000)}`));
  progress.take(Buffer.from(`"}\nnull\n[]\n{"error"\n{"progressDetail":{"total":"much"}}\n`));
  expect([progress.text, progress.failure]).toEqual([undefined, undefined]);
  progress.take(Buffer.from('{"errorDetail":{"message":"no basic auth"}}'));
  progress.end();
  expect(progress.failure).toBe("no basic auth");
});

test("a name without a tag is its latest, so that not all of its tags are pulled", () => {
  expect(["redis", "a.test:5000/x", "redis:7", "a@sha256:12"].map(pulledName)).toEqual([
    "redis:latest",
    "a.test:5000/x:latest",
    "redis:7",
    "a@sha256:12",
  ]);
});

test("an image is pulled, or the engine says why it cannot be", async () => {
  const run = async (script: Script) => {
    using engine = fakeEngine({ "/images/create": script });
    const told: string[] = [];
    const outcome = await pullImage({
      ...{ socket: engine.path, image: "redis:7", clock, signal: new AbortController().signal },
      onProgress: (text) => void told.push(text),
    });
    return { outcome, told, asked: engine.asked };
  };
  expect(await run(answerOf(lines))).toEqual({
    outcome: { kind: "pulled" },
    told: ["pulling redis:7"],
    asked: ["POST /images/create?fromImage=redis%3A7"],
  });
  expect((await run(answerOf('{"error":"manifest unknown"}\n'))).outcome).toMatchObject({
    kind: "refused",
    why: "manifest unknown",
  });
  const breaks: Script = ({ write, end }) => {
    write(`${head}Content-Length: 900\r\n\r\n${line({ status: "x" })}`);
    end();
  };
  expect((await run(breaks)).outcome.kind).toBe("failed");
});

test("an image is there with or without a health check, or it is absent, or nobody knows", async () => {
  const find = async (text: string) => {
    using engine = fakeEngine({ "/images/a/b:1/json": answerOf(text) });
    const options = { socket: engine.path, clock, signal: new AbortController().signal };
    return await findImage(options, "a/b:1");
  };
  const image = (test?: string[]) =>
    JSON.stringify({ Id: "sha256:1", Config: { Healthcheck: { Test: test } } });
  expect(await find(image(["CMD", "x", "y"]))).toMatchObject({
    image: { id: "sha256:1", check: { words: ["x", "y"], interval: 30_000, retries: 3 } },
  });
  expect(await find(image(["CMD-SHELL", "x y"]))).toMatchObject({
    image: { check: { words: ["/bin/sh", "-c", "x y"] } },
  });
  for (const none of [["NONE"], [], undefined]) {
    expect(await find(image(none))).toEqual({
      kind: "image",
      image: { id: "sha256:1", check: undefined },
    });
  }
  expect((await find("{}")).kind).toBe("failed");
});
