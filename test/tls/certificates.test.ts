/** Certificates while their authority is made, replaced, removed, and asked for by names that it may not sign for. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type CertificateAuthorityOptions,
  ensureCertificateAuthority,
  loadCertificateAuthority,
  renewCertificateAuthority,
} from "../../src/tls/certificate-authority.ts";
import { type CertificatesOptions, certificates } from "../../src/tls/certificates.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { identity, throwawayStateDirectory } from "../support/throwaway-certificate-authority.ts";

let state: Awaited<ReturnType<typeof throwawayStateDirectory>>;
let notes: string[];

beforeEach(async () => {
  state = await throwawayStateDirectory();
  notes = [];
});

afterEach(() => state[Symbol.asyncDispose]());

const clock = new FakeClock(1_700_000_000_000);

function authorityOf(
  kind: "names" | "bare",
  tlds: readonly string[] = [],
): CertificateAuthorityOptions {
  return { stateDirectory: state.path, kind, clock, identity, tlds };
}

function open(its: Partial<CertificatesOptions> = {}) {
  return certificates({
    stateDirectory: state.path,
    clock,
    identity,
    tlds: [],
    isService: (name) => name === "api",
    note: (text) => notes.push(text),
    ...its,
  });
}

/** The names of a certificate, and the fingerprint of the authority that signed it. */
async function signerOf(leaf: { certificate: string } | undefined): Promise<string> {
  const its = new X509Certificate(leaf!.certificate);
  for (const kind of ["names", "bare"] as const) {
    const loaded = await loadCertificateAuthority(authorityOf(kind));
    if (loaded.kind !== "ready") continue;
    if (its.checkIssued(new X509Certificate(loaded.ca.pem))) {
      if (its.verify(new X509Certificate(loaded.ca.pem).publicKey)) return kind;
    }
  }
  return "nobody";
}

test("the next handshake after a renewal has a certificate of the new authority, and it is said once", async () => {
  const names = open();
  const before = await names.certificateFor("api.localhost");
  expect(await signerOf(before)).toBe("names");
  expect(names.certificateFor("api.localhost")).toBe(before!);
  expect(notes).toEqual([]);
  await renewCertificateAuthority(authorityOf("names"));
  expect(await signerOf(before)).toBe("nobody");
  const after = await names.certificateFor("api.localhost");
  expect(await signerOf(after)).toBe("names");
  expect(names.certificateFor("api.localhost")).toBe(after!);
  expect(notes).toEqual([expect.stringContaining("the certificate authority was replaced")]);
});

test("an authority that was removed is made again, with a word", async () => {
  const names = open();
  await names.certificateFor("api.localhost");
  await rm(join(state.path, "authority"), { recursive: true });
  expect(await signerOf(await names.certificateFor("api.localhost"))).toBe("names");
  expect(notes).toEqual([
    expect.stringContaining(
      "the certificate authority was removed; the next https connection creates a new one",
    ),
  ]);
  expect(await signerOf(await names.certificateFor("other.localhost"))).toBe("names");
  expect(notes).toHaveLength(1);
});

test("an authority that is made by somebody else at the same time is the one that signs", async () => {
  const names = open();
  const [leaf] = await Promise.all([
    names.certificateFor("api.localhost"),
    ensureCertificateAuthority(authorityOf("names")),
    renewCertificateAuthority(authorityOf("names")),
  ]);
  expect(leaf).toBeDefined();
  expect(await signerOf(await names.certificateFor("api.localhost"))).toBe("names");
});

test("a broken authority is told to each who comes, and once mended it signs", async () => {
  await ensureCertificateAuthority(authorityOf("names"));
  const path = join(state.path, "authority/authority.pem");
  const text = await Bun.file(path).text();
  const names = open();
  await names.certificateFor("api.localhost");
  await Bun.write(path, "half of");
  await expect(names.certificateFor("api.localhost") as Promise<unknown>).rejects.toThrow(
    "no https, because the certificate authority cannot be used",
  );
  expect(notes.at(-1)).toContain("does not hold one private key");
  await Bun.write(path, text);
  expect(await signerOf(await names.certificateFor("api.localhost"))).toBe("names");
});

