/** A folder -> the certificate authority in it, created once, on first need; or the list of problems with it. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Stats } from "node:fs";
import { lstat, mkdir, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomically } from "../system/atomic-file.ts";
import type { Clock } from "../system/clock.ts";
import { pastedWord } from "../text/shell-words.ts";
import { writeOnce } from "../system/write-once.ts";
import {
  DAY,
  isForServersOnly,
  organisation,
  type Pair,
  permittedNames,
  readSigner,
  type Signer,
  signCertificateAuthority,
} from "./certificate.ts";
import { certificateFile } from "./certificate-file.ts";
import type { Identity } from "./identity.ts";
import {
  certificateAuthorityDirectory,
  certificateAuthorityPath,
} from "./certificate-authority-paths.ts";
import type { CertificateAuthorityKind } from "./server-name.ts";

export type CertificateAuthorityOptions = {
  stateDirectory: string;
  kind: CertificateAuthorityKind;
  clock: Clock;
  identity: Identity;
  /** Domains besides `localhost` that it may sign for. Ignored for bare names. */
  tlds: readonly string[];
};

export type CertificateAuthority = Signer & {
  kind: CertificateAuthorityKind;
  /** The certificate as PEM. */
  pem: string;
  /** A file with only the certificate, for other programs to read. */
  certificatePath: string;
  /** SHA-256 of the certificate's DER, in lower-case hexadecimal. */
  fingerprint: string;
  /** The name that a trust store shows for it. */
  commonName: string;
  /** Milliseconds since the Unix epoch. */
  expiresAt: number;
  /** The suffixes that it may sign for; undefined if it may sign for any name. */
  permitted: readonly string[] | undefined;
  /** False for authorities from before this limit existed: they may also sign for mail and programs. */
  serversOnly: boolean;
};

/** Problems for a person to fix: each says where it is, what is wrong and what to do. Nothing was changed. */
export type Broken = { kind: "broken"; problems: string[] };

export type Loaded = { kind: "ready"; ca: CertificateAuthority } | { kind: "absent" } | Broken;

/** A certificate that was replaced, and that may still be in trust stores. */
export type Replaced = { path: string; pem: string; fingerprint: string };

const lifetime = 3650 * DAY;
/** For clients whose clocks are behind ours. */
const slack = DAY;
/** X.520 ub-common-name: some readers refuse longer names. */
const longestCommonName = 64;

/**
 * Loads the existing certificate authority. Never creates one.
 *
 * `certificate.pem` beside it is a copy for other programs; a wrong copy is rewritten here.
 *
 * @throws Error of the file system if the files cannot even be examined.
 */
export async function loadCertificateAuthority(
  options: CertificateAuthorityOptions,
): Promise<Loaded> {
  const directory = certificateAuthorityDirectory(options.stateDirectory, options.kind);
  const path = certificateAuthorityPath(options.stateDirectory, options.kind);
  const certificatePath = join(directory, "certificate.pem");
  const { identity } = options;
  const folder = await statOf(directory);
  if (folder === undefined) return { kind: "absent" };
  // In this order: the copy is written last when an authority is created, so a visible copy has its original by then.
  const copy = await statOf(certificatePath);
  const file = await statOf(path);
  const problems = privacyProblems(directory, { stats: folder, wanted: "directory", identity });
  if (file !== undefined) {
    problems.push(...privacyProblems(path, { stats: file, wanted: "file", identity }));
  }
  // A key that others may have written is not even read.
  if (problems.length > 0) return { kind: "broken", problems };
  if (file === undefined) {
    return copy === undefined
      ? { kind: "absent" }
      : broken(path, "is missing, but its certificate is there", remake(options, directory));
  }

  const pair = splitPair((await certificateFile(path)) ?? "");
  if (pair === undefined) {
    return broken(
      path,
      "does not hold one private key and one certificate",
      remake(options, directory),
    );
  }
  const what = mismatch(pair);
  if (what !== undefined) return broken(path, what, remake(options, directory));

  const signer = await readSigner(pair);
  const { certificate } = signer;
  const now = options.clock.wall();
  const expiresAt = certificate.notAfter.getTime();
  if (now >= expiresAt) {
    return broken(
      path,
      `expired on ${day(expiresAt)}`,
      `localhostess ${renewCommand(options.kind)}`,
    );
  }
  if (now < certificate.notBefore.getTime()) {
    const from = day(certificate.notBefore.getTime());
    return broken(
      path,
      `is not valid before ${from}, and this machine's clock says ${day(now)}`,
      "set the clock",
    );
  }
  await mendCopy(certificatePath, pair.certificate);
  return {
    kind: "ready",
    ca: {
      ...signer,
      kind: options.kind,
      pem: pair.certificate,
      certificatePath,
      fingerprint: fingerprintOf(pair.certificate),
      commonName: certificate.subjectName.getField("CN")[0] ?? organisation,
      expiresAt,
      permitted: permittedNames(certificate),
      serversOnly: isForServersOnly(certificate),
    },
  };
}

