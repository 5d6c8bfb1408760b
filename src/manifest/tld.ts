/** A word -> a top-level domain that names may end in, or why it cannot be one; and what its use risks. Pure. */
import { isNumeric } from "../text/numeric-label.ts";
import { shown } from "../text/shown.ts";

export type Tld = { kind: "tld"; tld: string } | { kind: "mistake"; why: string };

/** RFC 1035 section 2.3.4. */
const longestLabel = 63;
/** A name of 253 letters, with room for a label in front. */
const longestTld = 200;
const label = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/**
 * Names that no registry gives to anybody: RFC 2606, RFC 6761, RFC 6762 appendix G, RFC 8375, RFC 9476, and `internal`,
 * which ICANN reserved in 2024.
 */
const reserved = [
  "test",
  "example",
  "invalid",
  "internal",
  "intranet",
  "private",
  "corp",
  "home",
  "lan",
  "home.arpa",
  "localdomain",
  "alt",
];

/** RFC 1591 section 2: the domains that hold most public names. Countries have two letters. */
const publicDomain = /^(?:com|edu|gov|int|mil|net|org|arpa|[a-z]{2})$/;

/** `dev.test` and `test` are both domains that names may end in: `api.dev.test`, `api.test`. */
export function readTld(text: string): Tld {
  const mistake = (why: string): Tld => ({ kind: "mistake", why: `${shown(text)} ${why}` });
  const tld = text.toLowerCase();
  const trimmed = tld.replace(/^(?:\*?\.)+|\.+$/g, "");
  const labels = tld.split(".");
  const sound =
    tld.length <= longestTld &&
    labels.every((part) => part.length <= longestLabel && label.test(part));
  if (!sound) {
    if (trimmed !== tld && readTld(trimmed).kind === "tld") {
      return mistake(`has an extra dot; did you mean ${JSON.stringify(trimmed)}?`);
    }
    return mistake(
      "is not a valid domain: use letters, digits and hyphens, such as test or dev.test",
    );
  }
  const last = labels.at(-1)!;
  if (last === "localhost") return mistake("is always served; remove it");
  if (isNumeric(last)) return mistake("ends in a number, which browsers read as an IP address");
  if (tld === "arpa" || (last === "arpa" && !under(tld, "home.arpa"))) {
    return mistake("is reserved for Internet infrastructure, except home.arpa; did you mean test?");
  }
  if (publicDomain.test(tld)) {
    return mistake(
      `is a public domain: the certificate authority could impersonate its sites; use test, or a domain that you own such as dev.example.${tld}`,
    );
  }
  return { kind: "tld", tld };
}

/** The risk, as a sentence for a person; undefined where nobody else can own a name under the domain. */
export function riskOf(tld: string): string | undefined {
  if (reserved.some((its) => under(tld, its))) return undefined;
  if (under(tld, "local")) {
    return `names under .${tld} belong to multicast DNS (RFC 6762), so systems look for them on the network first; use test instead`;
  }
  return `.${tld} has public sites, or may have some in the future: anyone who reads the key of the certificate authority could impersonate them to this machine, and a site whose name resolves to this machine (DNS rebinding) can read the server of that name; use test instead, which is reserved`;
}

function under(name: string, suffix: string): boolean {
  return name === suffix || name.endsWith(`.${suffix}`);
}
