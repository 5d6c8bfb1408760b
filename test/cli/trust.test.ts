/** trust and untrust, with the real program, a home and a root of its own, and the real certutil. */
import { expect, test } from "bun:test";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bodiesOf, bodyOf } from "../../src/tls/trust/pem.ts";
import { describeWith } from "../support/with-programs.ts";
import { cli, environment } from "./cli.ts";
import { temporarySystem, type TemporarySystem } from "./temporary-system.ts";

type Row = {
  store: string;
  authority: string;
  action: string;
  result: string;
  why: string | null;
  fix: string | null;
};

async function rows(
  system: TemporarySystem,
  ...args: string[]
): Promise<{ code: number; rows: Row[] }> {
  const { code, out } = await system.run([...args, "--json"]);
  return { code, rows: JSON.parse(out) as Row[] };
}

function database(directory: string, ...args: string[]): string {
  const { stdout, exitCode, stderr } = Bun.spawnSync(
    ["certutil", ...args, "-d", `sql:${directory}`],
    { env: environment() },
  );
  if (exitCode !== 0) throw new Error(stderr.toString());
  return stdout.toString();
}

async function withBrowsers(): Promise<TemporarySystem & { nss: string[] }> {
  const system = await temporarySystem();
  const nss = [".pki/nssdb", ".mozilla/firefox/a.default"].map((path) => join(system.home, path));
  for (const directory of nss) {
    await mkdir(directory, { recursive: true });
    database(directory, "-N", "--empty-password");
  }
  return { ...system, nss };
}

const system = "system (/usr/local/share/ca-certificates)";
const certificatePath = ({ stateDirectory }: TemporarySystem) =>
  join(stateDirectory, "authority/certificate.pem");

describeWith(["certutil"])("trust", () => {
  test("puts the authority into every store, then says that it is there; untrust takes it out", async () => {
    await using its = await withBrowsers();
    const before = await its.run(["trust", "--status"]);
    expect(before.code).toBe(1);
    expect(before.out).toContain(`absent       ${system}\n             -> localhostess trust\n`);
    expect(before.err).toContain("there is no certificate authority yet");
    // Only looked: nothing was made.
    expect(
      await readdir(join(its.stateDirectory, "..")).then((names) => names.sort()),
    ).not.toContain("state");

    const first = await its.run(["trust"]);
    expect({ code: first.code, out: first.out }).toEqual({
      code: 0,
      out: [
        `ok           ${system}`,
        "ok           Chromium (~/.pki/nssdb): restart the browser if it is running",
        "ok           Firefox (~/.mozilla/firefox/a.default): restart the browser if it is running\n",
      ].join("\n"),
    });
    expect(first.err).toContain("only for localhost and names under it, until ");
    const pem = await readFile(certificatePath(its), "utf8");
    expect(bodiesOf(await its.bundle())).toEqual([bodyOf(pem)]);
    for (const directory of its.nss) {
      expect(database(directory, "-L")).toMatch(/^localhostess \w{16} +C,, *$/m);
    }

    expect((await rows(its, "trust")).rows.map(({ result }) => result)).toEqual(
      Array(3).fill("already"),
    );
    expect(await rows(its, "trust", "--status")).toEqual({
      code: 0,
      rows: [system, "Chromium (~/.pki/nssdb)", "Firefox (~/.mozilla/firefox/a.default)"].map(
        (store) => ({
          store,
          authority: "names",
          action: "check",
          result: "trusted",
          why: null,
          fix: null,
        }),
      ),
    });

    expect(await rows(its, "untrust")).toMatchObject({
      code: 0,
      rows: Array(3).fill({ action: "remove", result: "ok" }),
    });
    expect(await its.bundle()).toBe("");
    for (const directory of its.nss)
      expect(database(directory, "-L")).not.toContain("localhostess");
    expect(await rows(its, "untrust")).toMatchObject({
      code: 0,
      rows: Array(3).fill({ result: "already" }),
    });
    expect(await rows(its, "trust", "--status")).toMatchObject({ code: 1 });
  });

  test("--renew leaves the new one alone in every store, and env's files have it", async () => {
    await using its = await withBrowsers();
    await its.run(["trust"]);
    const old = await readFile(certificatePath(its), "utf8");
    const { SSL_CERT_FILE } = JSON.parse((await its.run(["env", "--json"])).out) as Record<
      string,
      string
    >;
    const renewed = await rows(its, "trust", "--renew");
    expect(renewed.code).toBe(0);
    expect(
      renewed.rows.map(({ authority, action, result }) => `${authority} ${action} ${result}`),
    ).toEqual([...Array(3).fill("names install ok"), ...Array(3).fill("replaced remove ok")]);
    const pem = await readFile(certificatePath(its), "utf8");
    expect(pem).not.toBe(old);
    expect(bodiesOf(await its.bundle())).toEqual([bodyOf(pem)]);
    for (const directory of its.nss) {
      expect(database(directory, "-L").match(/localhostess/g)).toHaveLength(1);
    }
    const trusted = bodiesOf(await readFile(SSL_CERT_FILE!, "utf8"));
    expect(trusted).toContain(bodyOf(pem));
    expect(trusted).not.toContain(bodyOf(old));
    // Forgotten, as it is in no store any more.
    expect((await rows(its, "trust")).rows).toHaveLength(3);
  });

  test("an old one that a store would not give up is tried again next time", async () => {
    await using its = await withBrowsers();
    await its.run(["trust"]);
    const file = join(its.nss[1]!, "cert9.db");
    const good = await readFile(file);
    await writeFile(file, "broken");
    const renewed = await rows(its, "trust", "--renew");
    expect(renewed.code).toBe(1);
    const firefox = renewed.rows.filter(({ store }) => store.startsWith("Firefox"));
    expect(firefox.map(({ result }) => result)).toEqual(["failed", "failed"]);
    expect(firefox.every(({ fix }) => fix !== null)).toBeTrue();
    // The others have it all the same.
    expect(renewed.rows.filter(({ result }) => result === "ok")).toHaveLength(4);

    await writeFile(file, good);
    expect((await rows(its, "trust", "--status")).rows).toContainEqual(
      expect.objectContaining({
        authority: "replaced",
        result: "trusted",
        fix: "localhostess trust",
      }),
    );
    const again = await rows(its, "trust");
    expect(again).toMatchObject({ code: 0 });
    expect(again.rows.at(-1)).toMatchObject({
      authority: "replaced",
      action: "remove",
      result: "ok",
    });
    expect(database(its.nss[1]!, "-L").match(/localhostess/g)).toHaveLength(1);
  });

  test("--bare-names is a second authority, and no verb makes it unasked", async () => {
    await using its = await withBrowsers();
    await its.run(["trust"]);
    await its.run(["env"]);
    const states = async () => (await readdir(its.stateDirectory)).sort();
    expect(await states()).toEqual(["authority", "env"]);
    const refused = await its.run(["trust", "--bare-names", "--renew"]);
    expect(refused).toMatchObject({
      code: 1,
      err: expect.stringContaining("create one with: localhostess trust --bare-names"),
    });
    const asked = await its.run(["trust", "--bare-names"]);
    expect(asked.code).toBe(0);
    expect(asked.err).toContain("which may sign for any name, until ");
    expect(asked.out).toContain("ok           Chromium (~/.pki/nssdb) (bare names)");
    expect(await states()).toEqual(["authority", "authority-bare", "env"]);
    expect((await rows(its, "untrust")).rows.map(({ authority }) => authority)).toEqual([
      ...Array(3).fill("names"),
      ...Array(3).fill("bare"),
    ]);
    // Consent is not kept: plain trust is the constrained one only.
    expect((await rows(its, "trust")).rows.map(({ authority }) => authority)).toEqual(
      Array(3).fill("names"),
    );
  });
});

