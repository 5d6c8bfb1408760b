/** A state directory -> the certificate for each name that a client asks for; the authority is made when the first one does. */
import type { Clock } from "../system/clock.ts";
import type { Identity } from "./authority.ts";
import { CertCache } from "./cert-cache.ts";
import type { Leaf } from "./leaf.ts";
import { type AuthorityKind, type Ours, type Subject, subjectOf } from "./server-name.ts";

export type CertificatesOptions = {
  stateDirectory: string;
  clock: Clock;
  identity: Identity;
  /** Suffixes besides `localhost`. */
  tlds: readonly string[];
  /** Whether a person has asked for an authority that signs for bare names; it is never made on the way. */
  bareNames: boolean;
  /** A sentence for a person: why there is no certificate. */
  note(text: string): void;
};

export interface Certificates {
  /** Undefined: the name is not ours. Rejected where the authority is broken; `note` has said how. */
  certificateFor(serverName: string | undefined): Leaf | Promise<Leaf> | undefined;
}

export function certificates(options: CertificatesOptions): Certificates {
  const { stateDirectory, clock, identity, tlds, bareNames, note } = options;
  const ours: Ours = { tlds, bareNames };
  const signers = new Map<AuthorityKind, Promise<Signing>>();

  const signing = (kind: AuthorityKind): Promise<Signing> => {
    let found = signers.get(kind);
    if (found === undefined) {
      found = openSigning({ stateDirectory, kind, clock, identity, tlds });
      signers.set(kind, found);
      // The next client tries again: the person may have mended it.
      found.catch((error: Error) => {
        signers.delete(kind);
        note(error.message);
      });
    }
    return found;
  };

  const cache = new CertCache<Leaf>({
    clock,
    recognise: (serverName) => subjectOf(serverName, ours),
    mint: async (subject) => (await signing(subject.signer))(subject),
    onRenewalFailed: ({ name }, error) => {
      note(`the certificate for ${name} could not be renewed: ${(error as Error).message}`);
    },
  });
  return { certificateFor: (serverName) => cache.certificateFor(serverName) };
}

type Signing = (subject: Subject) => Promise<Leaf>;

/** What makes certificates takes 60 ms and 10 MiB to load, which a proxy of plain HTTP need not have. */
async function openSigning(options: {
  stateDirectory: string;
  kind: AuthorityKind;
  clock: Clock;
  identity: Identity;
  tlds: readonly string[];
}): Promise<Signing> {
  const [{ ensureAuthority }, { mintLeaf }] = await Promise.all([
    import("./authority.ts"),
    import("./leaf.ts"),
  ]);
  const loaded = await ensureAuthority(options);
  if (loaded.kind === "broken") {
    throw new Error(`no https, because of the authority: ${loaded.problems.join("; ")}`);
  }
  return (subject) => mintLeaf(subject, { signer: loaded.authority, clock: options.clock });
}
