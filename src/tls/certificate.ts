/** A subject, keys and dates -> a signed certificate: a certificate authority's own, or a leaf signed by it. */
// This import has to come first: @peculiar/x509 needs the Reflect metadata that it adds.
import "reflect-metadata";
import { AsnConvert } from "@peculiar/asn1-schema";
import {
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  id_ce_nameConstraints,
  NameConstraints,
} from "@peculiar/asn1-x509";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

export const DAY = 24 * 60 * 60 * 1000;

const algorithm = { name: "ECDSA", namedCurve: "P-256" };
const signingAlgorithm = { name: "ECDSA", hash: "SHA-256" };

/** RFC 1122 section 3.2.1.3 (g) and RFC 4291 section 2.5.3. */
const loopback = ["127.0.0.0/8", "::1/128"];

/** Both in milliseconds since the Unix epoch. */
export type Validity = { from: number; to: number };

export type CertificateAuthorityRequest = {
  commonName: string;
  validity: Validity;
  /** The DNS suffixes that it may sign for, each including all names under it; undefined for any name. */
  permitted: readonly string[] | undefined;
};

export type LeafRequest = {
  dns: readonly string[];
  addresses: readonly string[];
  validity: Validity;
};

/** The certificate and key that sign leaves. */
export type Signer = { certificate: X509Certificate; key: CryptoKey };

/** Key and certificate as PEM text, each with a newline at the end. */
export type Pair = { certificate: string; key: string };

/** The organisation in every certificate authority and every leaf, so that a person recognises ours in a list. */
export const organisation = "localhostess development";

/** Creates a key and a self-signed certificate. RFC 5280 section 4.2.1. */
export async function signCertificateAuthority(
  request: CertificateAuthorityRequest,
): Promise<Pair> {
  const keys = await generateKeys();
  const name = nameOf(request.commonName);
  const extensions: Extension[] = [
    new BasicConstraintsExtension(true, 0, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    // RFC 5280 section 4.2.1.12 does not define this extension for a certificate authority, but every verifier that
    // checks it treats it as a limit. It is not critical, so that verifiers that do not check it still accept the
    // certificate.
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    await SubjectKeyIdentifierExtension.create(keys.publicKey),
    nameConstraints(request.permitted),
  ];
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name,
    keys,
    signingAlgorithm,
    notBefore: wholeSecond(request.validity.from),
    notAfter: wholeSecond(request.validity.to),
    extensions,
  });
  return { certificate: withNewline(certificate.toString("pem")), key: await keyText(keys) };
}

/** Creates a key and a certificate for a server with these names. */
export async function signLeaf(signer: Signer, request: LeafRequest): Promise<Pair> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.create({
    // The subject is empty: only subjectAltName counts (RFC 9525 section 6), and a common name holds just 64
    // characters.
    subject: nameOf(undefined),
    issuer: signer.certificate.subjectName,
    publicKey: keys.publicKey,
    signingKey: signer.key,
    signingAlgorithm,
    notBefore: wholeSecond(request.validity.from),
    notAfter: wholeSecond(request.validity.to),
    extensions: [
      new SubjectAlternativeNameExtension([
        ...request.dns.map((value) => ({ type: "dns" as const, value })),
        ...request.addresses.map((value) => ({ type: "ip" as const, value })),
      ]),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(signer.certificate.publicKey),
    ],
  });
  return { certificate: withNewline(certificate.toString("pem")), key: await keyText(keys) };
}

/** @throws Error if a text is not what its label says. */
export async function readSigner(pair: Pair): Promise<Signer> {
  const der = Buffer.from(pair.key.replace(/-----[^-]+-----/g, ""), "base64");
  return {
    certificate: new X509Certificate(pair.certificate),
    key: await crypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]),
  };
}

/** The DNS suffixes that a certificate authority may sign for; undefined if it may sign for any name. */
export function permittedNames(certificate: X509Certificate): string[] | undefined {
  const extension = certificate.getExtension(id_ce_nameConstraints);
  if (extension === null) return undefined;
  const names = AsnConvert.parse(extension.value, NameConstraints)
    .permittedSubtrees?.map((subtree) => subtree.base.dNSName)
    .filter((name) => name !== undefined);
  return names === undefined || names.length === 0 ? undefined : names;
}

/** Whether certificates it signs are valid for servers only, and not for mail or programs. */
export function isForServersOnly(certificate: X509Certificate): boolean {
  const usages = certificate.getExtension(ExtendedKeyUsageExtension)?.usages;
  return usages?.length === 1 && usages[0] === ExtendedKeyUsage.serverAuth;
}

/**
 * RFC 5280 section 4.2.1.10: a name without a leading dot stands for itself and everything under it. A kind of name
 * that is not mentioned is unrestricted. So both certificate authorities list addresses: even the one for any name
 * cannot sign for another machine's address.
 */
function nameConstraints(permitted: readonly string[] | undefined): Extension {
  const bases = [
    ...(permitted ?? []).map((dNSName) => new GeneralName({ dNSName })),
    ...loopback.map((iPAddress) => new GeneralName({ iPAddress })),
  ];
  const value = new NameConstraints({
    permittedSubtrees: new GeneralSubtrees(bases.map((base) => new GeneralSubtree({ base }))),
  });
  return new Extension(id_ce_nameConstraints, true, AsnConvert.serialize(value));
}

async function generateKeys(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

function nameOf(commonName: string | undefined): Name {
  return new Name([
    { O: [{ utf8String: organisation }] },
    ...(commonName === undefined ? [] : [{ CN: [{ utf8String: commonName }] }]),
  ]);
}

/** X.509 dates have no fractions of a second (RFC 5280 section 4.1.2.5). */
function wholeSecond(milliseconds: number): Date {
  return new Date(Math.floor(milliseconds / 1000) * 1000);
}

async function keyText(keys: CryptoKeyPair): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  const lines = der.toString("base64").replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`;
}

function withNewline(pem: string): string {
  return pem.endsWith("\n") ? pem : `${pem}\n`;
}
