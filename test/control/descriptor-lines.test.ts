/** Questions to a daemon that answers in time, in pieces, too late, too little, or not at all. */
import { afterEach, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DescriptorLines } from "../../src/control/found/descriptor-lines.ts";
import { descriptorCalls } from "../../src/system/descriptors.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { turn } from "../support/turn.ts";

const calls = descriptorCalls(process.platform)!;
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

type Their = { socket: Bun.Socket; fd: number; heard(): string };

async function connected(): Promise<{ lines: DescriptorLines; clock: FakeClock; their: Their }> {
  const directory = mkdtempSync(join(tmpdir(), "localhostess-lines-"));
  cleanups.push(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "socket");
  const accepted = Promise.withResolvers<Bun.Socket>();
  let heard = "";
  const listener = Bun.listen({
    unix: path,
    socket: {
      open: (socket) => accepted.resolve(socket as never),
      data(_, bytes) {
        heard += bytes.toString();
      },
    },
  });
  cleanups.push(() => listener.stop(true));
  const clock = new FakeClock();
  const lines = new DescriptorLines(calls.connect(path)!, { calls, clock });
  cleanups.push(() => lines.close());
  const socket = await accepted.promise;
  const { fd } = socket as unknown as { fd: number };
  return { lines, clock, their: { socket, fd, heard: () => heard } };
}

/** Moves the clock a little at a time until it is answered. */
async function settled<T>(asked: Promise<T>, clock: FakeClock): Promise<T> {
  let isOver = false;
  void asked.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    await turn();
    clock.advance(1);
  }
  return await asked;
}

const opened = (): number => {
  const descriptor = openSync("/dev/null", "r");
  cleanups.push(() => closeSync(descriptor));
  return descriptor;
};
/** Descriptors of this process that lead to /dev/null. */
const count = (): number =>
  readdirSync("/proc/self/fd").filter((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`) === "/dev/null";
    } catch {
      // The descriptor by which the directory was read, which is closed again.
      return false;
    }
  }).length;

test("an answer in pieces, of any size, is one answer, with the descriptors that came beside it", async () => {
  const { lines, clock, their } = await connected();
  const asked = lines.ask({ take: "sockets" }, 2_000);
  while (their.heard() === "") await turn();
  expect(their.heard()).toBe('{"take":"sockets"}\n');
  const text = "x".repeat(300_000);
  expect(calls.send(their.fd, Buffer.from('{"descriptors":1,'), [opened()])).toBe(true);
  const rest = Buffer.from(`"text":"${text}"}\n`);
  for (let at = 0; at < rest.length;) {
    at += Math.max(0, their.socket.write(rest.subarray(at)));
    await turn();
    clock.advance(1);
  }
  const answer = (await settled(asked, clock))!;
  expect((answer.value as { text: string }).text).toBe(text);
  expect(answer.descriptors).toHaveLength(1);
  for (const one of answer.descriptors) closeSync(one);
  expect(lines.isOpen()).toBe(true);
  expect(clock.waiting).toBe(0);
});

test.each<[what: string, answer: string, sent: number, why: string]>([
  ["fewer descriptors than it says", '{"descriptors":2}\n', 1, "not all descriptors have come"],
  ["more descriptors than it says", "{}\n", 1, "not all descriptors have come"],
  ["no JSON", "hello\n", 0, "not understood"],
])(
  "an answer with %s ends the conversation, and leaves nothing open",
  async (_what, answer, sent, why) => {
    const { lines, clock, their } = await connected();
    const mine = Array.from({ length: sent }, opened);
    const before = count();
    const asked = lines.ask({}, 2_000);
    calls.send(their.fd, Buffer.from(answer), mine);
    expect(await settled(asked, clock)).toBeUndefined();
    expect(lines.why).toContain(why);
    expect(count()).toBe(before);
    expect(await lines.ask({}, 2_000)).toBeUndefined();
  },
);

test("nothing in time, half an answer, or the end of the other: there is no answer", async () => {
  const silent = await connected();
  expect(await settled(silent.lines.ask({}, 50), silent.clock)).toBeUndefined();
  expect(silent.lines.why).toContain("50 ms");
  const half = await connected();
  half.their.socket.write('{"half":');
  expect(await settled(half.lines.ask({}, 50), half.clock)).toBeUndefined();
  const gone = await connected();
  gone.their.socket.end('{"half":');
  expect(await settled(gone.lines.ask({}, 5_000), gone.clock)).toBeUndefined();
  expect(gone.lines.why).toContain("closed");
  expect(gone.lines.isOpen()).toBe(false);
});

test("the connection can be had for oneself, and is not closed then", async () => {
  const { lines } = await connected();
  const { descriptor } = lines.release()!;
  lines.close();
  expect(calls.receive(descriptor).kind).toBe("nothing");
  closeSync(descriptor);
  expect(lines.release()).toBeUndefined();
});
