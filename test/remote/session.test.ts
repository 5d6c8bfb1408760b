import { expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSession } from "../../src/remote/session.ts";

/** `body`: sh, in the place of ssh. @returns its lines, and how it ended. */
async function played(body: string, env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "localhostess-session-"));
  try {
    writeFileSync(join(folder, "ssh"), `#!/bin/sh\n${body}\n`);
    chmodSync(join(folder, "ssh"), 0o755);
    const lines: string[] = [];
    const ended = Promise.withResolvers<{ code: number | undefined; errors: string }>();
    const pids = new Set<number>();
    const session = openSession({
      host: "box",
      control: join(folder, "box.ssh"),
      isOld: false,
      pids,
      env: { PATH: `${folder}:/usr/bin:/bin`, ...env },
      onLine: (text) => lines.push(text),
      onError() {},
      onFlood() {},
      onEnd: ended.resolve,
    });
    const awaited = [...pids];
    session.say("hello\n");
    const how = await ended.promise;
    return { lines, ended: how, awaited, left: pids.size, pid: session.pid };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("ssh has the agent and the rest of the environment, and asks in no window", async () => {
  const { lines } = await played('echo "$SSH_AUTH_SOCK $SSH_ASKPASS_REQUIRE $SSH_ASKPASS."', {
    SSH_AUTH_SOCK: "/run/agent",
    SSH_ASKPASS_REQUIRE: "force",
    SSH_ASKPASS: "/usr/bin/ask",
  });
  expect(lines).toEqual(["/run/agent never ."]);
});

test("ssh has no terminal, and stands in no folder of the person's", async () => {
  const { lines } = await played("pwd; (: </dev/tty) 2>/dev/null && echo terminal; echo done");
  expect(lines).toEqual(["/", "done"]);
});

test("lines come whole, whatever pieces they are sent in, and the end comes last with its reason", async () => {
  const { lines, ended } = await played(
    "read -r said; printf 'a'; sleep 0.02; printf \"b $said\\nc\\n\\nd\"; echo reason >&2; exit 7",
  );
  expect(lines).toEqual(["ab hello", "c", ""]);
  expect(ended).toEqual({ code: 7, errors: "reason\n" });
});

test("a signal is no exit code", async () => {
  expect((await played("kill -9 $$")).ended.code).toBeUndefined();
});

test("whoever reaps children is told which one is awaited here, for as long as that is so", async () => {
  const { awaited, left, pid } = await played("exit 0");
  expect([awaited, left]).toEqual([[pid], 0]);
});
