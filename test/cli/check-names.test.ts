/** What `doctor` finds of each kind of program that opens URLs; and that what it advises helps the real ones. */
import { describe, expect, test } from "bun:test";
import { checkNames } from "../../src/cli/trust/check-names.ts";
import type { Finding } from "../../src/cli/trust/finding.ts";
import type { CommandResult } from "../../src/system/command.ts";
import type { Machine } from "../../src/tls/trust/store.ts";
import { whereIs } from "../support/debian.ts";
import { startTestProxy } from "../support/test-proxy.ts";

type Scripted = {
  /** What a program says, by its name; one that is not here is missing. */
  says?: Record<string, CommandResult>;
  env?: Record<string, string>;
  platform?: NodeJS.Platform;
  /** What the system's resolver has for every name under localhost. */
  addresses?: readonly string[] | "late";
  /** A name that /etc/hosts has of ours. */
  kept?: string;
};

const said = (stdout: string, code = 0): CommandResult => ({
  kind: "done",
  code,
  stdout,
  stderr: "",
});

async function found({ says = {}, env = {}, platform = "linux", addresses = [], kept }: Scripted) {
  const asked: string[][] = [];
  const machine: Machine = {
    platform,
    root: "/nonexistent",
    home: "/nonexistent",
    env,
    privileged: false,
    wsl: false,
    async run(argv) {
      asked.push([...argv]);
      return says[argv[0]] ?? { kind: "missing" };
    },
  };
  const lookup = async (host: string) => {
    asked.push(["resolver", host]);
    return addresses;
  };
  const all = await checkNames(9191, { machine, lookup, kept });
  const of = (kind: string): Finding => all.find(({ check }) => check === `names by ${kind}`)!;
  return { all, of, asked };
}

const node = (version: string, code: string | null) => said(JSON.stringify({ version, code }));

test("each kind of program has a line, and what is not installed is no trouble", async () => {
  const { all } = await found({});
  expect(all.map(({ check }) => check)).toEqual([
    "names by the system's resolver",
    "names by curl",
    "names by Node's fetch",
    "names by Python",
    "names by Chromium",
    "names by Firefox",
  ]);
  for (const { level, fix, check } of all.slice(1)) {
    expect([check, level, fix]).toEqual([check, "ok", null]);
  }
});

test("programs that find the names are well", async () => {
  const { of } = await found({
    says: { curl: said("", 7), node: node("22.21.1", null), python3: said("found\n") },
  });
  expect(of("curl").level).toBe("ok");
  expect(of("Node's fetch")).toMatchObject({
    level: "ok",
    detail: "Node 22.21.1 finds *.localhost",
  });
  expect(of("Python").level).toBe("ok");
});

test("programs that do not have a command each that helps", async () => {
  const { of } = await found({
    says: { curl: said("", 6), node: node("22.21.0", "ENOTFOUND"), python3: said("unknown\n") },
  });
  const one = "for one command, which then reaches services and nothing else: ";
  expect(of("curl").fix).toEndWith(`; or ${one}http_proxy=http://127.0.0.1:9191 curl …`);
  expect(of("Python").fix).toEndWith(`; or ${one}http_proxy=http://127.0.0.1:9191 python3 …`);
  expect(of("Node's fetch").fix).toEndWith(
    `; or ${one}NODE_USE_ENV_PROXY=1 http_proxy=http://127.0.0.1:9191 node …`,
  );
  for (const kind of ["curl", "Node's fetch", "Python"]) expect(of(kind).level).toBe("warning");
});

test.each([
  ["18.20.0", false],
  ["20.20.2", false],
  ["22.20.0", false],
  ["22.21.0", true],
  ["23.11.0", false],
  ["24.0.0", true],
  ["26.1.0", true],
])("Node %s is advised to use http_proxy: %p", async (version, reads) => {
  const { of } = await found({ says: { node: node(version, "EAI_AGAIN") } });
  expect(of("Node's fetch").fix!.includes("NODE_USE_ENV_PROXY")).toBe(reads);
});

test.each(["localhost", "127.0.0.1,localhost", ".localhost", "*", "example.com localhost"])(
  "no_proxy=%s would keep a program from the proxy, so it is emptied",
  async (no_proxy) => {
    const says = { python3: said("unknown\n") };
    for (const env of [{ no_proxy }, { NO_PROXY: no_proxy }]) {
      const { of } = await found({ says, env });
      expect(of("Python").fix).toContain("no_proxy= NO_PROXY= http_proxy=");
    }
    const { of } = await found({ says, env: { no_proxy: "example.com,mylocalhost" } });
    expect(of("Python").fix).not.toContain("no_proxy=");
  },
);

