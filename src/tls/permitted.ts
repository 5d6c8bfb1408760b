/**
 * The domains a certificate authority may sign for, and the configured ones -> their difference, for a person. Pure.
 */
import { listed } from "../text/list.ts";

export type Difference = { what: string; fix: string };

/** `permitted`: the suffixes in the certificate; undefined if it may sign for any name. */
export function maySignFor(tld: string, permitted: readonly string[] | undefined): boolean {
  if (permitted === undefined) return true;
  return permitted.some((its) => tld === its || tld.endsWith(`.${its}`));
}

export function differenceOf(
  permitted: readonly string[] | undefined,
  tlds: readonly string[],
): Difference | undefined {
  if (permitted === undefined) return undefined;
  const missing = tlds.filter((tld) => !maySignFor(tld, permitted));
  const spare = permitted.filter((its) => its !== "localhost" && !maySignFor(its, tlds));
  const parts: string[] = [];
  if (missing.length > 0) {
    parts.push(
      `the certificate authority may not sign for ${dotted(missing)}, so there is no https for names under it`,
    );
  }
  if (spare.length > 0) {
    parts.push(`the certificate authority may sign for ${dotted(spare)}, which is not configured`);
  }
  if (parts.length === 0) return undefined;
  return { what: parts.join("; "), fix: "localhostess trust --renew" };
}

function dotted(domains: readonly string[]): string {
  return listed(domains.map((domain) => `.${domain}`));
}
