/** browser, with the real program, the real proxy and a real Chromium. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmod, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describeWith } from "../support/with-programs.ts";
import { whereIs } from "../support/debian.ts";
import { cli, daemonInFront, environment, session } from "./cli.ts";
import { type TestServer, testServer } from "./server-process.ts";
import { temporarySystem, type TemporarySystem } from "./temporary-system.ts";

let system: TemporarySystem;

beforeAll(async () => {
  system = await temporarySystem();
});

afterAll(() => system[Symbol.asyncDispose]());

/** As root, without a screen. */
const headless = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"];

async function profiles(): Promise<string[]> {
  return (await readdir(join(system.home, "tmp"))).filter((name) =>
    name.startsWith("localhostess"),
  );
}

describeWith(["chromium", "certutil"])("a real Chromium", () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await testServer();
    await mkdir(join(system.home, "tmp"));
  });

  afterAll(() => server.end());

  test("shows a name by https without a warning, and leaves nothing behind", async () => {
    const env = { ...system.env, TMPDIR: join(system.home, "tmp") };
    await using proxy = await daemonInFront(env, `+ ${server.name}`);
    const args = ["browser", server.name, "--", ...headless, "--dump-dom"];
    const { code, out } = await cli(args, { env });
    expect(code).toBe(0);
    expect(out).toContain("path /\n");
    expect(await profiles()).toEqual([]);
    expect(await readdir(system.home)).toEqual(["tmp"]);
    proxy.signal("SIGTERM");
    await proxy.ended();
  }, 120_000);

  test("is given a PATH that does not go by the current folder, and stays in that folder", async () => {
    const bin = join(system.home, "bin");
    await mkdir(bin);
    await writeFile(join(bin, "chromium"), '#!/bin/sh\necho "$PWD $PATH"\n');
    await chmod(join(bin, "chromium"), 0o755);
    const PATH = `.::${bin}/node_modules/.bin:${bin}:/usr/bin:/bin`;
    const args = ["browser", server.name, "--port", "9090"];
    const { out } = await cli(args, { env: { ...system.env, PATH }, cwd: system.home });
    expect(out).toBe(`${system.home} ${bin}:/usr/bin:/bin\n`);
    await rm(bin, { recursive: true });
  }, 120_000);

  test("with trust in its own home it shows the page, and after untrust it refuses", async () => {
    await using its = await temporarySystem();
    await using proxy = await daemonInFront(its.env, `+ ${server.name}`);
    const said = proxy.output();
    const port = said.match(/localhost:(\d+)\/proxy\.pac/)![1];
    const url = `https://${server.name}.localhost:${port}/`;
    const page = async () => {
      const profile = `--user-data-dir=${join(its.home, crypto.randomUUID())}`;
      const child = Bun.spawn([whereIs("chromium")!, ...headless, profile, "--dump-dom", url], {
        env: environment(its.env),
        stdin: "ignore",
        stdout: "pipe",
        stderr: "ignore",
        detached: true,
      });
      const out = await child.stdout.text();
      await child.exited;
      return out;
    };
    expect(await page()).not.toContain("path /\n");
    expect((await its.run(["trust"])).code).toBe(0);
    expect(await page()).toContain("path /\n");
    expect((await its.run(["untrust"])).code).toBe(0);
    expect(await page()).not.toContain("path /\n");
    proxy.signal("SIGTERM");
    await proxy.ended();
  }, 120_000);

  test("Ctrl-C ends the browser and clears the profile away", async () => {
    const env = { ...system.env, TMPDIR: join(system.home, "tmp") };
    const args = ["browser", "--", ...headless, "--remote-debugging-port=0"];
    await using running = session(args, { env });
    await running.until((text) => text.includes("DevTools listening"));
    expect(await profiles()).toHaveLength(1);
    running.type("\x03");
    expect(await running.ended()).toBe(0);
    expect(await profiles()).toEqual([]);
  }, 120_000);
});

/** A PATH with a Chromium that only prints what it was given. */
async function pretending(its: TemporarySystem): Promise<string> {
  const bin = join(its.root, "bin");
  await mkdir(bin);
  const path = join(bin, "chromium");
  await writeFile(path, '#!/bin/sh\nfor word in "$@"; do echo "$word"; done\n');
  await chmod(path, 0o755);
  return `${bin}:${process.env.PATH}`;
}

describeWith(["certutil"])("its options", () => {
  test("are a profile that is gone, a PAC file, the person's own, and the URL at the end", async () => {
    await using its = await temporarySystem();
    await using named = await testServer();
    const env = { ...its.env, PATH: await pretending(its) };
    const { code, out, err } = await cli(
      [
        "browser",
        `${named.name.toUpperCase()}.localhost/docs?q=1`,
        ...["--port", "9191", "--", "--incognito"],
      ],
      { env },
    );
    expect([code, err]).toEqual([0, expect.stringContaining("the proxy is not running")]);
    const words = out.trimEnd().split("\n");
    const url = `https://${named.name}.localhost:9191/docs?q=1`;
    expect(words.slice(-2)).toEqual(["--incognito", url]);
    expect(out).toMatch(/^--user-data-dir=\/.*localhostess-browser-\w+\/profile$/m);
    const pac = out.match(/^--proxy-pac-url=data:[^,]*;base64,(.*)$/m)![1]!;
    expect(atob(pac)).toContain("9191");
    const own = await cli(["browser", "--port", "9191", "--", "--incognito"], { env });
    expect(own.out).toEndWith("--incognito\nhttps://localhost:9191/\n");
  });
});

test("without Chromium it is a failure that names what would do", async () => {
  const env = { ...system.env, PATH: join(system.root, "nothing") };
  expect(await cli(["browser", "api"], { env })).toMatchObject({
    code: 1,
    err: expect.stringContaining("PATH has no chromium, "),
  });
});

test("a name that cannot be one is a usage error", async () => {
  expect(await cli(["browser", "two words"], { env: system.env })).toMatchObject({ code: 2 });
});