/**
 * Loads the existing certificate authority, or creates one. However many processes do this at once, all get the same
 * one: each creates one, `writeOnce` lets a single one win, and the others load that one and drop theirs.
 *
 * @throws Error of the file system.
 */
export async function ensureCertificateAuthority(
  options: CertificateAuthorityOptions,
): Promise<Exclude<Loaded, { kind: "absent" }>> {
  const found = await loadCertificateAuthority(options);
  if (found.kind !== "absent") return found;
  const directory = certificateAuthorityDirectory(options.stateDirectory, options.kind);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const pair = await makePair(options);
  await writeOnce(join(directory, "authority.pem"), pair.key + pair.certificate);
  return await loadMade(options);
}

/**
 * Creates a new certificate authority in place of the existing one, even if that is broken. The old key is deleted. The
 * old certificate is kept until `forgetReplaced`, so that it can be removed from the trust stores.
 *
 * The folder's owner and mode have to be right: a key is not stored where others could read it.
 *
 * @throws Error of the file system.
 */
export async function renewCertificateAuthority(
  options: CertificateAuthorityOptions,
): Promise<Exclude<Loaded, { kind: "absent" }>> {
  const directory = certificateAuthorityDirectory(options.stateDirectory, options.kind);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const folder = (await statOf(directory))!;
  const problems = privacyProblems(directory, {
    stats: folder,
    wanted: "directory",
    identity: options.identity,
  });
  if (problems.length > 0) return { kind: "broken", problems };

  const path = join(directory, "authority.pem");
  const pair = await makePair(options);
  // The new certificate is recorded too: of two renewals at once, one replaces the result of the other.
  await record(directory, [...(await certificatesOf(directory)), pair.certificate]);
  await writeAtomically(path, pair.key + pair.certificate);
  return await loadMade(options);
}

export type Forgotten =
  /** `fingerprints`: its certificates that may still be in trust stores. */
  { kind: "forgotten"; fingerprints: readonly string[] } | { kind: "absent" } | Broken;

/**
 * Deletes the key of a certificate authority, even of a broken one. The certificates left in trust stores are worthless
 * from then on, whatever happens to those stores. They are kept here until `forgetReplaced`.
 *
 * @throws Error of the file system.
 */
export async function forgetCertificateAuthority(
  options: CertificateAuthorityOptions,
): Promise<Forgotten> {
  const directory = certificateAuthorityDirectory(options.stateDirectory, options.kind);
  const folder = await statOf(directory);
  if (folder === undefined) return { kind: "absent" };
  const { identity } = options;
  const problems = ownershipProblems(directory, { stats: folder, wanted: "directory", identity });
  if (problems.length > 0) return { kind: "broken", problems };
  // Includes copies of a key that a killed process left under a temporary name, or beside the real one.
  const keys = (await namesIn(directory)).filter((name) => name.startsWith("authority.pem"));
  for (const name of keys) {
    const path = join(directory, name);
    const stats = await statOf(path);
    if (stats === undefined) continue;
    problems.push(...ownershipProblems(path, { stats, wanted: "file", identity }));
  }
  // Deleting a link would leave the key that it points to.
  if (problems.length > 0) return { kind: "broken", problems };
  const certificates = await certificatesOf(directory);
  if (keys.length === 0 && certificates.length === 0) return { kind: "absent" };
  await record(directory, certificates);
  // The copy goes first: without its original it would look like an authority whose key is lost.
  for (const name of ["certificate.pem", ...keys]) await removeFile(join(directory, name));
  return { kind: "forgotten", fingerprints: certificates.map(fingerprintOf) };
}

