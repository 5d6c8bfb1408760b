/** An authority that is gone when the test is, and leaves under it that have been checked by another library. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Certificate, CertificateChainValidationEngine, type NameConstraints } from "pkijs";
import { type Clock, systemClock } from "../../src/system/clock.ts";
import {
  type CertificateAuthority,
  type CertificateAuthorityOptions,
  ensureCertificateAuthority,
} from "../../src/tls/certificate-authority.ts";
import type { Identity } from "../../src/tls/identity.ts";
import { type Leaf, mintLeaf } from "../../src/tls/leaf.ts";
import {
  type CertificateAuthorityKind,
  type Subject,
  subjectOf,
} from "../../src/tls/server-name.ts";

const nameConstraints = "2.5.29.30";

export const identity: Identity = {
  user: async () => "ada",
  host: "engine",
  uid: process.getuid?.(),
};

export type ThrowawayCertificateAuthority = AsyncDisposable & {
  options: CertificateAuthorityOptions;
  ca: CertificateAuthority;
  /** A leaf as the program mints it; its chain has been checked. */
  leafFor(serverName: string | undefined): Promise<Leaf>;
};

export async function throwawayStateDirectory(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "localhostess-tls-"));
  return {
    path,
    [Symbol.asyncDispose]: async () => await rm(path, { recursive: true, force: true }),
  };
}

export async function throwawayCertificateAuthority(
  given: { kind?: CertificateAuthorityKind; tlds?: readonly string[]; clock?: Clock } = {},
): Promise<ThrowawayCertificateAuthority> {
  const state = await throwawayStateDirectory();
  const options: CertificateAuthorityOptions = {
    stateDirectory: state.path,
    kind: given.kind ?? "names",
    tlds: given.tlds ?? [],
    clock: given.clock ?? systemClock,
    identity,
  };
  const made = await ensureCertificateAuthority(options);
  if (made.kind !== "ready") throw new Error(made.problems.join("\n"));
  const { ca } = made;
  return {
    options,
    ca,
    leafFor: async (serverName) => {
      const subject = subjectOf(serverName, {
        tlds: options.tlds,
        bareNames: true,
        isService: () => true,
      });
      if (subject === undefined) throw new Error(`${serverName} is not ours`);
      return await mintChecked(subject, { ca, clock: options.clock });
    },
    [Symbol.asyncDispose]: async () => await state[Symbol.asyncDispose](),
  };
}

export async function mintChecked(
  subject: Subject,
  { ca, clock }: { ca: CertificateAuthority; clock: Clock },
): Promise<Leaf> {
  const leaf = await mintLeaf(subject, { signer: ca, clock });
  const verdict = await chainVerdict(leaf.certificate, { ca, now: clock.wall() });
  if (verdict !== "good") throw new Error(`pkijs refuses the leaf of ${subject.name}: ${verdict}`);
  return leaf;
}

/** What pkijs, which shares no code with what signs, says about a leaf under an authority: `"good"` or why not. */
export async function chainVerdict(
  leafPem: string,
  { ca, now }: { ca: Pick<CertificateAuthority, "pem">; now: number },
): Promise<string> {
  const anchor = Certificate.fromBER(der(ca.pem));
  const constraints = anchor.extensions?.find(({ extnID }) => extnID === nameConstraints)
    ?.parsedValue as NameConstraints;
  const engine = new CertificateChainValidationEngine({
    trustedCerts: [anchor],
    certs: [Certificate.fromBER(der(leafPem))],
    checkDate: new Date(now),
  });
  const { result, resultCode, resultMessage } = await engine.verify({
    // RFC 5280 section 6.1.1 (h): what a trust anchor says about names is an input, so pkijs does not look there.
    initialPermittedSubtreesSet: constraints.permittedSubtrees ?? [],
  });
  return result ? "good" : `${resultCode} ${resultMessage}`;
}

function der(pem: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(pem.replace(/-----[^-]+-----/g, ""), "base64"));
}
