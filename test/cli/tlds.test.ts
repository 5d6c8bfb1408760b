/** Names under configured domains, with the real program: started, found, explained, signed for. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Step } from "../../src/cli/servers/step.ts";
import { session, type Session } from "./cli.ts";
import { type TestServer, testServer } from "./server-process.ts";
import { temporarySystem, type TemporarySystem } from "./temporary-system.ts";

/** Each test runs the program several times, on a machine that may be busy. */
setDefaultTimeout(60_000);

let system: TemporarySystem;
let server: TestServer;
let proxy: Session;
let port: number;

beforeAll(async () => {
  system = await temporarySystem();
  // An authority from before any domain was configured.
  expect((await system.run(["trust", "--json"])).code).toBe(0);
  const config = join(system.home, "config.toml");
  await writeFile(config, 'tlds = ["lan"]\n');
  system.env.LOCALHOSTESS_CONFIG = config;
  server = await testServer();
  proxy = start("--tld", "test", "--tld", "dev");
  const said = await proxy.until(
    (text) => text.includes(`+ ${server.name}`) && text.includes("--renew"),
  );
  port = Number(said.match(/localhost:(\d+)\/proxy\.pac/)![1]);
});

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await server.end();
  await system[Symbol.asyncDispose]();
});

function start(...args: string[]): Session {
  return session(["server", "start", "--port", "0", ...args], {
    env: system.env,
    terminal: false,
  });
}

async function run(...args: string[]) {
  const { env } = system;
  const { cli } = await import("./cli.ts");
  return await cli(args, { env });
}

async function why(text: string): Promise<{ code: number; last: Step; steps: Step[] }> {
  const { code, out } = await run("why", text, "--json");
  const steps = JSON.parse(out) as Step[];
  return { code, steps, last: steps.at(-1)! };
}

function curl(...args: string[]): { code: number; out: string; err: string } {
  const { stdout, stderr, exitCode } = Bun.spawnSync(
    ["curl", "-q", "-sS", "--max-time", "10", ...args],
    { env: { PATH: process.env.PATH! } },
  );
  return { code: exitCode, out: stdout.toString(), err: stderr.toString() };
}

const byProxy = (): string[] => ["-x", `http://127.0.0.1:${port}`];
const certificatePath = (): string => join(system.stateDirectory, "authority/certificate.pem");

test("the start says what each domain risks, and what the certificate authority may not sign for", () => {
  const said = proxy.output();
  expect(said).toContain(`http://<name>/, http://<name>.test/, http://<name>.dev/`);
  expect(said).toContain(".dev has public sites, or may have some in the future");
  expect(said).not.toContain(".test has real sites");
  expect(said).toContain(
    "the certificate authority may not sign for .test and .dev, so there is no https for names under it; localhostess trust --renew",
  );
});

test("a name under a domain is its service, as a URL and as Host", () => {
  expect(curl(...byProxy(), `http://${server.name}.test/x`).out).toBe("path /x\n");
  expect(curl("-H", `Host: ${server.name}.dev:1`, `http://127.0.0.1:${port}/x`).out).toBe(
    "path /x\n",
  );
});

test("an unknown one is left to whoever else has it, and as Host it is explained", () => {
  expect(curl(...byProxy(), "http://nosuch.dev/").code).toBe(52);
  const direct = curl("-H", "Host: nosuch.dev", `http://127.0.0.1:${port}/`);
  expect(direct.out).toContain("no server is named nosuch");
  const foreign = curl("-H", `Host: ${server.name}.lan`, `http://127.0.0.1:${port}/`);
  expect(foreign.out).toContain(`${server.name}.lan is not served here`);
});

test("other verbs know the domains of the proxy that runs", async () => {
  const url = `http://${server.name}.localhost:${port}`;
  expect((await run("url", `${server.name}.test`)).out).toBe(`${url}\n`);
  expect((await run("url", `http://${server.name}.dev/`)).out).toBe(`${url}\n`);
  const { out } = await run("pac");
  expect(out).toContain('[".test", ".dev"]');
  // Servers of other tests come and go.
  const still = (text: string): string => text.replace(/var known = .*/, "");
  expect(out).toContain(` ${server.name} `);
  expect(still(out)).toBe(still(curl(`http://localhost:${port}/proxy.pac`).out));
  expect((await run("port", `${server.name}.lan`)).code).toBe(1);
});