/**
 * The certificates that were replaced and not yet forgotten, in no particular order. @throws Error of the file system.
 */
export async function replacedCertificates(
  options: CertificateAuthorityOptions,
): Promise<Replaced[]> {
  const directory = certificateAuthorityDirectory(options.stateDirectory, options.kind);
  const current = (await certificatesIn(join(directory, "authority.pem"))).map(fingerprintOf);
  const replaced: Replaced[] = [];
  for (const name of await namesIn(join(directory, "issued"))) {
    if (!name.endsWith(".pem")) continue;
    const path = join(directory, "issued", name);
    const [pem] = await certificatesIn(path);
    if (pem === undefined) continue;
    const fingerprint = fingerprintOf(pem);
    if (!current.includes(fingerprint)) replaced.push({ path, pem, fingerprint });
  }
  return replaced;
}

/**
 * Call it once no trust store has the certificate any more. Calling it twice is harmless. @throws Error of the file
 * system.
 */
export async function forgetReplaced(replaced: Replaced): Promise<void> {
  await removeFile(replaced.path);
}

/** Whole days, rounded down; negative after the expiry. */
export function daysLeft(certificate: { expiresAt: number }, now: number): number {
  return Math.floor((certificate.expiresAt - now) / DAY);
}

async function loadMade(
  options: CertificateAuthorityOptions,
): Promise<Exclude<Loaded, { kind: "absent" }>> {
  const made = await loadCertificateAuthority(options);
  if (made.kind === "absent") {
    const directory = certificateAuthorityDirectory(options.stateDirectory, options.kind);
    throw new Error(`${directory} was removed while a certificate authority was created in it`);
  }
  return made;
}

async function makePair({
  kind,
  clock,
  identity,
  tlds,
}: CertificateAuthorityOptions): Promise<Pair> {
  for (const tld of tlds) {
    // An empty constraint would permit every name.
    if (!/^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/.test(tld))
      throw new Error(`${JSON.stringify(tld)} is not a DNS suffix`);
  }
  const now = clock.wall();
  return await signCertificateAuthority({
    commonName: commonNameOf(kind, { user: await identity.user(), host: identity.host }),
    validity: { from: now - slack, to: now + lifetime },
    permitted: kind === "names" ? ["localhost", ...tlds] : undefined,
  });
}

function commonNameOf(
  kind: CertificateAuthorityKind,
  { user, host }: { user: string; host: string },
): string {
  const name = `localhostess ${kind === "bare" ? "bare names " : ""}${user}@${host}`;
  const printable = [...name.replace(/\p{C}/gu, "")];
  return printable.slice(0, longestCommonName).join("");
}

/** Undefined unless the text holds exactly one complete key and one complete certificate. */
function splitPair(text: string): Pair | undefined {
  const keys = blocks(text, "PRIVATE KEY");
  const certificates = blocks(text, "CERTIFICATE");
  const [key] = keys;
  const [certificate] = certificates;
  if (keys.length !== 1 || certificates.length !== 1) return undefined;
  return key === undefined || certificate === undefined ? undefined : { key, certificate };
}

function blocks(text: string, label: string): string[] {
  const pattern = new RegExp(
    `-----BEGIN ${label}-----\n[A-Za-z0-9+/=\n]+-----END ${label}-----`,
    "g",
  );
  return [...text.matchAll(pattern)].map(([block]) => `${block}\n`);
}

