/** The first hour with the compiled program: every verb, against a real server and a project of one's own. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { testServer } from "../cli/server-process.ts";
import { temporarySystem } from "../cli/temporary-system.ts";
import { daemonPlace } from "../support/daemon-place.ts";
import { lacking } from "../support/debian.ts";
import { ended } from "../support/ended.ts";
import { eventually } from "../support/eventually.ts";
import { nothing, type Packaged, packaged, patience } from "../support/packaged.ts";

let its: Packaged;

beforeAll(async () => {
  its = await packaged({ quick: true });
}, patience);

afterAll(() => its[Symbol.asyncDispose]());

/** A server with no needs but the Bun that runs this test. */
const serving = `exec '${process.execPath}' -e 'Bun.serve({ port: Number(process.env.PORT), hostname: "127.0.0.1", fetch: () => new Response("shop") })'`;

const path = "/usr/local/bin:/usr/bin:/bin";

test(
  "the whole first hour works, and nobody hears of a fault within",
  async () => {
    const program = await its.executable();
    await using system = await temporarySystem();
    await using place = await daemonPlace();
    await using server = await testServer();
    const env = { ...nothing(), ...system.env, ...place.env, PATH: path, TERM: "dumb" };
    const cwd = join(system.home, "shop");
    await mkdir(cwd);
    const said = async (...words: string[]): Promise<string> => {
      const { out, err } = await its.outputOf([program, ...words], { env, cwd });
      expect(err).not.toMatch(/polyfill|TypeError|\bat .*:\d+:\d+/);
      return out;
    };
    const shell = async (script: string): Promise<string> =>
      (await its.outputOf(["sh", "-c", script], { env, cwd })).out;

    expect(await said("--help")).toContain("server");
    expect(await said("server", "start", "--detach", "--port", "0")).toContain("http://");
    const url = (await said("url", server.name)).trim();
    const { port } = new URL(url);

    // A server with a NAME.
    expect(await said("ls")).toContain(server.name);
    expect((await said("port", server.name)).trim()).toBe(String(server.port));
    expect(await said("why", server.name)).toContain(url);
    expect(await shell(`curl -sS --fail --noproxy '*' ${url}/hour`)).toContain("/hour");
    expect(await said("pac")).toContain(port);
    expect(await said("completion", "bash")).toContain("localhostess");

    // https, by what `env` says, and by a trust store.
    const secure = `https://${server.name}.localhost:${port}/hour`;
    await writeFile(join(cwd, "env.sh"), await said("env"));
    expect(await shell(`. ./env.sh; curl -sS --fail --noproxy '*' ${secure}`)).toContain("/hour");
    const root = ["--root", system.root];
    await said("trust", ...root);
    expect(await system.bundle()).toContain("BEGIN CERTIFICATE");
    const bundle = join(system.root, "etc/ssl/certs/ca-certificates.crt");
    expect(await shell(`curl -sS --fail --noproxy '*' --cacert '${bundle}' ${secure}`)).toContain(
      "/hour",
    );
    const doctor = await ended([program, "doctor", ...root], {
      env: { ...process.env, ...env },
      cwd,
    });
    expect(`${doctor.out}${doctor.err}`).not.toMatch(/polyfill|TypeError/);
    expect(doctor.out).not.toBe("");
    await said("untrust", ...root);
    expect(await system.bundle()).not.toContain("BEGIN CERTIFICATE");
    expect(await said("dashboard", "--print")).toContain("http://");

    // A project.
    await said("add", "web", "--", serving);
    expect(await said("config", "check")).toBeString();
    await said("up");
    expect(await said("status")).toContain("web");
    const web = (await said("url", "web")).trim();
    expect(await shell(`curl -sS --fail --noproxy '*' ${web}`)).toBe("shop");
    await said("restart", "web");
    await said("wait", "web");
    expect((await said("run", "web", "--", "printenv", "NAME")).trim()).not.toBe("");
    await said("logs");
    expect(await said("registry", "list")).toContain(cwd);

    // Another daemon, and none.
    expect(await said("server", "restart")).toContain("http://");
    await eventually("the next daemon has the service", async () => {
      const found = await ended([program, "wait", "web", "--timeout", "30s"], {
        env: { ...process.env, ...env },
        cwd,
      });
      return found.code === 0;
    });
    await said("stop");
    expect(await said("server", "stop")).toContain("stopped");
    expect(place.pids()).toEqual([]);
  },
  patience,
);

test.skipIf(lacking(["chromium", "certutil"]) !== "")(
  `\`browser\` shows https without a warning${lacking(["chromium", "certutil"])}`,
  async () => {
    const program = await its.executable();
    await using system = await temporarySystem();
    await using place = await daemonPlace();
    await using server = await testServer();
    const env = { ...nothing(), ...system.env, ...place.env, PATH: path };
    const headless = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"];
    await its.outputOf([program, "server", "start", "--detach", "--port", "0"], { env });
    const words = [program, "browser", server.name, "--", ...headless, "--dump-dom"];
    expect((await its.outputOf(words, { env })).out).toContain("path /\n");
  },
  patience,
);
