/** Bundles: what was trusted before, and ours. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import {
  type Kept,
  keptOf,
  renewBundles,
  systemRoots,
  writeBundle,
} from "../../../src/tls/trust/bundle.ts";
import { javaTruststore, truststorePassword } from "../../../src/tls/trust/java-truststore.ts";
import { bodiesOf, bodyOf, sha256Of } from "../../../src/tls/trust/pem.ts";
import { certificateIn } from "./certificates.ts";
import { real, temporaryMachine } from "./temporary-machine.ts";

let stateDirectory: string;

beforeEach(async () => {
  stateDirectory = await mkdtemp(join(tmpdir(), "localhostess-bundle-"));
});

afterEach(() => rm(stateDirectory, { recursive: true, force: true }));

const certificate = () => certificateIn(stateDirectory);

test("a bundle has the person's certificates in their order and ours at the end, each once", async () => {
  const [one, two, ours] = [await certificate(), await certificate(), await certificate()];
  const path = join(stateDirectory, "corporate\n.pem");
  await writeFile(path, `# theirs\r\n${one.pem}${two.pem}${ours.pem}${one.pem}`);
  const bundle = await writeBundle({ kind: "file", path }, { ours: [ours.pem], stateDirectory });
  expect(bodiesOf(await readFile(bundle.path, "utf8"))).toEqual(
    [one, two, ours].map((its) => bodyOf(its.pem)),
  );
});

test("what a bundle has kept is found again, so that it does not grow", async () => {
  const [theirs, ours] = [await certificate(), await certificate()];
  const kept: Kept = { kind: "file", path: theirs.path };
  const first = await writeBundle(kept, { ours: [ours.pem], stateDirectory });
  expect(await keptOf(theirs.path, stateDirectory)).toEqual(kept);
  expect(await keptOf(first.path, stateDirectory)).toEqual(kept);
  expect(await keptOf(first.path.replace(".pem", ".p12"), stateDirectory)).toEqual(kept);
  const again = await writeBundle(await keptOf(first.path, stateDirectory), {
    ours: [ours.pem],
    stateDirectory,
  });
  expect(again).toEqual(first);
  await rm(first.path);
  expect(await keptOf(first.path, stateDirectory)).toEqual({ kind: "nothing" });
});

test("two things to keep are two files", async () => {
  const [one, two, ours] = [await certificate(), await certificate(), await certificate()];
  const options = { ours: [ours.pem], stateDirectory };
  const kepts: Kept[] = [
    { kind: "file", path: one.path },
    { kind: "file", path: two.path },
    { kind: "nothing" },
    { kind: "built-in" },
  ];
  const bundles = await Promise.all(kepts.map((kept) => writeBundle(kept, options)));
  expect(new Set(bundles.map(({ path }) => path)).size).toBe(4);
  expect(bodiesOf(bundles[2]!.pem)).toEqual([bodyOf(ours.pem)]);
  expect(bodiesOf(bundles[3]!.pem).length).toBe(new Set(rootCertificates).size + 1);
});

test("a file without certificates, or that is not there, is nothing to keep", async () => {
  const path = join(stateDirectory, "empty.pem");
  const ours = (await certificate()).pem;
  const write = () => writeBundle({ kind: "file", path }, { ours: [ours], stateDirectory });
  await expect(write()).rejects.toThrow(`there is no file ${path}`);
  await writeFile(path, "");
  await expect(write()).rejects.toThrow(`there is no certificate in ${path}`);
});

test("a renewed authority takes the place of the old one in every bundle, and in nothing else", async () => {
  const [theirs, old, renewed] = [await certificate(), await certificate(), await certificate()];
  const { path } = await writeBundle(
    { kind: "file", path: theirs.path },
    { ours: [old.pem], stateDirectory },
  );
  await writeFile(join(stateDirectory, "env/mine.pem"), old.pem);
  const bundles = await renewBundles(stateDirectory, [renewed.pem]);
  expect(bundles.map((its) => its.path)).toEqual([path]);
  expect(bodiesOf(await readFile(path, "utf8"))).toEqual(
    [theirs, renewed].map((its) => bodyOf(its.pem)),
  );
  expect(await readFile(join(stateDirectory, "env/mine.pem"), "utf8")).toBe(old.pem);
  expect(await renewBundles(join(stateDirectory, "nowhere"), [])).toEqual([]);
});

test("the system's roots are the first of the known files, or else the runtime's own", async () => {
  await using temporary = await temporaryMachine(real);
  const { root } = temporary.machine;
  expect(await systemRoots(root)).toEqual({ kind: "built-in" });
  for (const path of ["/etc/ssl/cert.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"]) {
    await temporary.put(path, "x");
    expect(await systemRoots(root)).toEqual({ kind: "file", path: join(root, path) });
  }
  await temporary.put("/etc/ssl/certs/ca-certificates.crt", "");
  expect(await systemRoots(root)).toMatchObject({ path: expect.stringContaining("tls-ca-bundle") });
});

const readers = { keytool: Bun.which("keytool"), openssl: Bun.which("openssl") };

test.skipIf(readers.keytool === null)(
  "Java's keytool reads every certificate as one to trust",
  async () => {
    const all = [await certificate(), await certificate(), await certificate()];
    const path = join(stateDirectory, "t.p12");
    await writeFile(path, await javaTruststore(all.map(({ pem }) => pem).join("")));
    const result = await real(
      ["keytool", "-list", "-keystore", path, "-storepass", truststorePassword],
      { deadline: 60_000 },
    );
    expect(result).toMatchObject({ kind: "done", code: 0 });
    const { stdout } = result as { stdout: string };
    expect(stdout.match(/trustedCertEntry/g)).toHaveLength(3);
    const found = [...stdout.matchAll(/SHA-256\): ([0-9A-F:]+)/g)].map(([, hash]) =>
      hash!.replaceAll(":", "").toLowerCase(),
    );
    expect(found.sort()).toEqual(all.map(({ pem }) => sha256Of(pem)).sort());
  },
  120_000,
);

test.skipIf(readers.openssl === null)(
  "OpenSSL checks its checksum, with the password and not with another",
  async () => {
    const path = join(stateDirectory, "t.p12");
    await writeFile(path, await javaTruststore((await certificate()).pem));
    const read = (password: string) =>
      real(["openssl", "pkcs12", "-in", path, "-nokeys", "-passin", `pass:${password}`], undefined);
    expect(await read(truststorePassword)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("BEGIN CERTIFICATE"),
    });
    expect(await read("other")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("Mac verify error"),
    });
  },
);
