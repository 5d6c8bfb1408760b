/** doctor, with the real program, a home and a root of its own. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Finding } from "../../src/cli/trust/finding.ts";
import { DAY } from "../../src/tls/certificate.ts";
import { ensureCertificateAuthority } from "../../src/tls/certificate-authority.ts";
import { identity } from "../support/throwaway-certificate-authority.ts";
import { daemonInFront } from "./cli.ts";
import { temporarySystem, type TemporarySystem } from "./temporary-system.ts";

/** Each doctor starts every program that may have to find a name, on a machine that may be busy. */
setDefaultTimeout(60_000);

async function findings(
  system: TemporarySystem,
  ...args: string[]
): Promise<{ code: number; of(check: string): Finding | undefined; all: Finding[] }> {
  const { code, out, err } = await system.run(["doctor", "--json", ...args]);
  expect(err).toBe("");
  const all = JSON.parse(out) as Finding[];
  return { code, all, of: (check) => all.find((its) => its.check === check) };
}

/** A port that nobody has, for a moment at least. */
async function freePort(): Promise<number> {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}

async function filesOf(directory: string): Promise<string[]> {
  return (await readdir(directory, { recursive: true })).sort();
}

test("on a new machine there are warnings, each with its command, and it makes nothing", async () => {
  await using system = await temporarySystem();
  const port = await freePort();
  const before = await filesOf(join(system.stateDirectory, ".."));
  const { code, of, all } = await findings(system, "--port", String(port));
  expect(code).toBe(0);
  expect(of("authority")).toMatchObject({ level: "warning", fix: "localhostess trust" });
  expect(of(`port ${port}`)).toEqual({
    check: `port ${port}`,
    level: "warning",
    detail: "the proxy is not running",
    fix: `localhostess server start --port ${port}`,
  });
  expect(of("port 80")?.level).toBe("ok");
  expect(of("port 443")?.level).toBe("ok");
  for (const check of ["the system's resolver", "curl", "Chromium"]) {
    expect(of(`names by ${check}`)?.level).toMatch(/^(ok|warning)$/);
  }
  for (const { level, fix } of all) if (level !== "ok") expect(fix).toBeString();
  expect(await filesOf(join(system.stateDirectory, ".."))).toEqual(before);
});

test("where all is well it says so, and what is not trusted any more is a warning", async () => {
  await using system = await temporarySystem();
  await system.run(["trust"]);
  const before = await filesOf(join(system.stateDirectory, ".."));
  await using proxy = await daemonInFront(system.env);
  const banner = proxy.output();
  const port = banner.match(/localhost:(\d+)\/proxy\.pac/)![1];
  const store = "trusted by system (/usr/local/share/ca-certificates)";
  const well = await findings(system);
  expect(well.code).toBe(0);
  expect(well.of("authority")).toMatchObject({
    level: "ok",
    detail: expect.stringContaining("localhostess "),
  });
  expect(well.of("authority: key")?.level).toBe("ok");
  expect(well.of("authority: expiry")?.level).toBe("ok");
  expect(well.of(store)).toMatchObject({ level: "ok", fix: null });
  expect(well.of(`port ${port}`)).toMatchObject({
    level: "ok",
    detail: expect.stringContaining("localhostess answers on 127.0.0.1"),
  });
  proxy.signal("SIGTERM");
  await proxy.ended();
  // The daemon's, which keeps them for the next launch.
  const kept = ["credential", "cache", "cache/page-port", "start.lock", "supervisor.lock"];
  const files = await filesOf(join(system.stateDirectory, ".."));
  const own = kept.map((name) => join("state", name));
  expect(files.filter((file) => !own.includes(file))).toEqual(before);

  await system.run(["untrust"]);
  const after = await findings(system, "--port", "1");
  expect(after.code).toBe(0);
  expect(after.of(store)).toMatchObject({
    level: "warning",
    detail: "no",
    fix: "localhostess trust",
  });
});

test("a key that others can read is broken, with the command that mends it", async () => {
  await using system = await temporarySystem();
  await system.run(["trust"]);
  const path = join(system.stateDirectory, "authority/authority.pem");
  await chmod(path, 0o644);
  const { code, of } = await findings(system);
  expect(code).toBe(1);
  expect(of("authority")).toEqual({
    check: "authority",
    level: "broken",
    detail: `${path}: is open to other users (mode 644)`,
    fix: `chmod 600 ${path}`,
  });
  const { out, code: told } = await system.run(["doctor"]);
  expect(told).toBe(1);
  expect(out).toContain(
    `broken   authority: ${path}: is open to other users (mode 644)\n         -> chmod 600 ${path}\n`,
  );
});

test("the last 90 days of an authority are a warning", async () => {
  for (const [left, level] of [
    [89, "warning"],
    [92, "ok"],
  ] as const) {
    await using system = await temporarySystem();
    const { stateDirectory } = system;
    const at = Date.now() - (3650 - left) * DAY;
    const clock = { now: () => 0, wall: () => at, after: () => () => {}, every: () => () => {} };
    // Made then, so it ends in that many days.
    await mkdir(stateDirectory);
    const uid = process.getuid?.();
    await ensureCertificateAuthority({
      stateDirectory,
      kind: "names",
      clock,
      identity: { ...identity, uid },
      tlds: [],
    });
    const { of, code } = await findings(system);
    expect(code).toBe(0);
    expect(of("authority: expiry")?.level).toBe(level);
    if (level === "warning") {
      expect(of("authority: expiry")).toMatchObject({
        detail: expect.stringContaining("it expires in 88 days"),
        fix: "localhostess trust --renew",
      });
    }
  }
});

test("a port that another program has is broken, and it is named", async () => {
  await using system = await temporarySystem();
  using server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket) {
        socket.end("no\n");
      },
    },
  });
  const { code, of } = await findings(system, "--port", String(server.port));
  expect(code).toBe(1);
  expect(of(`port ${server.port}`)).toMatchObject({
    level: "broken",
    detail: expect.stringContaining(`it is in use by pid ${process.pid}: `),
    fix: `kill ${process.pid}, or choose another port: localhostess server start --port 0`,
  });
});

test("a curl that cannot resolve is a warning, and one that is missing is none", async () => {
  await using system = await temporarySystem();
  const bin = join(system.root, "bin");
  await mkdir(bin);
  await writeFile(join(bin, "curl"), "#!/bin/sh\nexit 6\n", { mode: 0o755 });
  const { out } = await system.run(["doctor", "--json"], { env: { PATH: bin } });
  const of = (JSON.parse(out) as Finding[]).find(({ check }) => check === "names by curl");
  expect(of).toMatchObject({
    level: "warning",
    fix: expect.stringContaining("http_proxy=http://127.0.0.1:"),
  });
});