test("why walks to it, and says where https ends", async () => {
  const plain = await why(`http://${server.name}.test/`);
  expect(plain.code).toBe(0);
  expect(plain.steps[0]!.detail).toContain("is under .test, so only a browser with the PAC file");
  expect(plain.last.detail).toContain("200 OK");
  const secure = await why(`https://${server.name}.test/`);
  expect(secure.code).toBe(1);
  expect(secure.last).toMatchObject({
    step: "certificate",
    ok: false,
    detail: expect.stringContaining("may not sign for names under .test"),
    fix: "localhostess trust --renew",
  });
  const bare = await why(`https://${server.name}/`);
  expect(bare.code).toBe(1);
  expect(bare.last).toMatchObject({ step: "certificate", ok: false });
  expect(bare.last.fix).toContain(`https://${server.name}.localhost:${port}/`);
  expect(bare.last.fix).toContain("localhostess trust --bare-names");
});

test("doctor says the same", async () => {
  const { out } = await system.run(["doctor", "--json"]);
  const findings = JSON.parse(out) as { check: string; level: string; fix: string | null }[];
  const of = (check: string) => findings.find((its) => its.check === check);
  expect(of("names under .test")).toMatchObject({ level: "ok" });
  expect(of("names under .dev")).toMatchObject({ level: "warning" });
  expect(of("authority: names")).toMatchObject({
    level: "warning",
    fix: "localhostess trust --renew",
  });
});

test("after trust --renew the running proxy signs for them, with no restart and no session of before", async () => {
  const secure = (host: string) =>
    curl(...byProxy(), "--cacert", certificatePath(), `https://${host}/x`);
  const refused = secure(`${server.name}.test`);
  expect(refused.code).not.toBe(0);
  const kept = join(system.home, "session");
  const s_client = (...args: string[]): string => {
    const name = `${server.name}.localhost`;
    const connect = ["s_client", "-connect", `127.0.0.1:${port}`, "-servername", name];
    const { stdout } = Bun.spawnSync(
      ["openssl", ...connect, "-CAfile", certificatePath(), "-ign_eof", ...args],
      { stdin: Buffer.from(`GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`) },
    );
    return stdout.toString();
  };
  expect(s_client("-sess_out", kept)).toContain("Verify return code: 0 (ok)");
  expect(s_client("-sess_in", kept)).toContain("Reused, ");
  const before = new X509Certificate(await Bun.file(certificatePath()).text());

  const renewed = await system.run(["trust", "--renew"]);
  expect(renewed.err).not.toContain("started again");
  const after = new X509Certificate(await Bun.file(certificatePath()).text());
  expect(after.fingerprint256).not.toBe(before.fingerprint256);

  const resumed = s_client("-sess_in", kept);
  expect(resumed).toContain("New, ");
  expect(resumed).toContain("Verify return code: 0 (ok)");
  for (const domain of ["test", "dev", "localhost"]) {
    expect(secure(`${server.name}.${domain}`).out).toBe("path /x\n");
  }
  await proxy.until((text) => text.includes("the certificate authority was replaced"));
  expect((await why(`https://${server.name}.test/`)).code).toBe(0);
});

test("a stranger's curl is told by the certificate, and whoever goes on is told the rest", async () => {
  const url = `https://${server.name}/`;
  expect(curl(...byProxy(), "--cacert", certificatePath(), url).code).toBe(60);
  const told = curl(...byProxy(), "-k", url);
  expect(told.out).toContain(`use https://${server.name}.localhost:${port}/`);
  expect(told.out).toContain("localhostess trust --bare-names");
  await proxy.until((text) => text.includes(`https://${server.name}/ has no certificate`));
});

test("after trust --bare-names it is served, with no restart", async () => {
  expect((await system.run(["trust", "--bare-names", "--json"])).code).toBe(0);
  const bare = join(system.stateDirectory, "authority-bare/certificate.pem");
  const url = `https://${server.name}/x`;
  expect(curl(...byProxy(), "--cacert", bare, url).out).toBe("path /x\n");
  expect((await why(url)).code).toBe(0);
});

test("the subject of the authority has the name of the user, also where no variable says it", async () => {
  const { USER: _, LOGNAME: _l, ...env } = process.env as Record<string, string>;
  const { stdout } = Bun.spawnSync(["id", "-un"]);
  const script = `import { userName } from ${JSON.stringify(join(import.meta.dir, "../../src/system/user.ts"))}; console.log(await userName());`;
  const said = Bun.spawnSync([process.execPath, "-e", script], { env });
  expect(said.stdout.toString()).toBe(stdout.toString());
  const subject = new X509Certificate(await Bun.file(certificatePath()).text()).subject;
  expect(subject).toContain(`localhostess ${stdout.toString().trim()}@`);
});
