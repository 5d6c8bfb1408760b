/** What a process has written to a descriptor that it was given. */
import { closeSync } from "node:fs";
import { describe, expect, test } from "bun:test";
import { spoken } from "../../src/system/spoken.ts";

async function said(
  script: string,
  { platform, most = 1000 }: { platform: string; most?: number },
) {
  const its = spoken({ platform, most });
  const child = Bun.spawn(["sh", "-c", script], {
    env: { PATH: process.env.PATH },
    stdio: ["ignore", "ignore", "inherit", its.descriptor as unknown as "ignore"],
  });
  await child.exited;
  const text = await its.text();
  expect(() => closeSync(its.descriptor)).toThrow();
  return text;
}

for (const platform of ["linux", "darwin"]) {
  describe.skipIf(platform === "linux" && process.platform !== "linux")(platform, () => {
    test("all that it has written, in order", async () => {
      expect(await said("echo one >&3; echo two >&3", { platform })).toBe("one\ntwo\n");
      expect(await said("exit 1", { platform })).toBe("");
    });

    test("nothing where it is too much", async () => {
      expect(await said("seq 1 100000 >&3", { platform })).toBeUndefined();
    });
  });
}

test.skipIf(process.platform !== "linux")("by the descriptor's path, again and again", async () => {
  const script = "echo one > /dev/fd/3; echo two > /dev/fd/3";
  expect(await said(script, { platform: "linux" })).toBe("one\ntwo\n");
});

test.skipIf(process.platform !== "linux")(
  "a process that it has left with the descriptor is not waited for",
  async () => {
    const its = spoken({ platform: "linux", most: 1000 });
    const child = Bun.spawn(["sh", "-c", "echo one >&3; exec sleep 1000"], {
      stdio: ["ignore", "ignore", "inherit", its.descriptor as unknown as "ignore"],
    });
    try {
      expect(await its.text()).toBe("one\n");
    } finally {
      child.kill("SIGKILL");
      await child.exited;
    }
  },
);
