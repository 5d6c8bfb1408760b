/** What real processes do with a signal, which of them are shells, and who writes to whom. */
import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { namedTraits, procfsTraits, signalFor } from "../../src/supervisor/family/traits.ts";
import { parseProcStatus } from "../../src/system/proc-status.ts";
import { eventually } from "../support/eventually.ts";
import { kill, running } from "./children.ts";

const folder = mkdtempSync(join(tmpdir(), "localhostess-traits-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const programOf = (pid: number): string => readFileSync(`/proc/${pid}/comm`, "latin1").trim();

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim();
  return text === "" ? [] : text.split(" ").map(Number);
}

describe.skipIf(process.platform !== "linux")("on Linux", () => {
  const traits = procfsTraits();

  const kinds: [name: string, command: string, trait: object][] = [
    ["a program without a handler", "exec sleep 1000", { answer: "dies", shell: false }],
    [
      "a program with a handler",
      `exec python3 -c 'import signal, time; signal.signal(15, print); print("up", flush=True); time.sleep(1000)'`,
      { answer: "catches", shell: false },
    ],
    [
      "one that ignores the signal",
      "trap '' TERM; exec sleep 1000",
      { answer: "ignores", shell: false },
    ],
    ["a shell", "while :; do sleep 1000; done", { answer: "dies", shell: true }],
    [
      "a shell with a trap",
      "trap : TERM; while :; do sleep 1000; done",
      { answer: "catches", shell: true },
    ],
    [
      "a script, whose short name is its own",
      `exec ${join(folder, "my server")}`,
      { answer: "catches", shell: true },
    ],
  ];
  const script = join(folder, "my server");
  writeFileSync(script, "#!/bin/bash\ntrap : TERM\nwhile :; do sleep 1000; done\n");
  chmodSync(script, 0o700);

  for (const [name, command, trait] of kinds) {
    test(name, async () => {
      const heard = running({ command: command.replace("my server", "my\\ server") });
      const { pid } = heard.child;
      try {
        await eventually("it is so", () =>
          Bun.deepEquals(traits.of({ pid, program: programOf(pid) }, "SIGTERM"), trait),
        );
      } finally {
        kill(pid);
        await heard.exit;
      }
    });
  }

  test("in a pipeline, who writes to whom", async () => {
    const heard = running({ command: "sleep 1000 | cat | cat; :" });
    const { pid } = heard.child;
    try {
      await eventually("all are there", () => {
        const names = childrenOf(pid).map(programOf);
        return String(names) === "sleep,cat,cat";
      });
      const [first, second, third] = childrenOf(pid) as [number, number, number];
      await eventually("the shell has let go of the pipes", () => {
        const found = traits.writers([pid, first, second, third]);
        return Bun.deepEquals(
          found,
          new Map([
            [second, [first]],
            [third, [second]],
          ]),
        );
      });
    } finally {
      kill(pid);
      await heard.exit;
    }
  });

  test("of a process that is gone nothing is known, and nobody waits for it to settle", () => {
    const gone = { pid: 2 ** 30, program: "gone" };
    expect(traits.of(gone, "SIGTERM")).toEqual({ answer: "unknown", shell: false });
    expect(traits.isSettled(gone.pid, "SIGTERM")).toBe(true);
    expect(traits.writers([gone.pid])).toEqual(new Map());
  });
});

test("a shell is ended by another signal where its own is one that nobody dies of", () => {
  const plain = { shell: true, answer: "ignores" } as const;
  expect(signalFor("SIGWINCH", plain)).toBe("SIGTERM");
  expect(signalFor("SIGWINCH", { shell: true, answer: "catches" })).toBe("SIGWINCH");
  expect(signalFor("SIGWINCH", { ...plain, shell: false })).toBe("SIGWINCH");
  expect(signalFor("SIGINT", plain)).toBe("SIGINT");
});

test("where the system tells nothing of handlers, shells are known by their names", () => {
  const traits = namedTraits();
  expect(traits.of({ pid: 5, program: "zsh" }, "SIGTERM")).toEqual({
    answer: "unknown",
    shell: true,
  });
  expect(traits.of({ pid: 5, program: "node" }, "SIGTERM").shell).toBe(false);
});

test("the status of a process is read, and text of another kind is nothing", () => {
  const status = (state: string, pending: string) =>
    `Name:\tx\nState:\t${state}\nSigPnd:\t0000000000000000\nShdPnd:\t${pending}\nSigIgn:\t0000000000001000\nSigCgt:\t0000000180004002\n`;
  expect(parseProcStatus(status("S (sleeping)", "0000000000004000"))).toEqual({
    asleep: true,
    pending: 1n << 14n,
    ignored: 1n << 12n,
    caught: 0x180004002n,
  });
  expect(parseProcStatus(status("T (stopped)", "0000000000000000"))?.asleep).toBe(false);
  expect(parseProcStatus("")).toBeUndefined();
  expect(parseProcStatus("State:\tS\nSigCgt:\tzz\n")).toBeUndefined();
});
