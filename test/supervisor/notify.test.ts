import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Notice, noticesIn } from "../../src/supervisor/service/notify.ts";
import { datagrams } from "../../src/system/datagrams.ts";
import { eventually } from "../support/eventually.ts";

const notices = (text: string) => noticesIn(Buffer.from(text));

const said: [string, Notice[]][] = [
  ["READY=1", [{ kind: "ready" }]],
  ["READY=1\n", [{ kind: "ready" }]],
  ["READY=0", []],
  ["STATUS=half way\nREADY=1", [{ kind: "status", text: "half way" }, { kind: "ready" }]],
  ["STATUS=", [{ kind: "status", text: "" }]],
  ["STATUS=a=b \x1b[31mred", [{ kind: "status", text: "a=b  [31mred" }]],
  ["RELOADING=1\nMONOTONIC_USEC=12", [{ kind: "reloading" }]],
  ["STOPPING=1", [{ kind: "stopping" }]],
  ["WATCHDOG=1", [{ kind: "watchdog" }]],
  ["WATCHDOG=trigger", [{ kind: "watchdog-trigger" }]],
  ["WATCHDOG_USEC=2500000", [{ kind: "watchdog-every", period: 2500 }]],
  ["EXTEND_TIMEOUT_USEC=10000000", [{ kind: "extend", by: 10_000 }]],
  ["MAINPID=4711", [{ kind: "main-pid", pid: 4711 }]],
  ["MAINPID=1\nMAINPID=-5\nMAINPID=x\nMAINPID=", []],
  ["EXTEND_TIMEOUT_USEC=-1\nEXTEND_TIMEOUT_USEC=99999999999999999999", []],
  ["FDSTORE=1\nBARRIER=1\nX_MINE=3", []],
  ["ready=1\n READY=1\nREADY", []],
  ["", []],
  ["\n\n\0", []],
  [`STATUS=${"x".repeat(5000)}`, []],
];

for (const [text, wanted] of said) {
  test(`what ${JSON.stringify(text.slice(0, 60))} says`, () => {
    expect(notices(text)).toEqual(wanted);
  });
}

test("a long status is cut, and bytes that are no text are replaced", () => {
  expect(notices(`STATUS=${"x".repeat(4000)}`)).toEqual([
    { kind: "status", text: "x".repeat(200) },
  ]);
  const bytes = Buffer.concat([Buffer.from("STATUS="), Buffer.from([0xff, 0x41])]);
  expect(noticesIn(bytes)).toEqual([{ kind: "status", text: "\u{fffd}A" }]);
});

const sender = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for text in sys.argv[1:]:
    s.sendto(text.encode(), os.environ["NOTIFY_SOCKET"])
`;

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "lh-"));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a socket hears each datagram by itself, in order, also a burst of them and an empty one", () =>
  withFolder(async (folder) => {
    const path = join(folder, "n");
    const heard: string[] = [];
    const socket = await datagrams(path, {
      platform: process.platform,
      hear: (bytes) => void heard.push(Buffer.from(bytes).toString()),
    });
    const texts = ["READY=1", "", ...Array.from({ length: 300 }, (_, at) => `STATUS=${at}`)];
    const python = Bun.spawn(["python3", "-c", sender, ...texts], {
      env: { PATH: process.env.PATH!, NOTIFY_SOCKET: path },
    });
    await python.exited;
    const wanted = texts.filter((text) => text !== "");
    await eventually("all are heard", () => heard.filter(Boolean).length === wanted.length);
    expect(heard.filter(Boolean)).toEqual(wanted);
    socket.close();
    socket.close();
    expect(readdirSync(folder)).toEqual([]);
  }));

test("a path that was left behind is taken over, and one that is too long is told", () =>
  withFolder(async (folder) => {
    const path = join(folder, "n");
    const options = { platform: process.platform, hear() {} };
    const first = await datagrams(path, options);
    const second = await datagrams(path, options);
    second.close();
    first.close();
    expect(datagrams(join(folder, "x".repeat(100)), options)).rejects.toThrow("longer than");
    expect(datagrams(join(folder, "none", "n"), options)).rejects.toThrow(
      "no socket can be created",
    );
  }));

test("a socket whose place is gone, or can be written no more, is closed all the same", () =>
  withFolder(async (folder) => {
    const inner = join(folder, "in");
    mkdirSync(inner);
    const options = { platform: process.platform, hear() {} };
    const socket = await datagrams(join(inner, "n"), options);
    rmSync(inner, { recursive: true });
    writeFileSync(inner, "");
    socket.close();
    expect(datagrams(join(inner, "n"), options)).rejects.toThrow(
      `no socket can be created in ${inner}: ENOTDIR`,
    );
  }));

test("two hundred sockets leave no descriptor behind", () =>
  withFolder(async (folder) => {
    const count = () => readdirSync("/proc/self/fd").length;
    const before = count();
    const options = { platform: process.platform, hear() {} };
    const all = await Promise.all(
      Array.from({ length: 200 }, (_, at) => datagrams(join(folder, String(at)), options)),
    );
    expect(count()).toBeGreaterThanOrEqual(before + 200);
    for (const socket of all) socket.close();
    await eventually("all are closed", () => count() <= before);
  }));
