import { expect, test } from "bun:test";
import { createPrivateKey, X509Certificate } from "node:crypto";
import {
  appendFile,
  chmod,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import {
  type CertificateAuthorityOptions,
  type Broken,
  daysLeft,
  ensureCertificateAuthority,
  forgetReplaced,
  loadCertificateAuthority,
  renewCertificateAuthority,
  replacedCertificates,
} from "../../src/tls/certificate-authority.ts";
import { DAY, signLeaf } from "../../src/tls/certificate.ts";
import { FakeClock } from "../support/fake-clock.ts";
import {
  identity,
  throwawayCertificateAuthority,
  throwawayStateDirectory,
} from "../support/throwaway-certificate-authority.ts";
import { describeWith } from "../support/with-programs.ts";

const now = Date.UTC(2026, 4, 1, 12);

function folderOf({ stateDirectory, kind }: CertificateAuthorityOptions): string {
  return join(stateDirectory, kind === "names" ? "authority" : "authority-bare");
}

async function brokenBy(
  options: CertificateAuthorityOptions,
  act: (file: string, folder: string) => Promise<unknown>,
): Promise<string> {
  const folder = folderOf(options);
  await act(join(folder, "authority.pem"), folder);
  const loaded = await ensureCertificateAuthority(options);
  expect(loaded.kind).toBe("broken");
  return (loaded as Broken).problems.join("\n");
}

test("an authority says whose it is and lasts ten years", async () => {
  await using throwaway = await throwawayCertificateAuthority({ clock: new FakeClock(now) });
  const { ca } = throwaway;
  const certificate = new X509Certificate(ca.pem);
  expect(ca.commonName).toBe("localhostess ada@engine");
  expect(certificate.subject).toBe("O=localhostess development\nCN=localhostess ada@engine");
  expect(certificate.issuer).toBe(certificate.subject);
  expect(ca.expiresAt).toBe(now + 3650 * DAY);
  expect(certificate.validFromDate.getTime()).toBe(now - DAY);
  expect(ca.permitted).toEqual(["localhost"]);
});

test("suffixes that the person configured are permitted too", async () => {
  await using throwaway = await throwawayCertificateAuthority({
    tlds: ["test", "dev.example.com"],
  });
  expect(throwaway.ca.permitted).toEqual(["localhost", "test", "dev.example.com"]);
});

test("an empty suffix, which would permit every name, makes no authority", async () => {
  await using state = await throwawayStateDirectory();
  const making = ensureCertificateAuthority({
    stateDirectory: state.path,
    kind: "names",
    tlds: [""],
    clock: new FakeClock(now),
    identity,
  });
  await expect(making).rejects.toThrow("not a DNS suffix");
});

test("the authority for bare names is another one, and says so in its name", async () => {
  await using throwaway = await throwawayCertificateAuthority({ kind: "bare", tlds: ["test"] });
  expect(throwaway.ca.commonName).toBe("localhostess bare names ada@engine");
  expect(throwaway.ca.permitted).toBeUndefined();
  expect(await readdir(throwaway.options.stateDirectory)).toEqual(["authority-bare"]);
});

test("a user and machine with long and odd names still make a subject", async () => {
  await using state = await throwawayStateDirectory();
  const made = await ensureCertificateAuthority({
    stateDirectory: state.path,
    kind: "names",
    tlds: [],
    clock: new FakeClock(now),
    identity: { ...identity, user: async () => "jürgen\n\u202e", host: "h".repeat(100) },
  });
  if (made.kind !== "ready") throw new Error(made.problems.join());
  expect(made.ca.commonName).toBe(`localhostess jürgen@${"h".repeat(44)}`);
});

test("only its owner can read the key", async () => {
  await using throwaway = await throwawayCertificateAuthority();
  const folder = folderOf(throwaway.options);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(join(folder, "authority.pem"))).mode & 0o777).toBe(0o600);
  expect((await readdir(folder)).sort()).toEqual(["authority.pem", "certificate.pem"]);
  const copy = await readFile(throwaway.ca.certificatePath, "utf8");
  expect(copy).toBe(throwaway.ca.pem);
});

