/** A helper that is none, or that answers with something else: the daemon gets sockets that it asked for, or words. */
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { askForPorts } from "../../src/helper/ask-for-ports.ts";
import { installedPrograms } from "../../src/helper/installed.ts";
import { helperFolders, helperName } from "../../src/helper/places.ts";
import { listeningPlace } from "../../src/system/listening-place.ts";
import { whyNoPorts } from "../../src/helper/why-no-ports.ts";

const descriptors = resolve(import.meta.dir, "../../src/system/descriptors.ts");
const owner = process.getuid?.() ?? -1;
const [packaged, ours] = helperFolders;

/** Stand-ins are started for some answers, on a machine that may be busy. */
setDefaultTimeout(60_000);

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "localhostess-asked-"));
  await chmod(root, 0o755);
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function put(script: string, folder: string = ours): Promise<string> {
  const path = join(root, folder, helperName);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

const ask = (more: { deadline?: number } = {}) =>
  askForPorts([80, 443], { version: "1.2.3", root, owner, ...more });

/** Sends the text with these descriptors over descriptor 3, in the way of the helper. */
async function sending(text: string, made: string): Promise<void> {
  const script = join(root, "send.ts");
  await writeFile(
    script,
    `import { descriptorCalls } from "${descriptors}";
     const listen = (hostname, port) => Bun.listen({ hostname, port, socket: { data() {} } }).fd;
     descriptorCalls(process.platform).send(3, new TextEncoder().encode(${JSON.stringify(text)}), ${made});
     process.exit(0);`,
  );
  await put(`exec '${process.execPath}' '${script}'`);
}

/** Listening sockets that this process has: those of a helper that were not closed are among them. */
const listeningNow = (): number =>
  readdirSync("/proc/self/fd").filter((its) => listeningPlace(Number(its)).kind === "listens")
    .length;

describe.skipIf(process.platform !== "linux")("asked for 80 and 443", () => {
  test("no helper is no error, and nothing is started", async () => {
    expect(await ask()).toEqual({ kind: "none" });
  });

  test("the helper is told our version and the ports, and has nothing of our environment", async () => {
    await put(`[ $# = 4 ] && [ -z "$HOME$USER" ] && { echo "$*" >&2; exit 2; }`);
    expect(await ask()).toEqual({ kind: "refused", why: "1.2.3 bind 80 443" });
  });

  test("each way to end has its words, and the command that mends it", async () => {
    const cases = [
      ["echo 0.0.9; exit 3", "is version 0.0.9, and this is 1.2.3", "localhostess setup"],
      ["echo not user 7 >&2; exit 2", "not user 7", "localhostess setup"],
      ["echo '127.0.0.1:80: in use' >&2; exit 1", "127.0.0.1:80: in use", "localhostess doctor"],
      ["exit 0", "ended with 0 and said nothing", "localhostess doctor"],
      ["exit 126", "ended with 126 and said nothing", "localhostess doctor"],
      ["kill -9 $$", "was ended by SIGKILL", "localhostess doctor"],
    ];
    for (const [script, why, fix] of cases) {
      await put(script!);
      const answer = await ask();
      if (answer.kind === "sockets") throw new Error("no sockets were sent");
      const words = whyNoPorts(answer, "1.2.3");
      expect(words.why).toContain(why!);
      expect(words.fix).toBe(fix!);
    }
  });

  test("a remedy in the helper's own words is not said twice", () => {
    const why = "users does not allow user 7 ports. To change that: localhostess setup --ports";
    expect(whyNoPorts({ kind: "refused", why }, "1")).toEqual({
      why: "users does not allow user 7 ports",
      fix: "localhostess setup",
    });
  });

  test("one that never answers is ended at the deadline", async () => {
    await put("exec /bin/sleep 60");
    const why = `${join(root, ours, helperName)} took longer than 100 ms`;
    expect(await ask({ deadline: 100 })).toEqual({ kind: "failed", why });
  });

  test("sockets of other places, and descriptors that are none, are closed and not used", async () => {
    const cases = [
      ["4 80\n", `[listen("127.0.0.1", 0)]`],
      ["6 80\n", `[listen("::1", 0)]`],
      ["4 80\n", "[0]"],
      ["4 80\n4 443\n", `[listen("127.0.0.1", 0)]`],
      ["", `[listen("127.0.0.1", 0)]`],
      ["4 80", `[listen("127.0.0.1", 0)]`],
      ["9 80\n", `[listen("127.0.0.1", 0)]`],
    ];
    for (const [text, made] of cases) {
      await sending(text || "\n", made!);
      const before = listeningNow();
      expect(await ask()).toMatchObject({ kind: "failed" });
      expect(listeningNow()).toBe(before);
    }
  });

  test("a package's helper of another version does not keep that of setup from being asked", async () => {
    await put("echo 0.0.9; exit 3", packaged);
    await put("echo yes >&2; exit 2");
    expect(await ask()).toEqual({ kind: "refused", why: "yes" });
  });
});

describe("a program that others could change is not started", () => {
  const whys = () =>
    installedPrograms(helperName, { root, owner }).map((its) =>
      its.kind === "unsafe" ? its.why.replaceAll(root, "") : its.kind,
    );

  test("as it should be", async () => {
    await put("");
    expect(whys()).toEqual(["installed"]);
  });

  test("another owner", async () => {
    const path = await put("");
    const [its] = installedPrograms(helperName, { root, owner: owner + 1 });
    expect(its).toEqual({ kind: "unsafe", path, why: `${path} does not belong to root` });
  });

  test("a file, or any folder above it, that others may write", async () => {
    const path = await put("");
    for (const at of [path, dirname(path), join(root, "usr/local"), join(root, "usr")]) {
      await chmod(at, 0o775);
      expect(whys()).toEqual([`others than root may write ${at.slice(root.length)}`]);
      await chmod(at, 0o755);
    }
  });

  test("a link in the place of the file, or of a folder", async () => {
    const path = await put("");
    const target = join(root, "elsewhere");
    await rm(dirname(path), { recursive: true });
    await mkdir(target);
    await writeFile(join(target, helperName), "");
    await symlink(target, dirname(path));
    expect(whys()).toEqual([`${ours} is no folder`]);
    await rm(dirname(path));
    await mkdir(dirname(path));
    await symlink(join(target, helperName), path);
    expect(whys()).toEqual([`${ours}/${helperName} is no regular file`]);
  });
});
