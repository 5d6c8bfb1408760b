import { expect, test } from "bun:test";
import { Pausable } from "../../src/daemon/pausable.ts";

function scene() {
  const did: string[] = [];
  const reclaims: (() => void)[] = [];
  const its = new Pausable({
    watch() {
      did.push("watch");
      return () => void did.push("cancel");
    },
    reclaim(successor) {
      did.push(`reclaim from ${successor}`);
      return new Promise((resolve) => void reclaims.push(resolve));
    },
  });
  its.begin();
  return { its, did, reclaims };
}

test("a daemon that does not take over leaves the record to us, which is watched again", async () => {
  const { its, did, reclaims } = scene();
  its.pause();
  const resumed = its.resume("b");
  reclaims[0]!();
  await resumed;
  expect(did).toEqual(["watch", "cancel", "reclaim from b", "watch"]);
});

test("one that begins while the record is made ours again finds nobody who watches", async () => {
  const { its, did, reclaims } = scene();
  its.pause();
  const first = its.resume("b");
  its.pause();
  reclaims[0]!();
  await first;
  expect(did).toEqual(["watch", "cancel", "reclaim from b"]);
  const second = its.resume("c");
  reclaims[1]!();
  await second;
  expect(did.slice(3)).toEqual(["reclaim from c", "watch"]);
});

test("at the end nothing watches, also where that comes in between; one watch is ended once", async () => {
  const { its, did, reclaims } = scene();
  const resumed = its.resume("b");
  its.pause();
  its.pause();
  reclaims[0]!();
  await resumed;
  expect(did).toEqual(["watch", "cancel", "reclaim from b"]);
});
