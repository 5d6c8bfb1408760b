import { expect, test } from "bun:test";
import { parseLsof } from "../../src/discovery/parse-lsof.ts";

const recorded = await Bun.file(`${import.meta.dir}/fixtures/macos-lsof.txt`).text();

test("macOS, from text in the form that its lsof prints", () => {
  const found = new Map(parseLsof(recorded).map((process) => [process.pid, process]));
  expect([...found.keys()]).toEqual([412, 631, 2210, 2301, 2302, 2440, 88]);
  expect(found.get(412)).toEqual({ pid: 412, uid: 501, cwd: "/", sockets: [] });
  expect(found.get(631)?.sockets).toEqual([
    { address: "0.0.0.0", port: 7000 },
    { address: "::", port: 7000 },
    { address: "0.0.0.0", port: 5000 },
    { address: "::", port: 5000 },
  ]);
  expect(found.get(2210)).toEqual({
    pid: 2210,
    uid: 501,
    cwd: "/Users/ada/My Shop/web",
    sockets: [{ address: "::1", port: 5173 }],
  });
  expect(found.get(2301)).toMatchObject({
    cwd: "/Users/ada/café/api",
    sockets: [
      { address: "::", port: 3000 },
      { address: "127.0.0.1", port: 9229 },
    ],
  });
  expect(found.get(2440)).toMatchObject({
    cwd: "/Users/ada/tab\there",
    sockets: [
      { address: "fe80:1::aede:48ff:fe00:1122", port: 8080 },
      { address: "192.168.1.7", port: 8080 },
    ],
  });
  expect(found.get(88)).toMatchObject({ uid: 0, cwd: undefined });
});

test("nothing printed is no process", () => {
  expect(parseLsof("")).toEqual([]);
});

test("a directory that cannot be read is unknown", () => {
  const text = "p7\nu0\nfcwd\ntunknown\nn/proc/7/cwd (readlink: Permission denied)\n";
  expect(parseLsof(text)).toEqual([{ pid: 7, uid: 0, cwd: undefined, sockets: [] }]);
});

test("lines that were not asked for are passed over", () => {
  const text = "p7\ncnode\nR1\nu0\nLroot\nf3\nau\nl \ntIPv4\nPTCP\nn*:80\nTST=LISTEN\nTQR=0\n";
  expect(parseLsof(text)).toEqual([
    { pid: 7, uid: 0, cwd: undefined, sockets: [{ address: "0.0.0.0", port: 80 }] },
  ]);
});

test("a backslash in a path is one", () => {
  expect(parseLsof("p7\nu0\nfcwd\ntDIR\nn/a\\\\x41\\\\n\n")[0]?.cwd).toBe("/a\\x41\\n");
});

test("text cut off anywhere never fails", () => {
  for (let end = 0; end < recorded.length; end++) parseLsof(recorded.slice(0, end));
});