test("an authority that is broken is told, and nothing is trusted", async () => {
  await using its = await temporarySystem();
  await its.run(["trust"]);
  await its.run(["untrust"]);
  await writeFile(join(its.stateDirectory, "authority/authority.pem"), "nonsense", { mode: 0o600 });
  for (const args of [["trust"], ["trust", "--status"], ["env"]]) {
    const { code, out, err } = await its.run(args);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("trust --renew");
  }
  expect(await its.bundle()).toBe("");
  const mended = await its.run(["trust", "--renew"]);
  expect(mended.code).toBe(0);
  expect(bodiesOf(await its.bundle())).toHaveLength(1);
});

test("untrust takes out an authority whose key is gone", async () => {
  await using its = await temporarySystem();
  await its.run(["trust"]);
  await rm(join(its.stateDirectory, "authority/authority.pem"));
  const { code, out, err } = await its.run(["untrust"]);
  expect(code).toBe(1);
  expect(out).toContain(`ok           ${system} (removed)`);
  expect(err).toContain("is missing");
  expect(await its.bundle()).toBe("");
});

test("untrust where there never was an authority does nothing, and makes none", async () => {
  await using its = await temporarySystem();
  const { code, out, err } = await its.run(["untrust"]);
  expect({ code, out }).toEqual({ code: 0, out: "" });
  expect(err).toContain("there is no certificate authority");
  expect(await readdir(join(its.stateDirectory, ".."))).not.toContain("state");
});

test("mistakes are usage errors", async () => {
  await using its = await temporarySystem();
  expect(await its.run(["trust", "--status", "--renew"])).toMatchObject({
    code: 2,
    err: expect.stringContaining("--status and --renew cannot be combined"),
  });
  expect(await cli(["trust", "--root", "here"], { env: its.env })).toMatchObject({ code: 2 });
});

test.skipIf(process.getuid?.() !== 0)(
  "under sudo it refuses: the authority is the person's",
  async () => {
    await using its = await temporarySystem();
    for (const verb of ["trust", "untrust"]) {
      expect(await its.run([verb], { env: { SUDO_UID: "1000" } })).toMatchObject({
        code: 2,
        err: expect.stringContaining("without sudo"),
      });
    }
  },
);

test("the help of --bare-names says what it costs, and --root is not in it", async () => {
  const { out } = await cli(["trust", "--help"]);
  expect(out).toContain("sign for every name");
  expect(out).not.toContain("--root");
});
