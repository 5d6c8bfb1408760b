/** For which purposes a program believes what our authority's key has signed: servers, and nothing else. */
import { expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Finding } from "../../src/cli/trust/finding.ts";
import { DAY, signLeaf } from "../../src/tls/certificate.ts";
import {
  certificateAuthorityDirectory,
  certificateAuthorityPath,
} from "../../src/tls/certificate-authority-paths.ts";
import { temporarySystem } from "../cli/temporary-system.ts";
import { throwawayCertificateAuthority } from "../support/throwaway-certificate-authority.ts";
import { describeWith } from "../support/with-programs.ts";

const serverAuth = "1.3.6.1.5.5.7.3.1";

test("both authorities name one purpose: servers of TLS", async () => {
  for (const kind of ["names", "bare"] as const) {
    await using its = await throwawayCertificateAuthority({ kind });
    expect(new X509Certificate(its.ca.pem).keyUsage).toEqual([serverAuth]);
  }
});

function openssl(cwd: string, ...args: string[]): string {
  const { stdout, stderr } = Bun.spawnSync(["openssl", ...args], { cwd });
  return `${stdout}${stderr}`.trim();
}

describeWith(["openssl"])("to OpenSSL", () => {
  test("a thief's certificates for mail and for clients are worth nothing", async () => {
    await using its = await throwawayCertificateAuthority();
    const { stateDirectory } = its.options;
    const ca = certificateAuthorityPath(stateDirectory, "names");
    const run = (...args: string[]) => openssl(stateDirectory, ...args);
    run("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", "k", "-out", "csr");
    const verdict = async (purpose: string, usage: string): Promise<string> => {
      const extensions = `subjectAltName=DNS:x.localhost\nextendedKeyUsage=${usage}\n`;
      await writeFile(join(stateDirectory, "ext"), extensions);
      const signing = ["-req", "-in", "csr", "-CA", ca, "-CAkey", ca, "-extfile", "ext"];
      run("x509", ...signing, "-out", "leaf", "-days", "1");
      return run("verify", "-CAfile", its.ca.certificatePath, "-purpose", purpose, "leaf");
    };
    expect(await verdict("sslserver", "serverAuth")).toEndWith("leaf: OK");
    for (const [purpose, usage] of [
      ["smimesign", "emailProtection"],
      ["smimeencrypt", "emailProtection"],
      ["sslclient", "clientAuth"],
    ] as const) {
      expect(await verdict(purpose, usage)).toContain("unsuitable certificate purpose");
    }
  });

  test.each(["names", "bare"] as const)(
    "a thief's certificates for other machines' addresses are worth nothing, of the authority for %s",
    async (kind) => {
      await using its = await throwawayCertificateAuthority({ kind });
      const { stateDirectory } = its.options;
      const now = Date.now();
      const verdict = async (...addresses: string[]): Promise<string> => {
        const validity = { from: now - DAY, to: now + DAY };
        const leaf = await signLeaf(its.ca, { dns: [], addresses, validity });
        await writeFile(join(stateDirectory, "leaf"), leaf.certificate);
        const args = ["-CAfile", its.ca.certificatePath, "-purpose", "sslserver", "leaf"];
        return openssl(stateDirectory, "verify", ...args);
      };
      expect(await verdict("127.0.0.1", "::1")).toEndWith("leaf: OK");
      for (const address of ["192.0.2.1", "10.0.0.1", "2001:db8::1", "0.0.0.0"]) {
        expect(await verdict(address)).toContain("permitted subtree violation");
      }
    },
  );

  test("a leaf of ours is a server's", async () => {
    await using its = await throwawayCertificateAuthority();
    const leaf = await its.leafFor("api.localhost");
    const path = join(its.options.stateDirectory, "leaf.pem");
    await writeFile(path, leaf.certificate);
    const args = ["verify", "-x509_strict", "-CAfile", its.ca.certificatePath, "-purpose"];
    expect(openssl("/", ...args, "sslserver", path)).toEndWith("leaf.pem: OK");
    expect(openssl("/", ...args, "smimesign", path)).toContain("unsuitable certificate purpose");
  });
});

describeWith(["openssl"])("an authority from before that limit", () => {
  test("is used as it is, and doctor says what a new one would be", async () => {
    await using system = await temporarySystem();
    const folder = certificateAuthorityDirectory(system.stateDirectory, "names");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    const said = openssl(
      folder,
      ...["req", "-x509", "-subj", "/O=localhostess development/CN=older", "-days", "100"],
      ...[...key, "-keyout", "key", "-out", "certificate"],
    );
    const pair = await Promise.all(
      ["key", "certificate"].map((name) => readFile(join(folder, name), "utf8")),
    );
    if (pair.includes("")) throw new Error(said);
    const path = certificateAuthorityPath(system.stateDirectory, "names");
    await writeFile(path, pair.join(""), { mode: 0o600 });
    const findings = async () => {
      const { out } = await system.run(["doctor", "--json", "--port", "1"]);
      return (JSON.parse(out) as Finding[]).filter(({ check }) => check.startsWith("authority"));
    };
    const before = await findings();
    expect(before.map(({ level }) => level)).not.toContain("broken");
    expect(before).toContainEqual({
      check: "authority: purposes",
      level: "ok",
      detail: "it may also sign for mail and programs; a new one is for servers only",
      fix: "localhostess trust --renew",
    });
    expect(await readFile(path, "utf8")).toBe(pair.join(""));
    await system.run(["trust", "--renew"]);
    expect((await findings()).map(({ check }) => check)).not.toContain("authority: purposes");
  });
});
