/** NSS databases: with the real certutil where there is one, in homes that are gone afterwards. */
import { expect, test } from "bun:test";
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nssStore, nssStores } from "../../../src/tls/trust/nss.ts";
import { nssDatabases } from "../../../src/tls/trust/nss-databases.ts";
import type { Certificate, TrustStore } from "../../../src/tls/trust/store.ts";
import { describeWith } from "../../support/with-programs.ts";
import { certificateIn } from "./certificates.ts";
import { done, real, temporaryMachine } from "./temporary-machine.ts";

async function certutil(...args: string[]): Promise<string> {
  const result = await real(["certutil", ...args], undefined);
  if (result.kind !== "done" || result.code !== 0) throw new Error(JSON.stringify(result));
  return result.stdout;
}

async function database(directory: string, ...password: string[]): Promise<void> {
  await mkdir(directory, { recursive: true });
  const how = password.length === 0 ? ["--empty-password"] : password;
  await certutil("-N", "-d", `sql:${directory}`, ...how);
}

describeWith(["certutil"])("with certutil", () => {
  test("a database that is not there is made, and the certificate trusted for servers only", async () => {
    await using temporary = await temporaryMachine(real);
    const { machine } = temporary;
    const directory = join(machine.home, "data/pki/nssdb");
    const store = nssStore({ name: "x", directory, made: false }, machine);
    const certificate = await certificateIn(machine.home);
    expect(await store.check(certificate)).toMatchObject({ kind: "absent" });
    expect(await store.remove(certificate)).toEqual({ kind: "already" });
    expect(await store.install(certificate)).toMatchObject({ kind: "done" });
    expect(await certutil("-L", "-d", `sql:${directory}`)).toMatch(/^localhostess \w{16} +C,, *$/m);
  });

  test("a database that was made for us goes with our last certificate, and the folders that were made for it", async () => {
    await using temporary = await temporaryMachine(real);
    const { machine } = temporary;
    const directory = join(machine.home, "data/pki/nssdb");
    await mkdir(join(machine.home, "data"));
    const store = nssStore({ name: "x", directory, made: false }, machine);
    const [first, second] = [await certificateIn(machine.home), await certificateIn(machine.home)];
    for (const its of [first, second]) await store.install(its);
    expect(await store.remove(first)).toMatchObject({ kind: "done" });
    expect(await store.check(second)).toEqual({ kind: "trusted" });
    expect(await store.remove(second)).toMatchObject({ kind: "done" });
    expect(await readdir(join(machine.home, "data"))).toEqual([]);
    expect(await store.remove(second)).toEqual({ kind: "already" });
    expect(await store.install(first)).toMatchObject({ kind: "done" });
  });

  test("one that was made for us stays where it has something of others by then", async () => {
    await using temporary = await temporaryMachine(real);
    const { machine } = temporary;
    const directory = join(machine.home, "pki/nssdb");
    const store = nssStore({ name: "x", directory, made: false }, machine);
    const [own, other] = [await certificateIn(machine.home), await certificateIn(machine.home)];
    await store.install(own);
    const place = `sql:${directory}`;
    await certutil("-A", "-d", place, "-n", "work", "-t", "C,,", "-i", other.path);
    expect(await store.remove(own)).toMatchObject({ kind: "done" });
    expect(await certutil("-L", "-d", place)).toMatch(/^work +C,, *$/m);
  });

  for (const order of ["oldest", "newest"]) {
    test(`of three authorities with one subject, each comes and goes alone, the ${order} first`, async () => {
      await using temporary = await temporaryMachine(real);
      const { machine } = temporary;
      await database(join(machine.home, ".pki/nssdb"));
      const [store] = await nssStores(machine);
      expect(store!.name).toBe("Chromium (~/.pki/nssdb)");
      const all: Certificate[] = [];
      for (let index = 0; index < 3; index++) all.push(await certificateIn(machine.home));
      if (order === "newest") all.reverse();
      const states = async () =>
        await Promise.all(all.map(async (its) => (await store!.check(its)).kind));
      for (const certificate of all) {
        expect(await store!.install(certificate)).toMatchObject({ kind: "done" });
        expect(await store!.install(certificate)).toEqual({ kind: "already" });
      }
      expect(await states()).toEqual(all.map(() => "trusted"));
      for (const [index, certificate] of all.entries()) {
        expect(await store!.remove(certificate)).toMatchObject({ kind: "done" });
        expect(await store!.remove(certificate)).toEqual({ kind: "already" });
        expect(await states()).toEqual(
          all.map((_, other) => (other <= index ? "absent" : "trusted")),
        );
      }
    });
  }

  test("two that somebody has imported are not told apart, so neither is removed", async () => {
    await using temporary = await temporaryMachine(real);
    const { machine } = temporary;
    const directory = join(machine.home, ".mozilla/firefox/a.default");
    await database(directory);
    const [one, two] = [await certificateIn(machine.home), await certificateIn(machine.home)];
    for (const [index, { path }] of [one, two].entries()) {
      const nickname = `localhostess by hand ${index}`;
      await certutil("-A", "-d", `sql:${directory}`, "-i", path, "-n", nickname, "-t", "C,,");
    }
    const [store] = await nssStores(machine);
    for (const certificate of [one, two]) {
      expect(await store!.check(certificate)).toEqual({ kind: "trusted" });
      expect(await store!.remove(certificate)).toMatchObject({
        kind: "failed",
        fix: expect.stringContaining('remove "localhostess by hand'),
      });
    }
  });

  test("one that somebody has imported is known, trusted and removed under its own nickname", async () => {
    await using temporary = await temporaryMachine(real);
    const { machine } = temporary;
    const directory = join(machine.home, ".mozilla/firefox/a.default");
    await database(directory);
    const certificate = await certificateIn(machine.home);
    const add = ["-A", "-d", `sql:${directory}`, "-i", certificate.path];
    await certutil(...add, "-n", "localhostess ada@engine - mine", "-t", ",,");
    const [store] = await nssStores(machine);
    expect(await store!.check(certificate)).toEqual({
      kind: "absent",
      why: "it is there, but not trusted for servers",
    });
    expect(await store!.install(certificate)).toMatchObject({ kind: "done" });
    expect(await certutil("-L", "-d", `sql:${directory}`)).toMatch(
      /^localhostess ada@engine - mine +C,, *$/m,
    );
    expect(await store!.remove(certificate)).toMatchObject({ kind: "done" });
    expect(await certutil("-L", "-d", `sql:${directory}`)).not.toContain("localhostess");
  });

  test("other certificates are left alone", async () => {
    await using temporary = await temporaryMachine(real);
    const { machine } = temporary;
    const directory = join(machine.home, ".pki/nssdb");
    await database(directory);
    const [ours, other] = [await certificateIn(machine.home), await certificateIn(machine.home)];
    await certutil(
      "-A",
      "-d",
      `sql:${directory}`,
      "-i",
      other.path,
      "-n",
      "company",
      "-t",
      "CT,C,C",
    );
    const [store] = await nssStores(machine);
    await store!.install(ours);
    await store!.remove(ours);
    expect(await certutil("-L", "-d", `sql:${directory}`)).toMatch(/^company +CT,C,C *$/m);
  });

  test("a master password is a failure that does not wait, and leaves nothing behind", async () => {
    await using temporary = await temporaryMachine(real);
    const { machine } = temporary;
    const directory = join(machine.home, ".mozilla/firefox/a.default");
    await writeFile(join(machine.home, "password"), "secret\n");
    await database(directory, "-f", join(machine.home, "password"));
    const certificate = await certificateIn(machine.home);
    const [store] = await nssStores(machine);
    expect(await store!.install(certificate)).toEqual({
      kind: "failed",
      why: "it has a master password, which only the browser can be given",
      fix: expect.stringContaining("import the certificate in the browser's settings"),
    });
    expect(await store!.check(certificate)).toEqual({ kind: "absent" });
  });

  test("a file that is no database is a failure of that store alone", async () => {
    await using temporary = await temporaryMachine(real);
    const { machine } = temporary;
    await database(join(machine.home, ".pki/nssdb"));
    const broken = join(machine.home, ".mozilla/firefox/broken");
    await mkdir(broken, { recursive: true });
    await writeFile(join(broken, "cert9.db"), "not SQLite");
    const certificate = await certificateIn(machine.home);
    const [good, bad] = await nssStores(machine);
    expect(await bad!.install(certificate)).toMatchObject({
      kind: "failed",
      why: expect.stringContaining("certutil failed with 255"),
    });
    expect(await bad!.check(certificate)).toMatchObject({ kind: "unavailable" });
    expect(await good!.install(certificate)).toMatchObject({ kind: "done" });
  });
});

