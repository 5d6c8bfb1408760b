import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { containerClaims } from "../../src/containers/container-claims.ts";
import { containerProcess, readHostContainer } from "../../src/containers/container-process.ts";
import { procfsSource } from "../../src/discovery/procfs.ts";
import { madeContainer } from "./made-container.ts";

const id = "4f2a".repeat(16);

function inspected(more: object): string {
  return JSON.stringify({
    Id: id,
    State: { Pid: 17 },
    HostConfig: { NetworkMode: "host" },
    ...more,
  });
}

test("only a container on the host's network, with a pid, is one that we look for", () => {
  expect(readHostContainer(inspected({}))).toEqual({ id, pid: 17 });
  const others = [{ State: { Pid: 0 } }, { State: {} }, { State: { Pid: "17" } }, { Id: 7 }];
  const modes = ["bridge", "none", "", undefined].map((NetworkMode) => ({
    HostConfig: { NetworkMode },
  }));
  for (const more of [...others, ...modes])
    expect(readHostContainer(inspected(more))).toBeUndefined();
  for (const text of ["", "{", "null", "[]", "7"]) expect(readHostContainer(text)).toBeUndefined();
});

test.if(process.platform === "linux")(
  "a pid is the container's where its control group has the id: an engine in a machine counts otherwise",
  async () => {
    const root = mkdtempSync(join(tmpdir(), "engine-proc-"));
    const own = process.pid;
    mkdirSync(join(root, `${own}`));
    writeFileSync(join(root, "stat"), "cpu 1\nbtime 1700000000\n");
    const as = (groups: string) => {
      writeFileSync(join(root, `${own}/cgroup`), groups);
      return containerProcess({ id, pid: own }, { root });
    };
    expect(await as("0::/user.slice/session-1.scope\n")).toBeUndefined();
    expect(await as(`0::/system.slice/docker-${"0".repeat(64)}.scope\n`)).toBeUndefined();
    expect(await as(`0::/system.slice/docker-${id}.scope\n`)).toMatchObject({ pid: own });
    expect(await as(`12:pids:/libpod_parent/libpod-${id}\n`)).toMatchObject({ pid: own });
    expect(await containerProcess({ id, pid: 4_000_000 }, { root })).toBeUndefined();
    rmSync(root, { recursive: true });
  },
);

test.if(process.platform === "linux")("its start is what a scan says of the process", async () => {
  const root = mkdtempSync(join(tmpdir(), "engine-proc-"));
  mkdirSync(join(root, `${process.pid}`));
  writeFileSync(join(root, `${process.pid}/cgroup`), `0::/${id}\n`);
  await Bun.write(join(root, "stat"), await Bun.file("/proc/stat").text());
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { processes } = await procfsSource({ uid: process.getuid!(), allUsers: false }).scan();
  server.stop(true);
  const its = await containerProcess({ id, pid: process.pid }, { root });
  expect(its?.startedAt).toBe(processes.get(process.pid)!.startedAt);
  rmSync(root, { recursive: true });
});

test("its claim is for the process, whatever port that takes", () => {
  const its = { pid: 17, startedAt: 1000 };
  const container = madeContainer({ ports: [], hostNetwork: true, process: its });
  expect(containerClaims([{ owner: 0, containers: [container] }])).toMatchObject([
    {
      name: "box",
      because: "name of container box, on this machine's network",
      place: { kind: "process", process: its },
      owners: undefined,
    },
  ]);
});
