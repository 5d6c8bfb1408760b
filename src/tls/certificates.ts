/** A state directory -> the certificate for each name that a client asks for; the authority is made when the first one does, and taken anew when it is another. */
import { statSync } from "node:fs";
import type { Clock } from "../system/clock.ts";
import { CertCache } from "./cert-cache.ts";
import type { Identity } from "./identity.ts";
import type { Leaf } from "./leaf.ts";
import { differenceOf, maySignFor } from "./permitted.ts";
import { certificateAuthorityPath } from "./places.ts";
import { type CertificateAuthorityKind, type Subject, subjectOf } from "./server-name.ts";

export type CertificatesOptions = {
  stateDirectory: string;
  clock: Clock;
  identity: Identity;
  /** Domains besides `localhost`. */
  tlds: readonly string[];
  /** Whether a service has this bare name. */
  isService(name: string): boolean;
  /** A sentence for a person: why there is no certificate, or that they come from another authority now. */
  note(text: string): void;
};

export interface Certificates {
  /** Undefined, now or later: the name is not ours. Rejected where the authority is broken; `note` has said how. */
  certificateFor(
    serverName: string | undefined,
  ): Leaf | Promise<Leaf> | Promise<Leaf | undefined> | undefined;
  /**
   * Whether there is an authority for names such as `api`: it is made by a person's command, never on the way. Without it,
   * a client that asks for a service's bare name gets the certificate of the name under `localhost`, which says so.
   */
  readonly bareNames: boolean;
  /** Says at once, and not when the first client comes, where an authority that exists is not for the configured domains. */
  compare(): Promise<void>;
}

/** An authority that is in use. */
type Signing = {
  mint(subject: Subject): Promise<Leaf>;
  permitted: readonly string[] | undefined;
  /** Of the file that it was read from. */
  print: string;
};

type Opened = { signing: Promise<Signing>; ready: Signing | undefined };

export function certificates(options: CertificatesOptions): Certificates {
  const { stateDirectory, clock, tlds, isService, note } = options;
  const opened = new Map<CertificateAuthorityKind, Opened>();
  const explained = new Set<string>();
  const path = {
    names: certificateAuthorityPath(stateDirectory, "names"),
    bare: certificateAuthorityPath(stateDirectory, "bare"),
  };

  const cache = new CertCache<Leaf>({
    clock,
    mint: async (subject) => (await open(subject.signer)).mint(subject),
    onRenewalFailed: ({ name }, error) => {
      note(`the certificate for ${name} could not be renewed: ${(error as Error).message}`);
    },
  });

  function open(kind: CertificateAuthorityKind): Promise<Signing> {
    const known = opened.get(kind);
    if (known !== undefined) return known.signing;
    const its: Opened = {
      signing: openSigning({ ...options, kind, path: path[kind] }),
      ready: undefined,
    };
    opened.set(kind, its);
    its.signing.then(
      (signing) => {
        its.ready = signing;
        const difference = kind === "names" ? differenceOf(signing.permitted, tlds) : undefined;
        if (difference !== undefined) note(`${difference.what}; ${difference.fix}`);
      },
      (error: Error) => {
        // The next client tries again: the person may have mended it.
        if (opened.get(kind) === its) opened.delete(kind);
        note(error.message);
      },
    );
    return its.signing;
  }

  /** A look costs half a microsecond, a thousandth of a handshake: so no certificate is from an authority that is gone. */
  function printNow(kind: CertificateAuthorityKind): string {
    const print = printOf(path[kind]);
    const its = opened.get(kind);
    if (its?.ready === undefined || its.ready.print === print) return print;
    opened.delete(kind);
    cache.clear();
    note(changed(kind, print));
    return print;
  }

  function certificateFor(
    serverName: string | undefined,
  ): ReturnType<Certificates["certificateFor"]> {
    printNow("names");
    const subject = subjectOf(serverName, {
      tlds,
      bareNames: printNow("bare") !== missing,
      isService,
    });
    if (subject === undefined) return undefined;
    const { tld, insteadOf } = subject;
    if (insteadOf !== undefined && !explained.has(insteadOf)) {
      explained.add(insteadOf);
      note(
        `https://${insteadOf}/ has no certificate, so it is answered with that of ${subject.name}; localhostess trust --bare-names makes an authority for names without a dot`,
      );
    }
    if (tld === undefined) return cache.certificateFor(subject);
    const ready = opened.get("names")?.ready;
    if (ready === undefined) return open("names").then(() => certificateFor(serverName));
    // That it may not was noted when it was opened.
    return maySignFor(tld, ready.permitted) ? cache.certificateFor(subject) : undefined;
  }

  return {
    certificateFor,
    get bareNames() {
      return printNow("bare") !== missing;
    },
    async compare() {
      if (printNow("names") === missing) return;
      await open("names").catch(() => {
        // It has been noted.
      });
    },
  };
}

function changed(kind: CertificateAuthorityKind, print: string): string {
  if (print !== missing) {
    return kind === "names"
      ? "the authority is another one now; new connections get its certificates"
      : "the authority for bare names is another one now; new connections get its certificates";
  }
  return kind === "names"
    ? "the authority is gone, and a new one is made for the next https connection; what trusted the old one trusts the new one after: localhostess trust"
    : "the authority for bare names is gone; https://<name>.localhost works as before";
}

const missing = "";

/** What tells a file from every other, or from itself before it was changed; empty where there is none. */
function printOf(path: string): string {
  try {
    const its = statSync(path, { throwIfNoEntry: false });
    return its === undefined ? missing : `${its.dev}:${its.ino}:${its.mtimeMs}:${its.size}`;
  } catch {
    // Its folder cannot be looked into; whoever has to read it is told why.
    return missing;
  }
}

/** What makes certificates takes 60 ms and 10 MiB to load, which a proxy of plain HTTP need not have. */
async function openSigning(
  options: CertificatesOptions & { kind: CertificateAuthorityKind; path: string },
): Promise<Signing> {
  const { kind, path, clock } = options;
  const [{ ensureCertificateAuthority, loadCertificateAuthority }, { mintLeaf }] =
    await Promise.all([import("./certificate-authority.ts"), import("./leaf.ts")]);
  for (;;) {
    const print = printOf(path);
    const loaded = await (kind === "names" ? ensureCertificateAuthority : loadCertificateAuthority)(
      options,
    );
    if (loaded.kind === "absent") throw new Error("the authority for bare names is gone");
    if (loaded.kind === "broken") {
      throw new Error(`no https, because of the authority: ${loaded.problems.join("; ")}`);
    }
    // It may have been made, or replaced, while it was read.
    if (print !== printOf(path)) continue;
    const { ca } = loaded;
    return {
      mint: (subject) => mintLeaf(subject, { signer: ca, clock }),
      permitted: ca.permitted,
      print,
    };
  }
}
