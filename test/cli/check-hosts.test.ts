/** What root has set up, what runs, and what the hosts file has -> what doctor says of it. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { checkHosts, type HostsChecked } from "../../src/cli/trust/check-hosts.ts";
import type { Sight } from "../../src/cli/shared/look.ts";
import { editedHosts } from "../../src/helper/hosts-text.ts";
import { testService } from "../support/test-proxy.ts";

const isRoot = process.getuid?.() === 0 && process.platform === "linux";
const uid = 1000;
const usual = "127.0.0.1 localhost\n";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "localhostess-root-"));
  put("etc/hosts", usual);
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, text: string, mode = 0o644): void {
  const its = join(root, path);
  mkdirSync(dirname(its), { recursive: true });
  writeFileSync(its, text);
  chmodSync(its, mode);
}

function written(...names: string[]): void {
  put("etc/hosts", (editedHosts(usual, { uid, names }) as { text: string }).text);
}

type Facts = {
  hosts?: boolean;
  names?: string[];
  tlds?: string[];
  runs?: boolean;
  version?: string;
  later?: () => Promise<void>;
  sandbox?: string;
};

async function said(facts: Facts): Promise<[level: string, detail: string, fix: string | null][]> {
  const { names = ["api"], tlds = [], runs = true, version = packageJson.version } = facts;
  const sight: Pick<Sight, "services" | "supervised" | "tlds" | "proxy"> = {
    services: names.map((name) => testService(name, { port: 1 })),
    ...{ supervised: [], tlds, proxy: runs ? { pid: 1, port: 9090 } : undefined },
  };
  const value = facts.hosts;
  const origin = { file: "config.toml", line: 1 };
  const checked: HostsChecked = {
    settings: {
      config: value === undefined ? {} : { hosts: { value, origin } },
      ...{ sandbox: facts.sandbox, ownPlace: true },
    },
    machine: {
      ...{ platform: "linux", root },
      run: async () => ({ kind: "done", code: 0, stdout: `${version}\n`, stderr: "" }),
    },
    uid,
    look: async () => sight as Sight,
    later: facts.later ?? (async () => {}),
  };
  return (await checkHosts(checked)).map(({ level, detail, fix }) => [level, detail, fix]);
}

const setup = "localhostess setup --hosts";

test("where nobody has asked for it, nothing is wrong", async () => {
  expect(await said({})).toEqual([
    ["ok", "they are not kept there: nobody has asked for it", null],
  ]);
  expect(await said({ hosts: false })).toMatchObject([
    ["ok", expect.stringContaining("hosts = false"), null],
  ]);
  expect(await said({ sandbox: "mine" })).toMatchObject([
    ["ok", expect.stringContaining("usual daemon"), null],
  ]);
  written("old.localhost");
  expect(await said({})).toMatchObject([
    ["warning", "names of an earlier time are there", `${setup} --remove`],
  ]);
});

test("asked for, and not set up, it names the command", async () => {
  expect(await said({ hosts: true })).toEqual([
    ["warning", "they are not kept there: localhostess-hosts is not installed", setup],
  ]);
});

test.skipIf(!isRoot)(
  "set up, it says how the block stands (as root, whose files they have to be)",
  async () => {
    put("usr/libexec/localhostess/localhostess-hosts", "", 0o4755);
    expect(await said({ hosts: true })).toMatchObject([
      ["warning", expect.stringContaining("does not allow it to this user"), setup],
    ]);
    put("etc/localhostess/users", `${uid} hosts\n`);
    expect(await said({ version: "0.0.1" })).toMatchObject([
      ["warning", expect.stringContaining("the program is of version 0.0.1"), setup],
    ]);
    written("api.localhost");
    expect(await said({})).toEqual([["ok", "1 name, as they are now", null]]);
    expect(await said({ runs: false })).toMatchObject([
      ["warning", "names of an earlier daemon are left there", "localhostess server start"],
    ]);
    // A name that has just come is there by the second look.
    const later = async () => written("api.localhost", "web.localhost");
    expect(await said({ names: ["api", "web"], later })).toEqual([
      ["ok", "2 names, as they are now", null],
    ]);
    expect(await said({ names: ["db"] })).toMatchObject([
      [
        "warning",
        expect.stringContaining("not as the daemon has them"),
        "localhostess server status",
      ],
    ]);
    written("api.localhost");
    expect(await said({ names: ["api", "my_api"], tlds: ["test"] })).toEqual([
      ["ok", "1 name, as they are now", null],
      [
        "warning",
        "/etc/localhostess/domains does not have test, so its names are not written",
        setup,
      ],
      [
        "warning",
        expect.stringContaining("my_api.localhost and my_api.test cannot stand there"),
        expect.anything(),
      ],
    ]);
    put("etc/hosts", `${usual}10.0.0.1 api.localhost\n`);
    expect(await said({})).toEqual([
      ["ok", "0 names, as they are now; other lines have api.localhost", null],
    ]);
    put("etc/hosts", `${usual}# BEGIN localhostess 7\n`);
    expect(await said({})).toMatchObject([
      ["broken", expect.stringContaining("line 2: this block does not end"), "sudoedit /etc/hosts"],
    ]);
  },
);