test("looking makes nothing, asking makes one, and asking again gets the same", async () => {
  await using state = await throwawayStateDirectory();
  const options: CertificateAuthorityOptions = {
    stateDirectory: state.path,
    kind: "names",
    tlds: [],
    clock: new FakeClock(now),
    identity,
  };
  expect(await loadCertificateAuthority(options)).toEqual({ kind: "absent" });
  expect(await readdir(state.path)).toEqual([]);
  const first = await ensureCertificateAuthority(options);
  const second = await ensureCertificateAuthority(options);
  if (first.kind !== "ready" || second.kind !== "ready") throw new Error("broken");
  expect(second.ca.fingerprint).toBe(first.ca.fingerprint);
});

test("ten processes at once make one authority", async () => {
  await using state = await throwawayStateDirectory();
  const children = Array.from({ length: 10 }, () =>
    Bun.spawn(
      [process.execPath, join(import.meta.dir, "certificate-authority-process.ts"), state.path],
      {
        stdin: "pipe",
        stdout: "pipe",
        stderr: "inherit",
      },
    ),
  );
  const readers = children.map((child) => child.stdout.getReader());
  for (const reader of readers) await reader.read();
  for (const child of children) child.stdin.end();
  const printed = await Promise.all(
    readers.map(async (reader) =>
      Buffer.from((await reader.read()).value!)
        .toString()
        .trim(),
    ),
  );
  for (const child of children) expect(await child.exited).toBe(0);
  expect(printed[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(new Set(printed).size).toBe(1);
  const left = (await readdir(join(state.path, "authority"))).sort();
  expect(left).toEqual(["authority.pem", "certificate.pem"]);
});

test("what a killed process left behind is in nobody's way", async () => {
  await using state = await throwawayStateDirectory();
  const folder = join(state.path, "authority");
  await mkdir(folder, { mode: 0o700 });
  await writeFile(join(folder, "authority.pem.1.a.tmp"), "-----BEGIN PRIV", { mode: 0o600 });
  const made = await ensureCertificateAuthority({
    stateDirectory: state.path,
    kind: "names",
    tlds: [],
    clock: new FakeClock(now),
    identity,
  });
  expect(made.kind).toBe("ready");
});

test("a half-written file is told, and left as it is", async () => {
  await using throwaway = await throwawayCertificateAuthority();
  const half = (await readFile(join(folderOf(throwaway.options), "authority.pem"), "utf8")).slice(
    0,
    -100,
  );
  const problem = await brokenBy(throwaway.options, async (file) => {
    await writeFile(file, half);
  });
  expect(problem).toMatch(/authority\.pem: does not hold one private key and one certificate; .*/);
  expect(problem).toMatch(/localhostess trust --renew$/);
  const left = await readFile(join(folderOf(throwaway.options), "authority.pem"), "utf8");
  expect(left).toBe(half);
});

test("an empty file, garbage in the text, and one certificate too many are told", async () => {
  await using throwaway = await throwawayCertificateAuthority();
  const file = join(folderOf(throwaway.options), "authority.pem");
  const good = await readFile(file, "utf8");
  for (const wrong of ["", good + throwaway.ca.pem, good.replace(/\nMI/g, "\nAA")]) {
    const problem = await brokenBy(throwaway.options, async () => await writeFile(file, wrong));
    expect(problem).toMatch(/does not hold|cannot be read/);
  }
});

test("another authority's certificate beside the key is told", async () => {
  await using throwaway = await throwawayCertificateAuthority();
  await using other = await throwawayCertificateAuthority();
  const problem = await brokenBy(throwaway.options, async (file) => {
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace(throwaway.ca.pem, other.ca.pem));
  });
  expect(problem).toContain("does not belong to its key");
});

test("a leaf where the authority should be is told", async () => {
  await using throwaway = await throwawayCertificateAuthority();
  const leaf = await throwaway.leafFor("api.localhost");
  const problem = await brokenBy(throwaway.options, async (file) => {
    await writeFile(file, leaf.key + leaf.certificate);
  });
  expect(problem).toContain("not a certificate authority's");
});

test("a certificate without its key is told, not replaced", async () => {
  await using throwaway = await throwawayCertificateAuthority();
  const problem = await brokenBy(throwaway.options, async (file) => await rm(file));
  expect(problem).toContain("authority.pem: is missing, but its certificate is there");
  expect(await readdir(folderOf(throwaway.options))).toEqual(["certificate.pem"]);
});

test("modes that let others in are told, all at once, with the commands that mend them", async () => {
  await using throwaway = await throwawayCertificateAuthority();
  const problem = await brokenBy(throwaway.options, async (file, folder) => {
    await chmod(file, 0o644);
    await chmod(folder, 0o755);
  });
  const folder = folderOf(throwaway.options);
  expect(problem).toBe(
    `${folder}: is open to other users (mode 755); chmod 700 ${folder}\n` +
      `${folder}/authority.pem: is open to other users (mode 644); chmod 600 ${folder}/authority.pem`,
  );
  const renewed = await renewCertificateAuthority(throwaway.options);
  expect(renewed.kind).toBe("broken");
});

test("no key is made in a folder that others can write", async () => {
  await using state = await throwawayStateDirectory();
  const folder = join(state.path, "authority");
  await mkdir(folder);
  await chmod(folder, 0o777);
  const made = await ensureCertificateAuthority({
    stateDirectory: state.path,
    kind: "names",
    tlds: [],
    clock: new FakeClock(now),
    identity,
  });
  expect(made.kind).toBe("broken");
  expect(await readdir(folder)).toEqual([]);
});

test("another owner is told", async () => {
  await using throwaway = await throwawayCertificateAuthority();
  const loaded = await loadCertificateAuthority({
    ...throwaway.options,
    identity: { ...identity, uid: identity.uid! + 1 },
  });
  expect((loaded as Broken).problems[0]).toContain(`sudo chown -h ${identity.uid! + 1} `);
});

test("a symbolic link is not followed", async () => {
  await using throwaway = await throwawayCertificateAuthority();
  const problem = await brokenBy(throwaway.options, async (file, folder) => {
    await rename(file, join(folder, "elsewhere"));
    await symlink("elsewhere", file);
  });
  expect(problem).toContain("is not an ordinary file");
});

test("an expired authority is told with its date; before its time, the clock is", async () => {
  const clock = new FakeClock(now);
  await using throwaway = await throwawayCertificateAuthority({ clock });
  const early = await loadCertificateAuthority({
    ...throwaway.options,
    clock: new FakeClock(now - 2 * DAY),
  });
  expect((early as Broken).problems[0]).toContain("set the clock");
  clock.advance(3650 * DAY);
  const problem = await brokenBy(throwaway.options, async () => {});
  expect(problem).toMatch(/expired on 2036-04-28; localhostess trust --renew$/);
});

test("days left are whole days, and below zero afterwards", async () => {
  expect(daysLeft({ expiresAt: now + 90 * DAY }, now)).toBe(90);
  expect(daysLeft({ expiresAt: now + 90 * DAY }, now + 1)).toBe(89);
  expect(daysLeft({ expiresAt: now }, now)).toBe(0);
  expect(daysLeft({ expiresAt: now }, now + 1)).toBe(-1);
});

test("the copy of the certificate is mended", async () => {
  await using throwaway = await throwawayCertificateAuthority();
  const { certificatePath, pem } = throwaway.ca;
  await appendFile(certificatePath, "more");
  expect((await loadCertificateAuthority(throwaway.options)).kind).toBe("ready");
  expect(await readFile(certificatePath, "utf8")).toBe(pem);
});

test("a renewed authority has another key, and the old certificate is kept until it is forgotten", async () => {
  await using throwaway = await throwawayCertificateAuthority();
  const { options, ca: old } = throwaway;
  const oldKey = await readFile(join(folderOf(options), "authority.pem"), "utf8");
  expect(await replacedCertificates(options)).toEqual([]);
  const renewed = await renewCertificateAuthority(options);
  if (renewed.kind !== "ready") throw new Error("broken");
  expect(renewed.ca.fingerprint).not.toBe(old.fingerprint);
  expect(await readFile(old.certificatePath, "utf8")).toBe(renewed.ca.pem);
  const newKey = await readFile(join(folderOf(options), "authority.pem"), "utf8");
  expect(createPrivateKey(newKey).equals(createPrivateKey(oldKey))).toBe(false);

  const replaced = await replacedCertificates(options);
  expect(replaced.map(({ pem }) => pem)).toEqual([old.pem]);
  await forgetReplaced(replaced[0]!);
  await forgetReplaced(replaced[0]!);
  expect(await replacedCertificates(options)).toEqual([]);
});

test("two renewals at once leave one authority and no certificate that nobody knows of", async () => {
  await using throwaway = await throwawayCertificateAuthority();
  const results = await Promise.all([1, 2].map(() => renewCertificateAuthority(throwaway.options)));
  const current = await loadCertificateAuthority(throwaway.options);
  if (current.kind !== "ready") throw new Error("broken");
  const known = [
    current.ca.fingerprint,
    ...(await replacedCertificates(throwaway.options)).map(({ fingerprint }) => fingerprint),
  ];
  expect(known).toContain(throwaway.ca.fingerprint);
  expect(known.length).toBe(3);
  for (const result of results) {
    if (result.kind === "ready") expect(known).toContain(result.ca.fingerprint);
  }
});

test("a broken authority can be renewed", async () => {
  await using throwaway = await throwawayCertificateAuthority();
  await brokenBy(throwaway.options, async (file) => await writeFile(file, throwaway.ca.pem));
  expect((await renewCertificateAuthority(throwaway.options)).kind).toBe("ready");
  const replaced = await replacedCertificates(throwaway.options);
  expect(replaced.map(({ pem }) => pem)).toEqual([throwaway.ca.pem]);
});

describeWith(["openssl"])("OpenSSL", () => {
  test("shows an authority that may sign leaves only, for our names only", async () => {
    await using throwaway = await throwawayCertificateAuthority();
    const text = await opensslText(throwaway.ca.pem);
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0\n/);
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
    expect(text).toMatch(/Subject Key Identifier: \s+[0-9A-F:]{59}\n/);
    expect(text).toMatch(
      /Name Constraints: critical\s+Permitted:\s+DNS:localhost\s+IP:127\.0\.0\.0\/255\.0\.0\.0\s+IP:0:0:0:0:0:0:0:1\/FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF\n/,
    );
  });

  test("takes names under localhost, and a stolen key makes no other", async () => {
    await using throwaway = await throwawayCertificateAuthority({ tlds: ["test"] });
    const { ca } = throwaway;
    const at = Date.now();
    const stolen = async (dns: string[], addresses: string[] = []): Promise<string> =>
      (await signLeaf(ca, { dns, addresses, validity: { from: at - DAY, to: at + DAY } }))
        .certificate;
    const verdict = async (leaf: string): Promise<string> =>
      await opensslVerify(ca.certificatePath, leaf);
    for (const name of ["localhost", "api.localhost", "v1.api.localhost", "api.test", undefined]) {
      expect(await verdict((await throwaway.leafFor(name)).certificate)).toContain("OK");
    }
    expect(await verdict(await stolen(["example.com"]))).toContain("permitted subtree violation");
    expect(await verdict(await stolen(["api.localhost", "example.com"]))).toContain("violation");
    expect(await verdict(await stolen(["notlocalhost"]))).toContain("violation");
    expect(await verdict(await stolen(["localhost"], ["10.0.0.1"]))).toContain("violation");
    expect(await verdict(await stolen(["localhost"], ["::2"]))).toContain("violation");
  });

  test("takes bare names from their own authority only", async () => {
    await using bare = await throwawayCertificateAuthority({ kind: "bare" });
    await using names = await throwawayCertificateAuthority();
    const { certificate } = await bare.leafFor("api");
    expect(await opensslVerify(bare.ca.certificatePath, certificate)).toContain("OK");
    expect(await opensslVerify(names.ca.certificatePath, certificate)).toContain("failed");
  });
});

async function opensslText(pem: string): Promise<string> {
  return await openssl(["x509", "-noout", "-text"], pem);
}

async function opensslVerify(ca: string, leaf: string): Promise<string> {
  return await openssl(["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", ca], leaf);
}

async function openssl(args: string[], input: string): Promise<string> {
  const child = Bun.spawn(["openssl", ...args], {
    stdin: Buffer.from(input),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, error] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return out + error;
}
