/** A host, as an authority has it, into what it means to us. */

export type Host =
  /** `localhost` and loopback literals: the proxy itself. */
  | { kind: "own" }
  /** A service's name. `bare`: written without `.localhost`, so that a back end would not know it. */
  | { kind: "name"; name: string; bare: boolean }
  /** Any other name: a page that was led here by DNS rebinding has one of these. */
  | { kind: "foreign" };

const own: Host = { kind: "own" };
const foreign: Host = { kind: "foreign" };

const suffix = ".localhost";
const label = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;
const loopback4 =
  /^127\.(?:25[0-5]|2[0-4]\d|1?\d?\d)\.(?:25[0-5]|2[0-4]\d|1?\d?\d)\.(?:25[0-5]|2[0-4]\d|1?\d?\d)$/;
/** What `inet_aton` takes for an address: `2130706433`, `0x7f000001`. Some clients do, so it is no name. */
const numeric = /^(?:\d+|0x[0-9a-f]*)$/;

/** `host` is lower case and without a final dot. */
export function classifyHost(host: string): Host {
  if (host === "localhost") return own;
  if (host.endsWith(suffix)) {
    const name = host.slice(0, -suffix.length);
    return name.split(".").every((part) => label.test(part))
      ? { kind: "name", name, bare: false }
      : foreign;
  }
  if (host === "[::1]" || loopback4.test(host)) return own;
  if (label.test(host) && !numeric.test(host)) return { kind: "name", name: host, bare: true };
  return foreign;
}
