/** The name of another machine, and where ssh reaches it -> what is wrong with either. Pure. */
import { isNumeric } from "../text/numeric-label.ts";
import { shown } from "../text/shown.ts";

const label = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
/** RFC 1035 section 2.3.4. */
const longestLabel = 63;

/** Characters; a host name has at most 253, and a user and a port stand beside it. */
const longestHost = 300;

/**
 * `box`, `me@box`, `me@[2001:db8::1]`, `ssh://me@box:2222`. Neither part begins with a hyphen, which ssh would read as
 * an option, and none has a character that a shell reads: `ProxyCommand` and `Match exec` put both into one.
 */
const host =
  /^(?:ssh:\/\/)?(?:[A-Za-z0-9_.+][A-Za-z0-9_.+-]*@)?(?:[A-Za-z0-9_.][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)(?<port>:\d{1,5})?$/;

/** A sentence; undefined where the name can be the last label of names: `api.box`. */
export function remoteNameMistake(name: string): string | undefined {
  if (name === "localhost") return "localhost is this machine itself";
  if (label.test(name) && name.length <= longestLabel && !isNumeric(name)) return undefined;
  return `the name of another machine has only lower-case letters, digits and inner hyphens, at most ${longestLabel} characters and not only digits, got ${shown(name)}`;
}

/** A sentence; undefined where ssh may be given the text. */
export function hostMistake(text: string): string | undefined {
  const fits = text.length <= longestHost ? host.exec(text) : null;
  if (fits === null) {
    return `expected a host as ssh takes it, such as "me@box" or "ssh://me@box:2222", got ${shown(text)}`;
  }
  if (fits.groups?.port !== undefined && !text.startsWith("ssh://")) {
    return `ssh takes a port only in a URL: ${shown(`ssh://${text}`)}`;
  }
  return undefined;
}
