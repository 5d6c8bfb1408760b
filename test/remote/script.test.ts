/** The script itself, in the shells that are here, with servers of this machine. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answerReader } from "../../src/remote/answer-reader.ts";
import type { Found } from "../../src/remote/found.ts";
import { firstWords, lookWords } from "../../src/remote/script.ts";

const nonce = "f00d";
const unique = `remote-${process.pid}`;

let folder: string;
const children: Bun.Subprocess[] = [];

type Server = { name: string; port: number };

/** `env`: of the server; it tells its port. */
async function server(hostname: string, env: Record<string, string>): Promise<number> {
  const code = `console.log(Bun.serve({ hostname: ${JSON.stringify(hostname)}, port: 0, fetch: () => new Response("") }).port)`;
  const child = Bun.spawn([process.execPath, "-e", code], {
    env: { PATH: process.env.PATH ?? "", ...env },
    stdin: "ignore",
    stdout: "pipe",
    cwd: "/",
  });
  children.push(child);
  const { value } = await child.stdout.getReader().read();
  return Number(new TextDecoder().decode(value));
}

/** What the script prints in a shell that is sent these words. */
async function printed(
  shell: readonly string[],
  words: string,
  env: Record<string, string> = {},
): Promise<string[]> {
  const child = Bun.spawn([...shell], {
    env: { PATH: process.env.PATH ?? "", HOME: folder, ...env },
    stdin: new Blob([words]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  expect(errors).toBe("");
  return out.split("\n");
}

function foundIn(lines: readonly string[]): readonly Found[] {
  const reader = answerReader({ nonce, remote: "box" });
  const last = lines.map((line) => reader.line(line)).findLast(({ kind }) => kind === "found");
  return last?.kind === "found" ? last.found : [];
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "localhostess-script-"));
});

afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(children.map((child) => child.exited));
  rmSync(folder, { recursive: true, force: true });
});

/** Shells that other machines may have as `sh`. */
const shells = [
  ["dash"],
  ["bash", "--posix"],
  ["busybox", "sh"],
  ["mksh"],
  ["zsh", "--emulate", "sh"],
];
const here = [["sh"], ...shells.filter(([program]) => Bun.which(program!) !== null)];

describe.skipIf(process.platform !== "linux")("servers with a NAME", () => {
  const servers: Record<string, Server> = {};

  beforeAll(async () => {
    const started = async (key: string, hostname: string, env: Record<string, string>) => {
      const name = `${unique}-${key}`;
      const values = Object.entries(env).map(([its, value]) => [its, value.replace("%", name)]);
      const port = await server(hostname, Object.fromEntries(values) as Record<string, string>);
      servers[key] = { name, port };
    };
    await Promise.all([
      started("plain", "127.0.0.1", { NAME: "%" }),
      started("six", "::1", { NAME: "%", PORT: "1" }),
      started("own", "0.0.0.0", { NAME: "other", LOCALHOSTESS_NAME: "%" }),
      // A value with a line of its own is no variable.
      started("lines", "127.0.0.1", { A: "x\nNAME=evil", NAME: "%", Z: "\nNAME=worse" }),
      started("none", "127.0.0.1", { LOGNAME: "%", MY_NAME: "%" }),
    ]);
  });

  test.each(here)("are found by %s", async (...shell) => {
    const words =
      firstWords(nonce) + lookWords(1, { whole: true }) + lookWords(2, { whole: false });
    const lines = await printed(shell, words);
    const found = foundIn(lines).filter(({ name }) => name.startsWith(unique));
    expect(found.map(({ name, address, port }) => ({ name, address, port }))).toEqual(
      [
        { ...servers.lines!, address: "127.0.0.1" },
        { ...servers.own!, address: "127.0.0.1" },
        { ...servers.plain!, address: "127.0.0.1" },
        { ...servers.six!, address: "::1" },
      ].sort((a, b) => (a.name < b.name ? -1 : 1)),
    );
    const [its] = found;
    expect(its!.command).toContain("Bun.serve");
    expect(its!.cwd).toBe("/");
    expect(Math.abs(its!.startedAt! - Date.now())).toBeLessThan(600_000);
    // Nothing but whole answers, each line with its mark.
    expect(lines.filter((line) => line !== "" && !line.startsWith(`${nonce} `))).toEqual([]);
  });

  test("are those of the last look as long as no socket comes or goes, and are listed anew when one does", async () => {
    const words = lookWords(1, { whole: true }) + lookWords(2, { whole: false });
    // The list of sockets is played: another test may start a server meanwhile.
    const still = "listening() { echo 0100007F:0001 1; }\n";
    const moved = "listening() { echo 0100007F:0002 2; }\n";
    const lines = await printed(
      ["sh"],
      `${firstWords(nonce)}${still}${words}${moved}${lookWords(3, { whole: false })}${lookWords(4, { whole: true })}`,
    );
    const kinds = lines.map((line) => line.split(" ").slice(1, 3).join(" "));
    const said = kinds.filter((its) => /^(?:begin|same|end) /.test(its));
    expect(said).toEqual([
      "begin 1",
      "end 1",
      "begin 2",
      "same 2",
      "begin 3",
      "end 3",
      "begin 4",
      "end 4",
    ]);
  });

  test("that have written over their environment have the NAME of the process that started them", async () => {
    const name = `${unique}-title`;
    const code = `import os,socket,sys,time,ctypes
s=socket.socket(); s.bind(("127.0.0.1",0)); s.listen()
p=[int(x) for x in open("/proc/self/stat").read().rsplit(")",1)[1].split()[47:49]]
ctypes.memset(p[0],32,p[1]-p[0]-1)
print(s.getsockname()[1],flush=True); time.sleep(100)`;
    if (Bun.which("python3") === null) return;
    const child = Bun.spawn(["sh", "-c", `python3 -c '${code}'; true`], {
      env: { PATH: process.env.PATH ?? "", NAME: name },
      stdout: "pipe",
      detached: true,
    });
    try {
      const { value } = await child.stdout.getReader().read();
      const port = Number(new TextDecoder().decode(value));
      const lines = await printed(["sh"], firstWords(nonce) + lookWords(1, { whole: true }));
      expect(foundIn(lines).filter((its) => its.name === name)).toMatchObject([{ name, port }]);
    } finally {
      process.kill(-child.pid, "SIGKILL");
      await child.exited;
    }
  });
});

