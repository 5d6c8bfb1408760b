/** The program that a service with a build is: it builds, says so, and becomes the service. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Order, orderVariable, orderWord } from "../../src/manifest/order.ts";
import type { BuildpacksBuild, CommandBuild } from "../../src/manifest/types/build.ts";
import { datagrams } from "../../src/system/datagrams.ts";
import { type BuiltPlace, builtPlace, over } from "../support/built-order.ts";
import { eventually } from "../support/eventually.ts";

const main = resolve(import.meta.dir, "../../src/main.ts");

let its: BuiltPlace;
beforeEach(() => {
  its = builtPlace();
});
afterEach(() => its[Symbol.dispose]());

type Run = { child: Bun.Subprocess<"ignore", "pipe", "pipe">; told: string[]; close(): void };

async function started(
  build: Partial<CommandBuild> | BuildpacksBuild,
  changes: Partial<Order> = {},
): Promise<Run> {
  const told: string[] = [];
  const socket = join(its.directory, "../n");
  const heard = await datagrams(socket, {
    platform: process.platform,
    hear: (bytes) => void told.push(...Buffer.from(bytes).toString().split("\n")),
  });
  const child = Bun.spawn([process.execPath, main, orderWord], {
    cwd: "/",
    env: {
      ...{ PATH: process.env.PATH!, HOME: its.directory, MODE: "dev" },
      [orderVariable]: JSON.stringify(its.order(build, changes)),
      NOTIFY_SOCKET: socket,
    },
    ...{ stdin: "ignore", stdout: "pipe", stderr: "pipe", detached: true },
  });
  return { child, told, close: () => heard.close() };
}

/** Datagrams may be heard after the process has ended. */
async function ended({ child, told, close }: Run, last: string) {
  const [out, err, code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  await eventually(last, () => told.some((line) => line.startsWith(last)));
  close();
  return { out, err, code, told: told.filter((line) => !line.startsWith("EXTEND_")) };
}

test("it builds, and is then the command itself, in its workdir, with the service's environment", async () => {
  const command =
    "echo $$ $(pwd) $MODE ${NOTIFY_SOCKET:+heard} ${LOCALHOSTESS_ORDER:+order}; exit 7";
  const run = await started({ command: "echo made" }, { command });
  const { out, code, told } = await ended(run, "X_BUILT");
  expect(out).toBe(`made\n${run.child.pid} ${its.directory} dev heard\n`);
  expect(code).toBe(7);
  expect(told).toEqual(["STATUS=builds: echo made", "STATUS=", "X_BUILT=1"]);
});

test("a build that fails is why it cannot be started, and the command does not run", async () => {
  const run = await started({ command: "echo broken; exit 3" }, { command: "touch ran" });
  const { out, err, code, told } = await ended(run, "X_CANNOT");
  const why = "its build failed (exit code 3): echo broken; exit 3";
  expect({ out, err, code }).toEqual({ out: "broken\n", err: `${why}\n`, code: 69 });
  expect(told.at(-1)).toBe(`X_CANNOT=${why}`);
  expect(existsSync(join(its.directory, "ran"))).toBe(false);
});

test("an order to build only ends well without the command", async () => {
  const run = await started({ command: "touch made" }, { command: "touch ran", only: "build" });
  expect((await ended(run, "STATUS=builds")).code).toBe(0);
  expect(["made", "ran"].map((name) => existsSync(join(its.directory, name)))).toEqual([
    true,
    false,
  ]);
});

test("SIGTERM while it builds ends the build with all that it has started", async () => {
  const run = await started({ command: "sleep 1000 & echo $! > child; wait" });
  await eventually("its child runs", () => {
    return existsSync(join(its.directory, "child")) && its.read("child") !== "";
  });
  run.child.kill("SIGTERM");
  expect((await ended(run, "STATUS=builds")).code).toBe(128 + 15);
  await over(Number(its.read("child")));
});

test("a build that was ended before the signal came to its program is no build that failed", async () => {
  const run = await started({ command: "echo $$ > child; exec sleep 1000" });
  await eventually("its child runs", () => {
    return existsSync(join(its.directory, "child")) && its.read("child") !== "";
  });
  // As the supervisor does: what stands above goes on last.
  run.child.kill("SIGSTOP");
  process.kill(Number(its.read("child")), "SIGTERM");
  run.child.kill("SIGTERM");
  run.child.kill("SIGCONT");
  const { code, told } = await ended(run, "STATUS=builds");
  expect(code).toBe(128 + 15);
  expect(told.filter((line) => line.startsWith("X_CANNOT"))).toEqual([]);
});

const node = `layer="$1/hello"
mkdir -p "$layer/bin"
printf '#!/bin/sh\\necho "$1 from $(pwd) $GREETING"\\n' > "$layer/bin/hello"
chmod +x "$layer/bin/hello"
printf '[types]\\nlaunch = true\\n' > "$1/hello.toml"
mkdir -p "$layer/env.launch"
printf kind > "$layer/env.launch/GREETING.default"
echo "copies $(cat app.txt)"
printf '[[processes]]\\ntype = "web"\\ncommand = ["hello", "web"]\\ndefault = true\\n' > "$1/launch.toml"
printf '[[processes]]\\ntype = "other"\\ncommand = ["hello", "other"]\\n' >> "$1/launch.toml"`;

function byNode(more: Partial<BuildpacksBuild> = {}): BuildpacksBuild {
  its.write("app.txt", "one");
  const buildpacks = [its.buildpack("node", node)];
  return { kind: "buildpacks", buildpacks, context: its.directory, process: undefined, ...more };
}

test("buildpacks build in their place, and the process that they declare is what runs there", async () => {
  const run = await started(byNode(), { command: "" });
  const { out, told, code } = await ended(run, "X_BUILT");
  expect(code).toBe(0);
  expect(out).toContain("copies one\n");
  expect(out.trimEnd().split("\n").at(-1)).toBe(`web from ${its.place}/a/app kind`);
  expect(told).toContain("STATUS=builds: detecting");
  expect(told).toContain("STATUS=builds: building samples/node");
  // Nothing has changed: it starts at once, from the same build.
  const again = await ended(await started(byNode(), { command: "" }), "X_BUILT");
  expect(again.out).not.toContain("copies");
  expect(again.out.trimEnd()).toEndWith(`web from ${its.place}/a/app kind`);
});

test("another process of theirs, or the service's own command, is run with what they have built", async () => {
  const other = await ended(
    await started(byNode({ process: "other" }), { command: "" }),
    "X_BUILT",
  );
  expect(other.out.trimEnd()).toEndWith(`other from ${its.place}/a/app kind`);
  const own = await ended(await started(byNode(), { command: "hello own; ls" }), "X_BUILT");
  expect(own.out).toEndWith(`own from ${its.place}/a/app kind\napp.txt\nbuildpacks\n`);
});

test("a buildpack that fails is named, and so is a process that nobody declares", async () => {
  const failing = { ...byNode(), buildpacks: [its.buildpack("bad", "echo no; exit 4")] };
  const failed = await ended(await started(failing, { command: "" }), "X_CANNOT");
  expect(failed.told.at(-1)).toStartWith("X_CANNOT=its build failed while building: samples/bad");
  expect(failed.code).toBe(69);
  const none = await ended(
    await started(byNode({ process: "nothing" }), { command: "" }),
    "X_CANNOT",
  );
  expect(none.told.at(-1)).toContain("declares no process");
});
