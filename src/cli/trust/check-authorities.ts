/** The certificate authorities of the state directory -> findings about their key, names, expiry and trust stores. */
import {
  type CertificateAuthority,
  daysLeft,
  loadCertificateAuthority,
} from "../../tls/certificate-authority.ts";
import { differenceOf } from "../../tls/permitted.ts";
import type { Machine } from "../../tls/trust/store.ts";
import { trustStores } from "../../tls/trust/stores.ts";
import { certificateAuthorityOptions } from "../shared/machine.ts";
import type { Settings } from "../shared/settings.ts";
import type { Finding } from "./finding.ts";
import { certificateOf } from "./trust.ts";

/** Days before its end from which an authority is reported. */
const warnDays = 90;

export async function checkAuthorities(settings: Settings, machine: Machine): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const kind of ["names", "bare"] as const) {
    const check = kind === "names" ? "authority" : "authority for bare names";
    const loaded = await loadCertificateAuthority(certificateAuthorityOptions(kind, settings));
    if (loaded.kind === "broken") {
      for (const problem of loaded.problems)
        findings.push(brokenCertificateAuthority(check, problem));
    } else if (loaded.kind === "ready") {
      const its = loaded.ca;
      findings.push(
        { check, level: "ok", detail: `${its.commonName}, in ${its.certificatePath}`, fix: null },
        { check: `${check}: key`, level: "ok", detail: "only you can read it", fix: null },
        expiry(check, its),
        ...constraint(its, settings),
        ...purposes(check, its),
        ...(await stores(its, machine)),
      );
    } else if (kind === "names") {
      const detail = "there is none yet; the first https connection creates it, or:";
      findings.push({ check, level: "warning", detail, fix: "localhostess trust" });
    }
  }
  return findings;
}

function constraint(ca: CertificateAuthority, { tlds }: Settings): Finding[] {
  const difference = differenceOf(ca.permitted, tlds);
  if (difference === undefined) return [];
  const { what, fix } = difference;
  return [{ check: "authority: names", level: "warning", detail: what, fix }];
}

/** An older authority keeps working until the person wants another. */
function purposes(authority: string, { serversOnly, kind }: CertificateAuthority): Finding[] {
  if (serversOnly) return [];
  return [
    {
      check: `${authority}: purposes`,
      level: "ok",
      detail: "it may also sign for mail and programs; a new one is for servers only",
      fix: renewal(kind),
    },
  ];
}

function renewal(kind: CertificateAuthority["kind"]): string {
  return `localhostess trust ${kind === "bare" ? "--bare-names " : ""}--renew`;
}

/** "<path>: <what>; <what to do>". */
function brokenCertificateAuthority(check: string, problem: string): Finding {
  const cut = problem.lastIndexOf("; ");
  return {
    check,
    level: "broken",
    detail: cut === -1 ? problem : problem.slice(0, cut),
    fix: cut === -1 ? null : problem.slice(cut + 2),
  };
}

function expiry(authority: string, { expiresAt, kind }: CertificateAuthority): Finding {
  const left = daysLeft({ expiresAt }, Date.now());
  const day = new Date(expiresAt).toISOString().slice(0, 10);
  const near = left <= warnDays;
  return {
    check: `${authority}: expiry`,
    level: near ? "warning" : "ok",
    detail: near ? `it expires in ${left} days, on ${day}` : `it is valid until ${day}`,
    fix: near ? renewal(kind) : null,
  };
}

async function stores(ca: CertificateAuthority, machine: Machine): Promise<Finding[]> {
  const command = `localhostess trust${ca.kind === "bare" ? " --bare-names" : ""}`;
  const certificate = certificateOf(ca);
  const found = await trustStores(machine);
  return await Promise.all(
    found.map(async (store): Promise<Finding> => {
      const result = await store.check(certificate);
      const check = `${ca.kind === "bare" ? "bare names trusted by" : "trusted by"} ${store.name}`;
      if (result.kind === "trusted") return { check, level: "ok", detail: "yes", fix: null };
      return {
        check,
        level: "warning",
        detail: result.kind === "absent" ? (result.why ?? "no") : `unknown: ${result.why}`,
        fix: result.kind === "absent" ? command : result.fix,
      };
    }),
  );
}