describe("where there is no /proc", () => {
  const elsewhere = (text: string) => text.replaceAll("/proc/net/tcp", "/nowhere");
  const words = elsewhere(firstWords(nonce)) + lookWords(1, { whole: true });

  function program(name: string, text: string): void {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  }

  test("lsof and ps tell, as on macOS", async () => {
    program(
      "lsof",
      "printf 'p501\\nf5\\nn*:3000\\nf6\\nn[::1]:3001\\np502\\nf7\\nn127.0.0.1:4000\\n'",
    );
    program(
      "ps",
      `case "$*" in
*ppid=*) echo " 1 501" ;;
*-E*501) echo "bun dev --name NAME=no PATH=/bin NAME=api PORT=3001 HOME=/Users/me" ;;
*501) echo "bun dev --name NAME=no" ;;
*-E*502) echo "ruby app.rb NAMES=x LOCALHOSTESS_NAME=web NAME=app" ;;
*502) echo "ruby app.rb" ;;
esac`,
    );
    const lines = await printed(["sh"], words, { PATH: `${folder}:${process.env.PATH}` });
    expect(foundIn(lines)).toMatchObject([
      { name: "api", address: "::1", port: 3001, command: "bun dev --name NAME=no" },
      { name: "web", address: "127.0.0.1", port: 4000, command: "ruby app.rb" },
    ]);
  });

  test("and no lsof, the machine says that it can tell nothing", async () => {
    const without = words.replace("command -v lsof", "command -v no-such-program");
    expect((await printed(["sh"], without)).slice(0, 2)).toEqual([
      `${nonce} begin 1`,
      `${nonce} none 1`,
    ]);
  });
});

describe("a localhostess there", () => {
  async function looked(text: string): Promise<string[]> {
    writeFileSync(join(folder, "localhostess"), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, "localhostess"), 0o755);
    const words = firstWords(nonce) + lookWords(1, { whole: true });
    return await printed(["sh"], words, { PATH: `${folder}:${process.env.PATH}` });
  }

  test("is asked, and told who asks", async () => {
    const row = `[{"name":"api","url":"x","address":"127.0.0.1",
"port":3000,"command":"$LOCALHOSTESS_REMOTE $*"}]`;
    const lines = await looked(`cat <<END\n${row}\nEND`);
    expect(foundIn(lines)).toMatchObject([{ name: "api", port: 3000, command: "1 ls --json" }]);
  });

  test("that fails is not believed: the shell looks itself", async () => {
    const lines = await looked("echo '[]'; exit 1");
    expect(lines.some((line) => line.startsWith(`${nonce} json`))).toBe(false);
    expect(lines).toContain(`${nonce} end 1`);
  });
});