test("bare names have certificates as soon as there is an authority for them, and until there is none", async () => {
  const names = open();
  expect(names.bareNames).toBe(false);
  const standIn = await names.certificateFor("api");
  expect(new X509Certificate(standIn!.certificate).subjectAltName).toStartWith(
    "DNS:api.localhost,",
  );
  expect(names.certificateFor("nosuch")).toBeUndefined();
  expect(notes).toEqual([expect.stringContaining("localhostess trust --bare-names")]);
  await names.certificateFor("API.");
  expect(notes).toHaveLength(1);

  await ensureCertificateAuthority(authorityOf("bare"));
  expect(names.bareNames).toBe(true);
  const bare = await names.certificateFor("api");
  expect(new X509Certificate(bare!.certificate).subjectAltName).toBe("DNS:api");
  expect(await signerOf(bare)).toBe("bare");
  expect(await signerOf(await names.certificateFor("nosuch"))).toBe("bare");

  await rm(join(state.path, "authority-bare"), { recursive: true });
  expect(names.bareNames).toBe(false);
  expect(await signerOf(await names.certificateFor("api"))).toBe("names");
  expect(await loadCertificateAuthority(authorityOf("bare"))).toEqual({ kind: "absent" });
});

test("names under configured domains have certificates of an authority that was made for them", async () => {
  const names = open({ tlds: ["test", "home.arpa"] });
  for (const name of ["api.test", "x.api.test", "api.home.arpa", "api.localhost"]) {
    expect(await signerOf(await names.certificateFor(name))).toBe("names");
  }
  expect(names.certificateFor("api.dev")).toBeUndefined();
  expect(notes).toEqual([]);
});

test("a name under a domain that the certificate authority may not sign for is not ours, and the reason is said once", async () => {
  await ensureCertificateAuthority(authorityOf("names"));
  const names = open({ tlds: ["test"] });
  expect(await names.certificateFor("api.test")).toBeUndefined();
  expect(names.certificateFor("web.test")).toBeUndefined();
  expect(await signerOf(await names.certificateFor("api.localhost"))).toBe("names");
  expect(notes).toEqual([
    "the certificate authority may not sign for .test, so there is no https for names under it; localhostess trust --renew",
  ]);
  await renewCertificateAuthority(authorityOf("names", ["test"]));
  expect(await signerOf(await names.certificateFor("api.test"))).toBe("names");
});

test("where the authority is for other domains, it can be said before anybody comes", async () => {
  const early = open({ tlds: ["test"] });
  await early.compare();
  // There is none yet, and asking makes none.
  expect(await loadCertificateAuthority(authorityOf("names"))).toEqual({ kind: "absent" });
  await ensureCertificateAuthority(authorityOf("names", ["lan", "test"]));
  await open({ tlds: ["test", "dev.test"] }).compare();
  expect(notes).toEqual([
    "the certificate authority may sign for .lan, which is not configured; localhostess trust --renew",
  ]);
  notes = [];
  await open({ tlds: ["lan", "test"] }).compare();
  expect(notes).toEqual([]);
});

test("an authority for bare names is never made on the way, whatever has such a name", async () => {
  const names = open({ isService: () => true });
  for (const name of ["api", "localhostess", "API."]) {
    expect(await signerOf(await names.certificateFor(name))).toBe("names");
  }
  expect(names.bareNames).toBe(false);
  expect(await loadCertificateAuthority(authorityOf("bare"))).toEqual({ kind: "absent" });
});

test("ten thousand unknown names cost no authority, no promise and no memory", async () => {
  const names = open({ tlds: ["test"] });
  const flood = (): void => {
    for (let i = 0; i < 10_000; i++) {
      expect(names.certificateFor(`n${i}.example.com`) === undefined).toBe(true);
      expect(names.certificateFor(`n${i}`) === undefined).toBe(true);
    }
  };
  flood();
  Bun.gc(true);
  const before = process.memoryUsage().heapUsed;
  flood();
  Bun.gc(true);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(1_000_000);
  expect(await loadCertificateAuthority(authorityOf("names"))).toEqual({ kind: "absent" });
  expect(notes).toEqual([]);
});
