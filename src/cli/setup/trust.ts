/** A user's certificate authority -> what has to be done so that the system's store trusts it, or no longer. */
import { X509Certificate } from "node:crypto";
import { dirname, join } from "node:path";
import { listed } from "../../text/list.ts";
import { pastedWord, shellWord } from "../../text/shell-words.ts";
import { systemClock } from "../../system/clock.ts";
import {
  type CertificateAuthority,
  type CertificateAuthorityOptions,
  loadCertificateAuthority,
  replacedCertificates,
} from "../../tls/certificate-authority.ts";
import { processIdentity } from "../../tls/identity.ts";
import type { CertificateAuthorityKind } from "../../tls/server-name.ts";
import { anchorFile, anchorHolders, type Anchors, anchorStore } from "../../tls/trust/anchors.ts";
import { installCommand } from "../../tls/trust/install-command.ts";
import { bodyOf, pemOf, sha256Of } from "../../tls/trust/pem.ts";
import { systemAnchors } from "../../tls/trust/stores.ts";
import type { Part, PartPlan, SetupPlace, Step } from "./plan.ts";

export const trust: Part = {
  name: "trust",
  purpose: "https without a warning, for programs that ask the system's trust store",
  isUsual: false,
  look,
};

const impossible = (why: string, fix: string | null): PartPlan => ({
  kind: "impossible",
  why,
  fix,
});

async function look(place: SetupPlace): Promise<PartPlan> {
  const { machine, uid } = place;
  if (machine.platform !== "linux") {
    return {
      kind: "unneeded",
      why: "the login keychain takes it without root: localhostess trust",
    };
  }
  // The key is the person's own, and nobody else's word counts for what it may sign.
  if (uid !== process.getuid?.()) {
    return impossible("the certificate authority is that user's own: run it as the user", null);
  }
  const [anchors] = await systemAnchors(machine);
  if (anchors === undefined) {
    const fix = await installCommand("ca-certificates", machine);
    return impossible("this system has no trust store that is known", fix);
  }
  const steps: Step[] = await gone(place, anchors);
  const kinds: readonly CertificateAuthorityKind[] = place.bareNames
    ? ["names", "bare"]
    : ["names"];
  for (const kind of kinds) {
    const loaded = await loadCertificateAuthority(optionsOf(kind, place));
    if (loaded.kind === "broken") return { ...impossible(loaded.problems.join("; "), null), steps };
    if (loaded.kind === "absent") {
      const command = kind === "bare" ? "localhostess trust --bare-names" : "localhostess trust";
      return { ...impossible("there is no certificate authority yet", command), steps };
    }
    const why = unlimitedWhy(kind, loaded.ca);
    if (why !== undefined) return { ...impossible(why, "localhostess trust --renew"), steps };
    steps.unshift(await authorityStep(loaded.ca, { anchors, place }));
  }
  return { kind: "steps", steps, rights: [] };
}

function optionsOf(kind: CertificateAuthorityKind, place: SetupPlace): CertificateAuthorityOptions {
  const { stateDirectory, tlds } = place;
  return { stateDirectory, kind, tlds, clock: systemClock, identity: processIdentity() };
}

/** Everybody on this machine will believe it: it must not be able to sign for more than it is for. */
function unlimitedWhy(
  kind: CertificateAuthorityKind,
  { permitted, serversOnly }: CertificateAuthority,
): string | undefined {
  if (!serversOnly) return "this certificate authority may also sign for mail and programs";
  if (kind === "names" && (permitted === undefined || permitted.length === 0)) {
    return "this certificate authority may sign for any name";
  }
  return undefined;
}

type Where = { anchors: Anchors; place: SetupPlace };

async function authorityStep(ca: CertificateAuthority, { anchors, place }: Where): Promise<Step> {
  const { machine } = place;
  const { root } = machine;
  const { pem, certificatePath, permitted, kind } = ca;
  const store = anchorStore(anchors, machine);
  const file = anchorFile(anchors, { root, pem });
  const holders = await anchorHolders(anchors, { root, pem });
  const isTrusted = (await store.check({ pem, path: certificatePath })).kind === "trusted";
  const names = permitted === undefined ? "any name" : `names under ${listed(permitted)} only`;
  const may = `may sign for ${names}`;
  const [path, fresh, folder] = [file, `${file}.new`, dirname(file)].map(shellWord);
  return {
    id: `trust-${kind}`,
    purpose: `have every program of this machine trust ${commonOf(ca)}, which ${may} (SHA-256 ${sha256Of(pem)})`,
    undoing: `have no program of this machine trust ${commonOf(ca)}`,
    isDone: isTrusted,
    isThere: isTrusted || holders.length > 0,
    commands: [
      `install -d -m 755 ${folder}`,
      // The certificate itself stands here: a file of the user could be another one by the time that root reads it.
      `printf '%s\\n' ${pemOf(bodyOf(pem)).trim().split("\n").map(shellWord).join(" ")} > ${fresh}`,
      `chmod 644 ${fresh}`,
      `mv -f ${fresh} ${path}`,
      refreshing(anchors.refresh, root),
    ],
    removal: removing(anchors, { root, pem, files: holders }),
  };
}

function commonOf({ commonName }: CertificateAuthority): string {
  return pastedWord(commonName);
}

/** Ours that were replaced, and the one for bare names without its option: only ever taken away. */
async function gone(place: SetupPlace, anchors: Anchors): Promise<Step[]> {
  const { root } = place.machine;
  const pems = new Set<string>();
  for (const kind of ["names", "bare"] as const) {
    const options = optionsOf(kind, place);
    for (const { pem } of await replacedCertificates(options)) pems.add(pem);
    if (kind === "names" || place.bareNames) continue;
    const loaded = await loadCertificateAuthority(options);
    if (loaded.kind === "ready") pems.add(loaded.ca.pem);
  }
  const steps: Step[] = [];
  for (const pem of pems) {
    const files = await anchorHolders(anchors, { root, pem });
    if (files.length === 0) continue;
    const name = new X509Certificate(pem).subject.replace(/^CN=/m, "");
    steps.push({
      id: `trust-${sha256Of(pem).slice(0, 16)}`,
      purpose: `keep ${pastedWord(name)}`,
      undoing: `have no program of this machine trust ${pastedWord(name)}`,
      isDone: true,
      isThere: true,
      commands: [],
      removal: removing(anchors, { root, pem, files }),
    });
  }
  return steps;
}

/** By content: a file that holds anything else by then stays. */
function removing(
  { refresh, refreshAfterRemoval }: Anchors,
  { root, pem, files }: { root: string; pem: string; files: readonly string[] },
): string[] {
  return [
    ...files.map((file) => {
      const path = shellWord(file);
      return `! tr -d '\\r\\n' < ${path} | grep -qF ${shellWord(bodyOf(pem))} || rm -f ${path}`;
    }),
    refreshing(refreshAfterRemoval ?? refresh, root),
  ];
}

function refreshing([program = "", ...rest]: readonly string[], root: string): string {
  return [join(root, program), ...rest].map(shellWord).join(" ");
}
