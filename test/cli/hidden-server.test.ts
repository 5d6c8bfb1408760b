/** Names that lead nowhere, and the processes that have them all the same: with real processes, and hostile files. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hiddenServer } from "../../src/cli/shared/hidden-server.ts";
import type { Sight } from "../../src/cli/shared/look.ts";
import type { Settings } from "../../src/cli/shared/settings.ts";
import type { ObservedProcess } from "../../src/discovery/observation.ts";
import { eventually } from "../support/eventually.ts";
import { cli, freshState } from "./cli.ts";

// Each test runs the program several times, on a machine that may be busy.
setDefaultTimeout(60_000);

const uid = process.getuid?.() ?? 0;
let folder: string;

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "localhostess-hidden-")));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A server in a folder of its own, which has these files. */
function serverIn(name: string, files: Record<string, string>, its: Partial<ObservedProcess> = {}) {
  const cwd = join(folder, name);
  mkdirSync(cwd, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(cwd, file), text);
  const common = { startedAt: 0, parent: 1, group: 7, uid, name: undefined, command: "bun x.ts" };
  return { pid: 7, ...common, cwd, ...its };
}

function asked(name: string, ...servers: ObservedProcess[]) {
  return askedBeside(name, [], ...servers);
}

/** `services`: those that have a name. */
function askedBeside(name: string, services: readonly unknown[], ...servers: ObservedProcess[]) {
  const scan = {
    observations: servers.map(({ pid }) => ({
      address: "127.0.0.1",
      port: 3000 + pid,
      pids: [pid],
    })),
    processes: new Map(servers.map((its) => [its.pid, its])),
    skipped: [],
  };
  const sight = { scan, services, supervised: [], proxy: undefined, tlds: [] };
  const settings = { scanner: "auto", allUsers: false } as unknown as Settings;
  return hiddenServer(name, { sight: sight as unknown as Sight, settings });
}

/** A name that no process of this machine has. */
const only = `only-${crypto.randomUUID().slice(0, 8)}`;

describe("a NAME in a file alone", () => {
  test("is told with the process, the file and the command, and nothing else of the file is", async () => {
    const server = serverIn("a", { ".env": `SECRET=hush\nNAME="${only}" # mine\nexport X=1\n` });
    expect(await asked(only, server)).toEqual({
      detail: `pid 7 (bun x.ts) listens on port 3007 in ${folder}/a; its NAME=${only} is only in ${folder}/a/.env, which the program reads by itself, so that no other program sees it`,
      fix: `start it again with: NAME=${only} bun x.ts`,
    });
  });

  test("is found in each file that such programs read, and among other servers", async () => {
    for (const file of [".env.local", ".env.development"]) {
      const server = serverIn(`b${file}`, { [file]: `NAME=${only}` }, { pid: 8 });
      const found = await asked(only, serverIn("none", {}), server);
      expect(found?.detail).toContain(`pid 8 (bun x.ts)`);
      expect(found?.detail).toContain(`/${file},`);
    }
  });

  test("is told where the folder has given the server another name, and not where NAME has", async () => {
    const server = serverIn("i", { ".env": `NAME=${only}` });
    const named = (source: string) => [{ name: "i", source, pids: [7], routable: true }];
    const found = await askedBeside(only, named("folder"), server);
    expect(found?.detail).toContain("pid 7 (bun x.ts)");
    expect(await askedBeside(only, named("NAME"), server)).toBeUndefined();
  });

  test("counts as the program has it: the last one, and no part of another value", async () => {
    const other = serverIn("c", { ".env": `NAME=${only}\nNAME=another\nFULL_NAME=${only}\n` });
    expect(await asked(only, other)).toBeUndefined();
    expect(await asked(only, serverIn("d", { ".env": "NAME=$USER\n" }))).toBeUndefined();
  });

  test("is not looked for where a server belongs to another user", async () => {
    const files = { ".env": `NAME=${only}` };
    expect(await asked(only, serverIn("e", files, { uid: uid + 1 }))).toBeUndefined();
  });

  test("is not read from a pipe, a folder, a file without an end, a huge one or one that is forbidden", async () => {
    const cwd = join(folder, "f");
    mkdirSync(join(cwd, ".env"), { recursive: true });
    Bun.spawnSync(["mkfifo", join(cwd, ".env.local")]);
    symlinkSync("/dev/zero", join(cwd, ".env.development"));
    expect(await asked(only, serverIn("f", {}))).toBeUndefined();
    const huge = serverIn("g", { ".env": `NAME=${only}\n${"#".repeat(100_000)}` });
    expect(await asked(only, huge)).toBeUndefined();
    const shut = serverIn("h", { ".env": `NAME=${only}` });
    chmodSync(join(folder, "h/.env"), 0);
    if (uid !== 0) expect(await asked(only, shut)).toBeUndefined();
  });
});

describe.skipIf(process.platform !== "linux")(
  "a process with the NAME that does not listen",
  () => {
    test("is told, the innermost one; the shell that asks is not", async () => {
      const name = `quiet-${crypto.randomUUID().slice(0, 8)}`;
      const env = { PATH: process.env.PATH ?? "", NAME: name };
      await using child = Bun.spawn(["sh", "-c", "sleep 300 & echo $!; wait"], {
        env,
        cwd: folder,
        stdout: "pipe",
      });
      const { value } = await child.stdout.getReader().read();
      const pid = Number.parseInt(new TextDecoder().decode(value ?? new Uint8Array()), 10);
      try {
        // Until then it is a second shell.
        const words = () => readFileSync(`/proc/${pid}/cmdline`, "latin1");
        await eventually("it is sleep", () => words().startsWith("sleep"));
        const found = await asked(name);
        expect(found?.detail).toBe(
          `pid ${pid} (sleep 300) runs in ${folder} with NAME=${name}, and listens on no TCP port of this machine`,
        );
        expect(found?.fix).toContain("it may still be starting");
      } finally {
        process.kill(pid);
        await child.exited;
      }
    });

    test("is not the command that asks, in a shell in which NAME is exported", async () => {
      await using state = await freshState();
      const name = `asking-${crypto.randomUUID().slice(0, 8)}`;
      const { code, err } = await cli(["url", name], { env: { ...state.env, NAME: name } });
      expect(code).toBe(1);
      expect(err).toContain(`no server is named ${name}`);
      expect(err).not.toContain("listens on no TCP port");
    });
  },
);
