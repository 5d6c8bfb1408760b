/** Certificates -> a PKCS#12 file that Java reads as a list of authorities to trust. RFC 7292. */
import { BmpString, ObjectIdentifier, OctetString } from "asn1js";
import { Attribute, AuthenticatedSafe, CertBag, PFX, SafeBag, SafeContents } from "pkijs";
import { bodiesOf } from "./pem.ts";

/** Java wants one before it looks into a file before version 18; there is nothing secret in it. */
export const truststorePassword = "changeit";

const certBag = "1.2.840.113549.1.12.10.1.3";
const x509Certificate = "1.2.840.113549.1.9.22.1";
const friendlyName = "1.2.840.113549.1.9.20";
/** Java's own attribute: without it a certificate is one of a chain, and not one to trust (JDK-8044445). */
const trustedKeyUsage = "2.16.840.1.113894.746875.1.1";
const anyExtendedKeyUsage = "2.5.29.37.0";

/** As Java writes its own files since version 16. */
const iterations = 10_000;

/** The contents are public, so they are not encrypted; the password is for the checksum alone. */
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
