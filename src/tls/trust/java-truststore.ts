/** Certificates -> a PKCS#12 file that Java reads as a list of trusted certificate authorities. RFC 7292. */
import { BmpString, ObjectIdentifier, OctetString } from "asn1js";
import { Attribute, AuthenticatedSafe, CertBag, PFX, SafeBag, SafeContents } from "pkijs";
import { bodiesOf } from "./pem.ts";

/** Java before version 18 requires a password to open the file. Nothing in it is secret. */
export const truststorePassword = "changeit";

const certBag = "1.2.840.113549.1.12.10.1.3";
const x509Certificate = "1.2.840.113549.1.9.22.1";
const friendlyName = "1.2.840.113549.1.9.20";
/** Java's own attribute: without it, a certificate is part of a chain but not trusted (JDK-8044445). */
const trustedKeyUsage = "2.16.840.1.113894.746875.1.1";
const anyExtendedKeyUsage = "2.5.29.37.0";

/** The number that Java itself uses since version 16. */
const iterations = 10_000;

/** The content is public and not encrypted; the password is only used for the checksum. */
export async function javaTruststore(pem: string): Promise<Uint8Array> {
  const safeBags = bodiesOf(pem).map((body, index) => {
    const der = Uint8Array.from(Buffer.from(body, "base64"));
    return new SafeBag({
      bagId: certBag,
      bagValue: new CertBag({
        certId: x509Certificate,
        certValue: new OctetString({ valueHex: der.buffer }),
      } as never),
      bagAttributes: [
        new Attribute({ type: friendlyName, values: [new BmpString({ value: `root ${index}` })] }),
        new Attribute({
          type: trustedKeyUsage,
          values: [new ObjectIdentifier({ value: anyExtendedKeyUsage })],
        }),
      ],
    });
  });
  const authenticatedSafe = new AuthenticatedSafe({
    parsedValue: {
      safeContents: [{ privacyMode: 0, value: new SafeContents({ safeBags }) }],
    },
  });
  await authenticatedSafe.makeInternalValues({ safeContents: [{}] });
  const pfx = new PFX({ parsedValue: { integrityMode: 0, authenticatedSafe } });
  await pfx.makeInternalValues({
    password: Uint8Array.from(Buffer.from(truststorePassword)).buffer,
    iterations,
    pbkdf2HashAlgorithm: "SHA-256",
    hmacHashAlgorithm: "SHA-256",
  });
  return new Uint8Array(pfx.toSchema().toBER());
}