/** The reason why key and certificate are not one of our authorities; undefined if they are. */
function mismatch(pair: Pair): string | undefined {
  try {
    const certificate = new X509Certificate(pair.certificate);
    if (!certificate.checkPrivateKey(createPrivateKey(pair.key))) {
      return "holds a certificate that does not belong to its key";
    }
    if (!certificate.ca || !certificate.verify(certificate.publicKey)) {
      return "holds a certificate that is not a certificate authority's";
    }
    return undefined;
  } catch (error) {
    return `cannot be read (${error instanceof Error ? error.message : String(error)})`;
  }
}

type Looked = { stats: Stats; wanted: "directory" | "file"; identity: Identity };

function ownershipProblems(path: string, { stats, wanted, identity }: Looked): string[] {
  // A link may point to a place where others write.
  if (wanted === "directory" ? !stats.isDirectory() : !stats.isFile()) {
    return [`${path}: is not an ordinary ${wanted}; move it away`];
  }
  if (identity.uid === undefined || stats.uid === identity.uid) return [];
  return [
    `${path}: belongs to another user (uid ${stats.uid}); sudo chown -h ${identity.uid} ${pastedWord(path)}`,
  ];
}

function privacyProblems(path: string, about: Looked): string[] {
  const { stats, wanted, identity } = about;
  const problems = ownershipProblems(path, about);
  if (wanted === "directory" ? !stats.isDirectory() : !stats.isFile()) return problems;
  // Systems without owners have no such modes either.
  if (identity.uid !== undefined && (stats.mode & 0o077) !== 0) {
    const mode = (stats.mode & 0o777).toString(8);
    problems.push(
      `${path}: is open to other users (mode ${mode}); chmod ${wanted === "directory" ? "700" : "600"} ${pastedWord(path)}`,
    );
  }
  return problems;
}

function broken(path: string, what: string, mend: string): Broken {
  return { kind: "broken", problems: [`${path}: ${what}; ${mend}`] };
}

/** The old certificate could still be in trust stores, so only the person may ask for a replacement. */
function remake({ kind }: CertificateAuthorityOptions, directory: string): string {
  return `restore it from a backup, or create a new certificate authority in ${directory} with: localhostess ${renewCommand(kind)}`;
}

function renewCommand(kind: CertificateAuthorityKind): string {
  return kind === "names" ? "trust --renew" : "trust --bare-names --renew";
}

function day(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}

function fingerprintOf(pem: string): string {
  return new X509Certificate(pem).fingerprint256.replaceAll(":", "").toLowerCase();
}

function issuedPath(directory: string, fingerprint: string): string {
  return join(directory, "issued", `${fingerprint}.pem`);
}

async function mendCopy(path: string, pem: string): Promise<void> {
  if ((await certificateFile(path)) !== pem) await writeAtomically(path, pem);
}

/** The distinct certificates of an authority, even if its key is lost and only the copy is there. */
async function certificatesOf(directory: string): Promise<string[]> {
  const all = ["authority.pem", "certificate.pem"].map((name) =>
    certificatesIn(join(directory, name)),
  );
  return [...new Set((await Promise.all(all)).flat())];
}

/** Records certificates, so that they can be found and removed from the trust stores later. */
async function record(directory: string, certificates: readonly string[]): Promise<void> {
  for (const pem of certificates) {
    await writeAtomically(issuedPath(directory, fingerprintOf(pem)), pem);
  }
}

async function removeFile(path: string): Promise<void> {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}

/** The valid certificates in a file; none if there is no file. */
async function certificatesIn(path: string): Promise<string[]> {
  return blocks((await certificateFile(path)) ?? "", "CERTIFICATE").filter((pem) => {
    try {
      new X509Certificate(pem);
      return true;
    } catch {
      // A text that is not a certificate is in no trust store either.
      return false;
    }
  });
}

async function statOf(path: string): Promise<Stats | undefined> {
  return await orUndefined(lstat(path));
}

async function namesIn(directory: string): Promise<string[]> {
  return (await orUndefined(readdir(directory))) ?? [];
}

async function orUndefined<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