test("a program that is slow, breaks, or is another of this name, is told as what it is", async () => {
  const late: CommandResult = { kind: "failed", why: "it did not end within 4000 ms" };
  for (const says of [late, said("hello"), said("", 1), said('{"version":1}')]) {
    const { of } = await found({ says: { node: says, python3: says, curl: late } });
    for (const kind of ["curl", "Node's fetch", "Python"]) {
      expect([kind, of(kind).level]).toEqual([kind, "warning"]);
      expect(of(kind).fix).toContain("try the program itself");
    }
  }
});

test("Python looks into no folder and at no variable", async () => {
  const { asked } = await found({ says: { python3: said("found\n") } });
  expect(asked.find(([program]) => program === "python3")?.[1]).toBe("-I");
});

test("Safari is told on macOS, by record, and follows the system's resolver", async () => {
  const { all, of } = await found({ platform: "darwin" });
  expect(all.at(-1)?.check).toBe("names by Safari");
  expect(of("Safari")).toMatchObject({
    level: "warning",
    detail: expect.stringContaining("not tested"),
  });
  expect(of("Safari").fix).toContain("http://localhost:9191/proxy.pac");
  const known = await found({ platform: "darwin", addresses: ["127.0.0.1"] });
  expect(known.of("Safari").level).toBe("ok");
});

test("the system's resolver is well, slow, or leads elsewhere", async () => {
  const check = "the system's resolver";
  const levels = [];
  for (const addresses of [["::1", "127.0.0.1"], "late", [], ["192.0.2.1"]] as const) {
    levels.push((await found({ addresses })).of(check).level);
  }
  expect(levels).toEqual(["ok", "warning", "warning", "broken"]);
});

describe("the real programs", () => {
  const scripts = {
    curl: (url: string) => ["curl", "-q", "-s", url],
    python3: (url: string) => [
      "python3",
      "-I",
      "-c",
      `import urllib.request; print(urllib.request.urlopen("${url}").read().decode())`,
    ],
  };

  for (const program of ["curl", "python3"] as const) {
    test.skipIf(whereIs(program) === undefined)(
      `${program} reaches a service with http_proxy, and nothing else`,
      async () => {
        const api = Bun.serve({
          hostname: "127.0.0.1",
          port: 0,
          fetch: () => new Response("hello"),
        });
        try {
          await using proxy = await startTestProxy({ services: { api: { port: api.port! } } });
          const run = async (url: string) => {
            const child = Bun.spawn(scripts[program](url), {
              env: {
                PATH: process.env.PATH!,
                http_proxy: `http://127.0.0.1:${proxy.port}`,
                no_proxy: "",
              },
              stdout: "pipe",
              stderr: "ignore",
            });
            return { out: (await child.stdout.text()).trim(), code: await child.exited };
          };
          const url = `http://api.localhost:${proxy.port}/`;
          expect(await run(url)).toEqual({ out: "hello", code: 0 });
          expect(await run("http://api/")).toEqual({ out: "hello", code: 0 });
          expect((await run(`http://127.0.0.1:${api.port}/`)).code).not.toBe(0);
          expect((await run("http://service.invalid/")).code).not.toBe(0);
        } finally {
          api.stop(true);
        }
      },
      60_000,
    );
  }
});

test("where the hosts file has names of ours, programs are asked for one of those, and its server is not", async () => {
  const says = { node: node("22.0.0", null), python3: said("found\n"), curl: said("", 0) };
  const { of, asked } = await found({ says, addresses: ["127.0.0.1"], kept: "api.localhost" });
  for (const kind of ["the system's resolver", "Node's fetch", "Python"]) {
    expect(of(kind)).toMatchObject({
      level: "ok",
      detail: expect.stringContaining("api.localhost"),
    });
  }
  const words = (program: string) => asked.find(([its]) => its === program)!;
  for (const program of ["resolver", "node", "python3"]) {
    expect(words(program).at(-1)).toBe("api.localhost");
  }
  expect(words("curl").at(-1)).not.toContain("api.localhost");
});
