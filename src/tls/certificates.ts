/**
 * A state directory -> the certificate for each requested name. Creates the certificate authority for the first
 * request, and reloads it when it was replaced.
 */
import { statSync } from "node:fs";
import type { Clock } from "../system/clock.ts";
import { CertCache } from "./cert-cache.ts";
import type { Identity } from "./identity.ts";
import type { Leaf } from "./leaf.ts";
import { differenceOf, maySignFor } from "./permitted.ts";
import { certificateAuthorityPath } from "./certificate-authority-paths.ts";
import { type CertificateAuthorityKind, type Subject, subjectOf } from "./server-name.ts";

export type CertificatesOptions = {
  stateDirectory: string;
  clock: Clock;
  identity: Identity;
  /** Domains besides `localhost`. */
  tlds: readonly string[];
  /** Whether a service has this bare name. */
  isService(name: string): boolean;
  /** Receives a sentence for a person: why there is no certificate, or that another certificate authority signs now. */
  note(text: string): void;
};

export interface Certificates {
  /**
   * Undefined, now or later, if the name is not ours. Rejected if the certificate authority is broken; `note` was told
   * why.
   */
  certificateFor(
    serverName: string | undefined,
  ): Leaf | Promise<Leaf> | Promise<Leaf | undefined> | undefined;
  /**
   * Whether there is a certificate authority for names such as `api`. Only a person's command creates one. Without it,
   * a client that asks for a service's bare name gets the certificate of the name under `localhost`, which tells it
   * that name.
   */
  readonly bareNames: boolean;
  /**
   * Reports at once, not with the first client, that an existing certificate authority does not fit the configured
   * domains.
   */
  compare(): Promise<void>;
}

/** A certificate authority in use. */
type Signing = {
  mint(subject: Subject): Promise<Leaf>;
  permitted: readonly string[] | undefined;
  /** The fingerprint of the file that it was read from. */
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
        // The next client tries again: the person may have fixed the problem.
        if (opened.get(kind) === its) opened.delete(kind);
        note(error.message);
      },
    );
    return its.signing;
  }

  /**
   * Checking the file takes half a microsecond, a thousandth of a handshake. So no certificate ever comes from an
   * authority that is gone.
   */
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
        `https://${insteadOf}/ has no certificate, so its clients get the one of ${subject.name}; to create a certificate authority for names without a dot: localhostess trust --bare-names`,
      );
    }
    if (tld === undefined) return cache.certificateFor(subject);
    const ready = opened.get("names")?.ready;
    if (ready === undefined) return open("names").then(() => certificateFor(serverName));
    // The note about this was written when the certificate authority was opened.
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
        // The error has been noted.
      });
    },
  };
}

function changed(kind: CertificateAuthorityKind, print: string): string {
  if (print !== missing) {
    return kind === "names"
      ? "the certificate authority was replaced; new connections get certificates from the new one"
      : "the certificate authority for bare names was replaced; new connections get certificates from the new one";
  }
  return kind === "names"
    ? "the certificate authority was removed; the next https connection creates a new one, which is trusted after: localhostess trust"
    : "the certificate authority for bare names was removed; https://<name>.localhost still works";
}

const missing = "";

/** Differs between any two files, and between versions of one file; empty if there is no file. */
function printOf(path: string): string {
  try {
    const its = statSync(path, { throwIfNoEntry: false });
    return its === undefined ? missing : `${its.dev}:${its.ino}:${its.mtimeMs}:${its.size}`;
  } catch {
    // The folder cannot be searched; the code that reads the file reports why.
    return missing;
  }
}

/** The code that creates certificates takes 60 ms and 10 MiB to load, which a proxy for plain HTTP does not need. */
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
    if (loaded.kind === "absent")
      throw new Error("the certificate authority for bare names was removed");
    if (loaded.kind === "broken") {
      throw new Error(
        `no https, because the certificate authority cannot be used: ${loaded.problems.join("; ")}`,
      );
    }
    // The file may have been created or replaced while it was read.
    if (print !== printOf(path)) continue;
    const { ca } = loaded;
    return {
      mint: (subject) => mintLeaf(subject, { signer: ca, clock }),
      permitted: ca.permitted,
      print,
    };
  }
}
