import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { ownEnvironment } from "../../src/system/own-environment.ts";
import { type Running, running } from "../support/running.ts";
import { isMemoryReadable } from "../support/titled-servers.ts";
import { describeWith } from "../support/with-programs.ts";

const names = ["LOCALHOSTESS_NAME", "NAME"];
const isPossible = process.platform === "linux" && isMemoryReadable();

describeWith(isPossible ? ["perl"] : [])("a program that has written over its environment", () => {
  let perl: Running;

  beforeAll(async () => {
    const script = '$| = 1; $0 = "title"; print "ready\\n"; sleep 600';
    const env = { NAME: "api", USERNAME: "me", LOCALHOSTESS_NAME: "x".repeat(600) };
    perl = await running(["perl", "-e", script], { env, ready: /ready/ });
  });
  afterAll(() => perl?.end());

  test.skipIf(!isPossible)(
    "still has the variables that are asked for, and no other is told",
    () => {
      expect(readFileSync(`/proc/${perl.pid}/environ`, "latin1")).not.toContain("NAME");
      // A value that is longer than any name is left out.
      expect(ownEnvironment(perl.pid, { names })?.toString()).toBe("NAME=api\0");
      expect(ownEnvironment(perl.pid, { names: ["NONE"] })?.toString()).toBe("");
    },
  );
});

test.skipIf(process.platform !== "linux")(
  "this very process has its own, and one that has ended has none",
  () => {
    expect(ownEnvironment(process.pid, { names: ["PATH"] })?.toString() ?? "").toContain("PATH=");
    expect(ownEnvironment(2 ** 22 + 1, { names })).toBeUndefined();
  },
);
