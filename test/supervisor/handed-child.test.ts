/** A process whose terminal or pipes go from one owner to another, both in one process here. */
import { expect, test } from "bun:test";
import { closeSync, readFileSync } from "node:fs";
import { adopted } from "../../src/supervisor/family/adopted.ts";
import { procfsCensus } from "../../src/supervisor/family/census.ts";
import type { Ending } from "../../src/supervisor/family/ending.ts";
import { adoptChild } from "../../src/supervisor/service/adopted-child.ts";
import type { Halted } from "../../src/supervisor/service/child.ts";
import { systemClock } from "../../src/system/clock.ts";
import { duplicate, ownDescriptors } from "../../src/system/own-descriptors.ts";
import { terminalFlow } from "../../src/system/terminal-flow.ts";
import { eventually } from "../support/eventually.ts";
import { type Heard, kill, running } from "./children.ts";

const linux = process.platform === "linux";
const census = procfsCensus();

/** The same process with copies of its descriptors, as another daemon has it. */
function adoptedFrom(heard: Heard, { descriptors }: Halted) {
  const copies = Object.fromEntries(
    Object.entries(descriptors).map(([name, descriptor]) => [name, duplicate(descriptor)]),
  );
  const theirs = adopted({ clock: systemClock, glimpse: (pid) => census.glimpse(pid) });
  const { promise: exit, resolve } = Promise.withResolvers<Ending>();
  const its = { text: { stdout: "", stderr: "" }, exit, theirs };
  const { pid } = heard.child;
  const child = adoptChild(
    {
      process: { pid, birth: census.birthOf(pid)! },
      descriptors: copies,
      onOutput(stream, bytes) {
        its.text[stream] += Buffer.from(bytes).toString();
      },
      onExit: resolve,
    },
    {
      clock: systemClock,
      flow: terminalFlow(process.platform),
      adopted: theirs,
      same: (birth) => census.same(birth),
    },
  );
  heard.child.leave(({ code, signal }) => theirs.told(pid, { code, signal }));
  return { ...its, child, text: its.text };
}

/** Prints numbered lines as fast as it can, until it is told to end. */
const flood = "i=0; while ! read -t 0 x; do i=$((i+1)); echo line-$i; done; echo last-$i; exit 5";

function sleeps(pid: number): boolean {
  return / S /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
}

function numbersIn(text: string): number[] {
  return [...text.matchAll(/line-(\d+)/g)].map(([, number]) => Number(number));
}

for (const pty of [true, false]) {
  const means = pty ? "a terminal" : "pipes";
  const words = "echo begins; while read line; do echo got $line; [ $line = end ] && exit 7; done";

  test.if(linux)(`${means}: another owner hears and types, and is told the exit code`, async () => {
    const heard = running({ command: words, pty });
    await eventually("it begins", () => heard.text.stdout.includes("begins"));
    const halted = await heard.child.halt(ownDescriptors());
    const other = adoptedFrom(heard, halted!);
    other.child.input.write(Buffer.from("one\n"));
    await eventually("it is read", () => other.text.stdout.includes("got one"));
    expect(heard.text.stdout).not.toContain("one");
    other.child.input.write(Buffer.from("end\n"));
    expect(await other.exit).toEqual({ code: 7, signal: null });
    expect(other.text.stdout).toContain("got end");
    other.child.release();
    other.child.release();
  });

  test.if(linux)(
    `${means}: one that is halted and goes on loses nothing, its end included`,
    async () => {
      const heard = running({ command: words, pty });
      await eventually("it begins", () => heard.text.stdout.includes("begins"));
      for (const word of ["one", "two"]) {
        expect(await heard.child.halt(ownDescriptors())).toBeDefined();
        expect(await heard.child.halt(ownDescriptors())).toBeUndefined();
        heard.child.goOn();
        heard.child.goOn();
        heard.child.input.write(Buffer.from(`${word}\n`));
        await eventually("it is read", () => heard.text.stdout.includes(`got ${word}`));
      }
      await heard.child.halt(ownDescriptors());
      kill(heard.child.pid);
      await eventually("it is gone", () => census.glimpse(heard.child.pid) === undefined);
      heard.child.goOn();
      expect(await heard.exit).toEqual({ code: null, signal: "SIGKILL" });
      heard.child.release();
    },
  );

  test.if(linux)(
    `${means}: of a service that floods, no line is lost and none is heard twice`,
    async () => {
      const bash = { shell: ["/bin/bash", "-c"] };
      const heard = running({ command: flood, pty, ...bash });
      await eventually("it prints", () => heard.bytes > 10_000);
      heard.child.pause();
      // Bun reads on for a while, and has some of it in its hands once the kernel takes no more.
      let looks = 0;
      await eventually("it waits to write", () => {
        looks = sleeps(heard.child.pid) ? looks + 1 : 0;
        return looks > 5;
      });
      const halted = await heard.child.halt(ownDescriptors());
      const before = heard.text.stdout;
      const other = adoptedFrom(heard, halted!);
      await eventually("the other hears it", () => other.text.stdout.length > 10_000);
      expect(heard.text.stdout).toBe(before);
      other.child.input.write(Buffer.from("\n"));
      expect((await other.exit).code).toBe(5);
      const numbers = numbersIn(before + other.text.stdout);
      expect(numbers).toEqual(numbers.map((_, at) => at + 1));
      expect(other.text.stdout).toContain(`last-${numbers.length}`);
      other.child.release();
    },
  );
}

test.if(linux)(
  "a terminal has the size that its next owner gives it, and waits where that one pauses",
  async () => {
    const heard = running({ command: "echo begins; while read x; do stty size; done", pty: true });
    await eventually("it begins", () => heard.text.stdout.includes("begins"));
    const other = adoptedFrom(heard, (await heard.child.halt(ownDescriptors()))!);
    other.child.input.resize({ cols: 90, rows: 30 });
    other.child.input.write(Buffer.from("\n"));
    await eventually("it is that large", () => other.text.stdout.includes("30 90"));
    other.child.pause();
    other.child.input.write(Buffer.from("\n"));
    other.child.resume();
    await eventually("it goes on", () => other.text.stdout.split("30 90").length > 2);
    other.child.kill();
    expect((await other.exit).signal).toBe("SIGKILL");
    other.child.kill();
    other.child.release();
  },
);

test.if(linux)("an end whose parent tells nothing is still noticed", async () => {
  const heard = running({ command: "read x; exit 3", pty: false });
  const halted = await heard.child.halt(ownDescriptors());
  const other = adoptedFrom(heard, halted!);
  kill(heard.child.pid);
  // Whether Bun reaps it first is chance: then the code is told, and else read from the zombie.
  expect((await other.exit).signal).toBe("SIGKILL");
  other.child.release();
});

test.if(linux)("the descriptors of one that is left are closed here", async () => {
  const count = (): number => [...Array(200).keys()].filter((at) => isOpen(at)).length;
  const before = count();
  const heard = running({ command: "read x", pty: true });
  const halted = await heard.child.halt(ownDescriptors());
  expect(Object.keys(halted!.descriptors)).toEqual(["terminal"]);
  heard.child.leave(() => {});
  await eventually("all are closed", () => count() <= before);
  kill(heard.child.pid);
});

function isOpen(descriptor: number): boolean {
  try {
    closeSync(duplicate(descriptor));
    return true;
  } catch {
    // That number is free.
    return false;
  }
}
