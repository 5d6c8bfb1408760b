/** `untrust --forget`, with the real program: afterwards there is no key that any store could still believe. */
import { expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import {
  chmod,
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { connect } from "node:tls";
import { bodiesOf, bodyOf } from "../../src/tls/trust/pem.ts";
import { describeWith } from "../support/with-programs.ts";
import { daemonInFront, environment } from "./cli.ts";
import { type TemporarySystem, temporarySystem } from "./temporary-system.ts";

type Row = { store: string; authority: string; action: string; result: string; fix: string | null };

async function rows(
  its: TemporarySystem,
  ...args: string[]
): Promise<{ code: number; rows: Row[] }> {
  const { code, out, err } = await its.run([...args, "--json"]);
  if (out === "") throw new Error(err);
  return { code, rows: JSON.parse(out) as Row[] };
}

/** A machine with NSS has databases, too, wherever its browsers are. */
const words = (list: readonly Row[]) =>
  list
    .filter(({ store }) => !store.startsWith("Chromium") || store.includes("/.pki/"))
    .map(({ authority, action, result }) => `${authority} ${action} ${result}`);

/** Files below the state directory that have a private key in them. */
async function keysOf({ stateDirectory }: TemporarySystem): Promise<string[]> {
  const names = await readdir(stateDirectory, { recursive: true, withFileTypes: true });
  const keys: string[] = [];
  for (const its of names.filter((name) => name.isFile())) {
    const path = join(its.parentPath, its.name);
    if ((await readFile(path, "latin1")).includes("PRIVATE KEY")) keys.push(its.name);
  }
  return keys;
}

const folderOf = ({ stateDirectory }: TemporarySystem) => join(stateDirectory, "authority");
const keyOf = (its: TemporarySystem) => join(folderOf(its), "authority.pem");

test("takes both authorities out of the stores and deletes their keys, which plain untrust keeps", async () => {
  await using its = await temporarySystem();
  await its.run(["trust", "--bare-names"]);
  await its.run(["env"]);
  await its.run(["untrust"]);
  expect(await keysOf(its)).toEqual(["authority.pem", "authority.pem"]);
  await its.run(["trust", "--bare-names"]);
  const pem = await readFile(join(folderOf(its), "certificate.pem"), "utf8");

  const forgot = await rows(its, "untrust", "--forget");
  expect({ code: forgot.code, rows: words(forgot.rows) }).toEqual({
    code: 0,
    rows: ["names forget ok", "names remove ok", "bare forget ok", "bare remove ok"],
  });
  expect(forgot.rows[0]!.store).toContain(folderOf(its));
  expect(await its.bundle()).toBe("");
  expect(await keysOf(its)).toEqual([]);
  for (const folder of [folderOf(its), join(its.stateDirectory, "authority-bare")]) {
    const files = await readdir(folder, { recursive: true }).catch(() => []);
    expect(files.filter((name) => name.endsWith(".pem"))).toEqual([]);
  }
  // The files that shells of `env` go by have it no more.
  for (const name of await readdir(join(its.stateDirectory, "env"))) {
    const text = await readFile(join(its.stateDirectory, "env", name), "latin1");
    expect(bodiesOf(text)).not.toContain(bodyOf(pem));
  }

  const again = await its.run(["untrust", "--forget"]);
  expect({ code: again.code, out: again.out }).toEqual({ code: 0, out: "" });
  expect(again.err).toContain("there is no certificate authority");
  // And it begins anew.
  expect((await its.run(["trust"])).code).toBe(0);
  expect(await readFile(join(folderOf(its), "certificate.pem"), "utf8")).not.toBe(pem);
});

test("says to a person what was deleted", async () => {
  await using its = await temporarySystem();
  await its.run(["trust"]);
  const { code, out } = await its.run(["untrust", "--forget"]);
  expect(code).toBe(0);
  expect(out).toStartWith(
    `ok           the key in ${folderOf(its)} (deleted)\nok           system (/usr/local/share/ca-certificates) (removed)\n`,
  );
});

test("deletes what killed processes have left of a key", async () => {
  await using its = await temporarySystem();
  await its.run(["trust"]);
  await link(keyOf(its), `${keyOf(its)}.1.a.tmp`);
  expect((await its.run(["untrust", "--forget"])).code).toBe(0);
  expect(await keysOf(its)).toEqual([]);
});

describeWith(["certutil"])("a store that does not give it up", () => {
  test("keeps no key alive; its certificate is remembered until the store is without it", async () => {
    await using its = await temporarySystem();
    const nss = join(its.home, ".pki/nssdb");
    await mkdir(nss, { recursive: true });
    const database = (...args: string[]): string =>
      Bun.spawnSync(["certutil", ...args, "-d", `sql:${nss}`], {
        env: environment(),
      }).stdout.toString();
    database("-N", "--empty-password");
    await its.run(["trust"]);
    const good = await readFile(join(nss, "cert9.db"));
    await writeFile(join(nss, "cert9.db"), "broken");

    const forgot = await rows(its, "untrust", "--forget");
    expect(forgot.code).toBe(1);
    expect(words(forgot.rows)).toEqual([
      "names forget ok",
      "names remove ok",
      "names remove failed",
    ]);
    expect(await keysOf(its)).toEqual([]);

    await writeFile(join(nss, "cert9.db"), good);
    expect(database("-L")).toContain("localhostess");
    const status = await rows(its, "trust", "--status");
    expect(words(status.rows)).toContain("replaced check trusted");
    expect((await rows(its, "untrust")).code).toBe(0);
    expect(database("-L")).not.toContain("localhostess");
  });
});

test("forgets an authority that cannot be used: half a file, one that others may read, an expired copy alone", async () => {
  const breakages: ((its: TemporarySystem) => Promise<unknown>)[] = [
    async (its) => writeFile(keyOf(its), (await readFile(keyOf(its), "utf8")).slice(0, 150)),
    (its) => chmod(keyOf(its), 0o644),
    (its) => chmod(folderOf(its), 0o755),
    (its) => rm(keyOf(its)),
    (its) => rm(join(folderOf(its), "certificate.pem")),
  ];
  for (const breakage of breakages) {
    await using its = await temporarySystem();
    await its.run(["trust"]);
    await breakage(its);
    const forgot = await rows(its, "untrust", "--forget");
    expect({ code: forgot.code, rows: words(forgot.rows) }).toEqual({
      code: 0,
      rows: ["names forget ok", "names remove ok"],
    });
    expect(await its.bundle()).toBe("");
    expect(await keysOf(its)).toEqual([]);
  }
});

test("does not follow a link to somebody else's folder, and says so", async () => {
  await using its = await temporarySystem();
  await its.run(["trust"]);
  const elsewhere = join(its.home, "elsewhere");
  await rename(folderOf(its), elsewhere);
  await symlink(elsewhere, folderOf(its));
  const { code, err } = await its.run(["untrust", "--forget"]);
  expect(code).toBe(1);
  expect(err).toContain("not an ordinary directory");
  expect(await readdir(elsewhere)).toContain("authority.pem");
});

/** The certificate that a running proxy shows for a name. */
async function shown(port: number): Promise<X509Certificate> {
  const { promise, resolve, reject } = Promise.withResolvers<X509Certificate>();
  const socket = connect(
    { host: "127.0.0.1", port, servername: "localhost", rejectUnauthorized: false },
    () => resolve(new X509Certificate(socket.getPeerCertificate().raw)),
  );
  socket.on("error", reject);
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

test("a proxy that runs signs by the deleted key no more: the next handshake has another authority's", async () => {
  await using its = await temporarySystem();
  await its.run(["trust"]);
  const old = new X509Certificate(await readFile(join(folderOf(its), "certificate.pem")));
  await using proxy = await daemonInFront(its.env);
  const banner = proxy.output();
  const port = Number(banner.match(/localhost:(\d+)\/proxy\.pac/)![1]);
  expect((await shown(port)).verify(old.publicKey)).toBe(true);
  expect((await its.run(["untrust", "--forget"])).code).toBe(0);
  const leaf = await shown(port);
  expect(leaf.verify(old.publicKey)).toBe(false);
  const made = new X509Certificate(await readFile(join(folderOf(its), "certificate.pem")));
  expect(leaf.verify(made.publicKey)).toBe(true);
  expect(await its.bundle()).toBe("");
  proxy.signal("SIGTERM");
  await proxy.ended();
});

test("--renew takes an authority out of the stores whose key is lost already", async () => {
  await using its = await temporarySystem();
  await its.run(["trust"]);
  const old = await readFile(join(folderOf(its), "certificate.pem"), "utf8");
  await rm(keyOf(its));
  const renewed = await rows(its, "trust", "--renew");
  expect(words(renewed.rows)).toEqual(["names install ok", "replaced remove ok"]);
  expect(bodiesOf(await its.bundle())).not.toContain(bodyOf(old));
});
