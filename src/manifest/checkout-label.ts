/** A git branch, or the folder of a worktree -> the label that stands in front of the names of its servers. Pure. */
import { punycode, shortHash } from "./project-name.ts";

/** RFC 1035 section 2.3.4. */
const longestLabel = 63;

/** A hyphen and the eight digits of a hash. */
const hashRoom = 9;

export type NamedCheckout = {
  /** Undefined where HEAD is detached. */
  branch: string | undefined;
  /** The folder's path. */
  root: string;
};

/**
 * Letters and digits in lower case, and a hyphen for every run of other characters: `feature/Fix_nav` is
 * `feature-fix-nav`. A label that is too long, or from which letters had to be left out, ends in a hash of the whole,
 * so that two such branches differ. Without a Latin letter or digit it is as browsers write it: `xn--…`.
 */
export function checkoutLabel(name: string): string {
  const folded = name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const label = folded.replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "");
  if (label === "") return punycode(spaced(name)) ?? `branch-${shortHash(name)}`;
  const isWhole = label.length <= longestLabel && /^[\x00-\x7f]*$/.test(folded);
  return isWhole ? label : hashed(label, name);
}

/**
 * A label for each, in their order; of several that would have the same, the first has it, and the others end in a
 * hash. So the caller passes the oldest first, whose label then stays as long as it is there.
 */
export function labelsApart(checkouts: readonly NamedCheckout[]): string[] {
  const taken = new Set<string>();
  return checkouts.map(({ branch, root }) => {
    const name = branch ?? root.slice(root.lastIndexOf("/") + 1);
    const plain = checkoutLabel(name);
    let label = plain;
    for (let whole = branch ?? root; taken.has(label); whole = `${whole} ${root}`) {
      label = hashed(plain, whole);
    }
    taken.add(label);
    return label;
  });
}

function hashed(label: string, whole: string): string {
  const start = label.slice(0, longestLabel - hashRoom).replace(/-+$/, "");
  return `${start}-${shortHash(whole)}`;
}

function spaced(name: string): string {
  return name
    .normalize("NFC")
    .replace(/[^\p{L}\p{M}\p{N}\p{So}]+/gu, "-")
    .replace(/^-+|-+$/g, "");
}