test("without certutil, the package is named for each distribution", async () => {
  const packages: [release: string, fix: string][] = [
    ["ID=ubuntu\nID_LIKE=debian", "sudo apt-get install libnss3-tools"],
    ['NAME="Fedora"\nID=fedora', "sudo dnf install nss-tools"],
    ['ID="rocky"\nID_LIKE="rhel centos fedora"', "sudo dnf install nss-tools"],
    ["ID=manjaro\nID_LIKE=arch", "sudo pacman -S nss"],
    ['ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"', "sudo zypper install mozilla-nss-tools"],
    ["ID=alpine", "sudo apk add nss-tools"],
    ["ID=strange", "install the package of your system that has NSS's certutil"],
  ];
  for (const [release, fix] of packages) {
    await using temporary = await temporaryMachine(() => ({ kind: "missing" }));
    const { machine } = temporary;
    await temporary.put("/etc/os-release", `${release}\n`);
    const store = nssStore({ name: "x", directory: machine.home, made: true }, machine);
    const certificate = await certificateIn(machine.home);
    const missing = { why: "certutil is not installed", fix };
    expect(await store.check(certificate)).toEqual({ kind: "unavailable", ...missing });
    expect(await store.install(certificate)).toEqual({ kind: "failed", ...missing });
    expect(await store.remove(certificate)).toEqual({ kind: "failed", ...missing });
  }
});

