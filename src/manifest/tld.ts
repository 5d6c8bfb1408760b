/** A word -> a top-level domain that names may end in, or why it cannot be one; and what its use risks. Pure. */
import { shown } from "../text/shown.ts";

export type Tld = { kind: "tld"; tld: string } | { kind: "mistake"; why: string };

/** RFC 1035 section 2.3.4. */
const longestLabel = 63;
/** A name of 253 letters, with room for a label in front. */
const longestTld = 200;
const label = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
/** What browsers take for the end of an IPv4 address, WHATWG URL section 3.5. */
const numeric = /^(?:\d+|0x[0-9a-f]*)$/;

/**
 * Names that no registry gives to anybody: RFC 2606, RFC 6761, RFC 6762 appendix G, RFC 8375, RFC 9476, and `internal`,
 * which ICANN reserved in 2024.
 */
const nobodys = [
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

/** RFC 1591 section 2: where most of the world has its names. Countries have two letters. */
const everybodys = /^(?:com|edu|gov|int|mil|net|org|arpa|[a-z]{2})$/;

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
      return mistake(`has a dot too many; did you mean ${JSON.stringify(trimmed)}?`);
    }
    return mistake("is no domain: labels of letters, digits and hyphens, such as test or dev.test");
  }
  const last = labels.at(-1)!;
  if (last === "localhost") return mistake("is served always; leave it out");
  if (numeric.test(last)) return mistake("ends in a number, which browsers take for an IP address");
  if (tld === "arpa" || (last === "arpa" && !under(tld, "home.arpa"))) {
    return mistake("is the Internet's own, but for home.arpa; did you mean test?");
  }
  if (everybodys.test(tld)) {
    return mistake(
      `is full of real sites, which an authority on this machine could then pose as; use test, or a domain of yours such as dev.example.${tld}`,
    );
  }
  return { kind: "tld", tld };
}

/** A sentence for a person; undefined where nobody else can own a name under it. */
export function riskOf(tld: string): string | undefined {
  if (nobodys.some((its) => under(tld, its))) return undefined;
  if (under(tld, "local")) {
    return `names under .${tld} are those of multicast DNS (RFC 6762): systems look for them on the network first; test has no such meaning`;
  }
  return `.${tld} has real sites, or may have them one day: whoever reads the key of our authority could pose as one to this machine, and one whose name leads here (DNS rebinding) reads the server of that name; test belongs to nobody`;
}

function under(name: string, suffix: string): boolean {
  return name === suffix || name.endsWith(`.${suffix}`);
}
