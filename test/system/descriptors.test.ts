import { afterEach, expect, test } from "bun:test";
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  descriptorCalls,
  mostBytes,
  mostDescriptors,
  type Received,
} from "../../src/system/descriptors.ts";
import { eventually } from "../support/eventually.ts";

const calls = descriptorCalls(process.platform)!;
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

/** A socket of Bun's, and the one of ours that is connected with it. */
async function pair(): Promise<{ theirs: Bun.Socket; fd: number; ours: number }> {
  const directory = mkdtempSync(join(tmpdir(), "localhostess-descriptors-"));
  cleanups.push(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "socket");
  const accepted = Promise.withResolvers<Bun.Socket>();
  const listener = Bun.listen({
    unix: path,
    socket: { open: (socket) => accepted.resolve(socket as never), data() {} },
  });
  cleanups.push(() => listener.stop(true));
  const ours = calls.connect(path)!;
  cleanups.push(() => closeSync(ours));
  const theirs = await accepted.promise;
  return { theirs, fd: (theirs as unknown as { fd: number }).fd, ours };
}

async function next(socket: number): Promise<Exclude<Received, { kind: "nothing" }>> {
  let got: Received = { kind: "nothing" };
  await eventually("bytes", () => {
    got = calls.receive(socket);
    return got.kind !== "nothing";
  });
  return got as never;
}

async function bytesOf(socket: number): Promise<Extract<Received, { kind: "bytes" }>> {
  const got = await next(socket);
  if (got.kind !== "bytes") throw new Error(got.kind);
  for (const descriptor of got.descriptors) cleanups.push(() => closeSync(descriptor));
  return got;
}

const closeAll = (these: readonly number[]): void => {
  for (const its of these) closeSync(its);
};
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const openCount = (): number => readdirSync("/proc/self/fd").length;

test("a listening socket that was sent accepts connections when its sender has closed its own", async () => {
  const { fd, ours } = await pair();
  const first = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = first;
  const sent = (first as unknown as { fd: number }).fd;
  expect(calls.send(fd, Buffer.from("here\n"), [sent])).toBe(true);
  const got = await bytesOf(ours);
  expect(text(got.bytes)).toBe("here\n");
  const [descriptor] = got.descriptors;
  expect(descriptor).not.toBe(sent);
  first.stop(true);
  cleanups.pop();
  const second = Bun.listen({
    fd: descriptor!,
    socket: { open: (socket: Bun.Socket) => void socket.end("hello"), data() {} },
  } as never) as unknown as Bun.TCPSocketListener;
  cleanups.push(() => second.stop(true));
  const heard = Promise.withResolvers<string>();
  await Bun.connect({
    ...{ hostname: "127.0.0.1", port },
    socket: {
      data: (_, bytes) => heard.resolve(bytes.toString()),
      error: (_, e) => heard.reject(e),
    },
  });
  expect(await heard.promise).toBe("hello");
});

test("descriptors arrive with the first of their bytes, and messages do not run into each other", async () => {
  const { theirs, fd, ours } = await pair();
  const [one, two] = ["/dev/null", "/dev/zero"].map((path) => openSync(path, "r")) as [
    number,
    number,
  ];
  cleanups.push(() => closeAll([one, two]));
  theirs.write("before ");
  expect(calls.send(fd, Buffer.from("first "), [one])).toBe(true);
  expect(calls.send(fd, Buffer.from("second"), [two])).toBe(true);
  theirs.write(" after");
  const pieces: [string, number[]][] = [];
  await eventually("bytes", () => {
    const got = calls.receive(ours);
    if (got.kind === "bytes") pieces.push([text(got.bytes), got.descriptors]);
    return pieces.map(([its]) => its).join("") === "before first second after";
  });
  for (const [, its] of pieces) for (const one of its) cleanups.push(() => closeSync(one));
  // The kernel does not read past a message with descriptors, nor from one without into one with them on macOS.
  const carrying = pieces.filter(([, its]) => its.length > 0);
  expect(carrying.map(([its]) => its.includes("first") || its.includes("second"))).toEqual([
    true,
    true,
  ]);
  const same = (a: number, b: number) => fstatSync(a).rdev === fstatSync(b).rdev;
  expect(same(carrying[0]![1][0]!, one)).toBe(true);
  expect(same(carrying[1]![1][0]!, two)).toBe(true);
});

test("as many as a message may have arrive in their order, and no other program inherits them", async () => {
  const { fd, ours } = await pair();
  const many = Array.from({ length: mostDescriptors }, () => openSync("/dev/null", "r"));
  cleanups.push(() => closeAll(many));
  expect(calls.send(fd, new Uint8Array(mostBytes).fill(120), many)).toBe(true);
  const got = await bytesOf(ours);
  expect(got.bytes.length).toBe(mostBytes);
  expect(got.descriptors).toHaveLength(mostDescriptors);
  const flags = readFileSync(`/proc/self/fdinfo/${got.descriptors[0]}`, "utf8");
  expect(Number.parseInt(/flags:\s*(\d+)/.exec(flags)![1]!, 8) & 0o2000000).toBe(0o2000000);
});

test("both ends see that the other is gone, and a message that nobody can take is not sent", async () => {
  const { theirs, fd, ours } = await pair();
  expect(calls.receive(ours).kind).toBe("nothing");
  const chunk = new Uint8Array(mostBytes);
  let count = 0;
  while (calls.send(fd, chunk, []) && count < 10_000) count += 1;
  expect(count).toBeLessThan(10_000);
  theirs.terminate();
  await eventually("the end", () => calls.receive(ours).kind === "ended");
  expect(calls.send(ours, Buffer.from("x"), [])).toBe(false);
});

test("where nobody listens there is no connection, and no descriptor is left", () => {
  const before = openCount();
  expect(calls.connect("/nowhere/socket")).toBeUndefined();
  expect(calls.connect(`/${"x".repeat(200)}`)).toBeUndefined();
  expect(openCount()).toBe(before);
});

test("a process that may not have that many gets none, is told so, and the sender keeps its own", async () => {
  const { fd, ours } = await pair();
  const sent = openSync("/dev/null", "r");
  cleanups.push(() => closeSync(sent));
  expect(
    calls.send(
      fd,
      Buffer.from("many\n"),
      Array.from({ length: 20 }, () => sent),
    ),
  ).toBe(true);
  const script = `
    const { descriptorCalls } = await import(${JSON.stringify(`${import.meta.dir}/../../src/system/descriptors.ts`)});
    const { openSync, readdirSync, closeSync } = await import("node:fs");
    const calls = descriptorCalls(process.platform);
    const open = [];
    try { for (;;) open.push(openSync("/dev/null", "r")); } catch {}
    for (const one of open.splice(0, 5)) closeSync(one);
    const { kind } = calls.receive(3);
    for (const one of open) closeSync(one);
    const again = Array.from({ length: 5 }, () => openSync("/dev/null", "r"));
    console.log(kind, again.length);
  `;
  const child = Bun.spawn(
    ["sh", "-c", 'ulimit -n 200; exec "$0" -e "$1"', process.execPath, script],
    {
      stdio: ["ignore", "pipe", "inherit", ours],
    },
  );
  expect((await new Response(child.stdout).text()).trim()).toBe("short 5");
  fstatSync(sent);
});