test("a certutil that hangs is a failure of its store", async () => {
  await using temporary = await temporaryMachine(() => ({
    kind: "failed",
    why: "certutil took longer than 10000 ms",
  }));
  const { machine } = temporary;
  const store: TrustStore = nssStore({ name: "x", directory: machine.home, made: true }, machine);
  expect(await store.install(await certificateIn(machine.home))).toMatchObject({
    kind: "failed",
    why: "certutil took longer than 10000 ms",
    fix: expect.stringContaining("close the browser and try again"),
  });
});

async function put(home: string, path: string): Promise<void> {
  await mkdir(join(home, path), { recursive: true });
  await writeFile(join(home, path, "cert9.db"), "");
}

test("databases are found in every place that browsers have them, each once", async () => {
  await using temporary = await temporaryMachine(() => done());
  const { machine } = temporary;
  const { home } = machine;
  const places = [
    ".pki/nssdb",
    ".local/share/pki/nssdb",
    "snap/chromium/common/.pki/nssdb",
    "snap/chromium/2000/.pki/nssdb",
    ".var/app/com.google.Chrome/data/pki/nssdb",
    ".var/app/org.chromium.Chromium/.pki/nssdb",
    ".mozilla/firefox/abc.default-release",
    ".config/mozilla/firefox/xyz.default",
    "snap/firefox/common/.mozilla/firefox/snap.default",
    ".var/app/org.mozilla.firefox/.mozilla/firefox/flat.default",
    ".var/app/org.mozilla.firefox/config/mozilla/firefox/newer.default",
    "elsewhere/moved profile",
  ];
  for (const place of places) await put(home, place);
  await symlink("2000", join(home, "snap/chromium/current"));
  await writeFile(
    join(home, ".mozilla/firefox/profiles.ini"),
    `[Profile0]\nIsRelative=1\nPath=abc.default-release\n[Profile1]\r\nIsRelative=0\r\nPath=${home}/elsewhere/moved profile\r\n`,
  );
  // No database: a folder that Firefox keeps beside its profiles.
  await mkdir(join(home, ".mozilla/firefox/Crash Reports"));
  const found = await nssDatabases(machine);
  expect(found.map(({ name }) => name).sort()).toEqual(
    [
      "Chromium (~/.pki/nssdb)",
      "Chromium (~/.local/share/pki/nssdb)",
      "Chromium (~/snap/chromium/common/.pki/nssdb)",
      "Chromium (~/snap/chromium/current/.pki/nssdb)",
      "Chromium (~/.var/app/com.google.Chrome/data/pki/nssdb)",
      "Chromium (~/.var/app/org.chromium.Chromium/.pki/nssdb)",
      "Firefox (~/.mozilla/firefox/abc.default-release)",
      "Firefox (~/.config/mozilla/firefox/xyz.default)",
      "Firefox (~/snap/firefox/common/.mozilla/firefox/snap.default)",
      "Firefox (~/.var/app/org.mozilla.firefox/.mozilla/firefox/flat.default)",
      "Firefox (~/.var/app/org.mozilla.firefox/config/mozilla/firefox/newer.default)",
      "Firefox (~/elsewhere/moved profile)",
    ].sort(),
  );
});

test("XDG variables move two of them, where they are absolute", async () => {
  await using temporary = await temporaryMachine(() => done());
  const { home } = temporary.machine;
  await put(home, "d/pki/nssdb");
  await put(home, "c/mozilla/firefox/p");
  const set = { XDG_DATA_HOME: join(home, "d"), XDG_CONFIG_HOME: join(home, "c") };
  const names = async (env: Record<string, string>) =>
    (await nssDatabases({ ...temporary.machine, env })).map(({ name }) => name);
  expect(await names(set)).toEqual(["Chromium (~/d/pki/nssdb)", "Firefox (~/c/mozilla/firefox/p)"]);
  expect(await names({ XDG_DATA_HOME: "d", XDG_CONFIG_HOME: "c" })).toEqual([]);
});

test("a Chromium that has not made its database yet gets one where it looks for it", async () => {
  await using temporary = await temporaryMachine(() => done());
  const { machine } = temporary;
  const bin = join(machine.root, "bin");
  await mkdir(bin);
  await writeFile(join(bin, "chromium"), "#!/bin/sh\n", { mode: 0o755 });
  const databases = async () => await nssDatabases({ ...machine, env: { PATH: bin } });
  const directory = join(machine.home, ".local/share/pki/nssdb");
  expect(await databases()).toEqual([
    { name: "Chromium (~/.local/share/pki/nssdb)", directory, made: false },
  ]);
  expect(await nssDatabases(machine)).toEqual([]);
  await put(machine.home, ".pki/nssdb");
  expect(await databases()).toMatchObject([{ name: "Chromium (~/.pki/nssdb)", made: true }]);
});
