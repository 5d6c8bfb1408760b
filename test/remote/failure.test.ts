import { describe, expect, test } from "bun:test";
import { type Ending, failureOf, silence, withoutSsh } from "../../src/remote/failure.ts";

const ending = (errors: string, its: Partial<Ending> = {}): Ending => ({
  name: "box",
  host: "me@box",
  code: 255,
  errors,
  heard: false,
  ...its,
});

/** What OpenSSH 9.2 says, and what that means for the next attempt. */
const said: [errors: string, event: string, why: string][] = [
  ["Host key verification failed.\r\n", "denied", "its host key is not known here"],
  [
    "No ED25519 host key is known for box and you have requested strict checking.\r\nHost key verification failed.\r\n",
    "denied",
    "its host key is not known here",
  ],
  [
    "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\nHost key verification failed.\r\n",
    "denied",
    "may be another machine",
  ],
  ["me@box: Permission denied (publickey).\r\n", "denied", "does not let us in"],
  [
    "Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures\r\n",
    "denied",
    "too many keys",
  ],
  [
    "/home/me/.ssh/config: line 3: Bad configuration option: usekeychain\r\n",
    "denied",
    "cannot read its configuration",
  ],
  ["Bad owner or permissions on /home/me/.ssh/config\r\n", "denied", "configuration"],
  [
    "ssh: Could not resolve hostname box: Name or service not known\r\n",
    "lost",
    "not known on this network",
  ],
  ["ssh: connect to host box port 22: Connection refused\r\n", "lost", "nothing takes ssh"],
  ["ssh: connect to host box port 22: Connection timed out\r\n", "silent", "may be asleep"],
  ["ssh: connect to host box port 22: Operation timed out\r\n", "silent", "may be asleep"],
  ["ssh: connect to host box port 22: No route to host\r\n", "silent", "may be asleep"],
  ["Connection timed out during banner exchange\r\n", "silent", "may be asleep"],
  ["Timeout, server box not responding.\r\n", "silent", "may be asleep"],
  ["Connection closed by 10.0.0.1 port 22\r\n", "lost", "did not come about"],
  ["", "lost", "did not come about"],
];

describe("how ssh ends", () => {
  for (const [errors, event, why] of said) {
    test(`${JSON.stringify(errors.slice(0, 60))} is ${event}`, () => {
      const failure = failureOf(ending(errors));
      expect(failure.event).toBe(event as never);
      expect(failure.why).toContain(why);
      expect(failure.why).not.toContain("ssh: ssh:");
    });
  }

  test("a refusal names the command to run once, and the one that tries again", () => {
    expect(failureOf(ending("Host key verification failed.")).fix).toBe(
      "run once, and compare the key it shows: ssh me@box, then: localhostess remote retry box",
    );
    expect(failureOf(ending("me@box: Permission denied (publickey).")).fix).toContain("ssh-add");
  });

  test("a command there that ends before it has spoken is a machine without sh", () => {
    const { event, why, fix } = failureOf(ending("bash: sh: command not found", { code: 127 }));
    expect([event, why]).toEqual([
      "denied",
      "it let us in, and runs no sh: the command there ended with 127 (ssh: bash: sh: command not found)",
    ]);
    expect(fix).toContain("ssh me@box");
  });

  test("a session that has spoken was let in: words of a program there refuse nothing", () => {
    const errors =
      "find: /root: Permission denied\r\nclient_loop: send disconnect: Broken pipe\r\n";
    expect(failureOf(ending(errors, { heard: true })).event).toBe("lost");
  });

  test("its words are shown on one line, cut, and without control characters", () => {
    const { why } = failureOf(ending(`\x1b[2J${"x".repeat(5_000)}\n`));
    expect(why).not.toContain("\x1b");
    expect(why.length).toBeLessThan(400);
  });
});

test("without ssh nothing is tried again by itself", () => {
  const missing = withoutSsh("box", Object.assign(new Error("x"), { code: "ENOENT" }));
  expect([missing.event, missing.fix]).toEqual([
    "denied",
    "install OpenSSH's client, then: localhostess remote retry box",
  ]);
  expect(withoutSsh("box", Object.assign(new Error("x"), { code: "EAGAIN" })).event).toBe("lost");
});

test("silence says for how long", () => {
  expect(silence(4, { heard: true }).why).toBe(
    "nothing comes back from it any more (4 s): it may be asleep, off, or out of reach",
  );
});
