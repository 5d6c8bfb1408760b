/**
 * The proxy's port, the configured domains and the names that are known -> the text of `/proxy.pac`, which sends
 * names without a dot, and names under those domains, to the proxy. Pure.
 */

export type PacFacts = {
  port: number;
  /** Domains besides `localhost`: lower case, made of letters, digits, hyphens and dots. */
  tlds: readonly string[];
  /** Names that something here answers for; those that no host can have, such as names with dots, are left out. */
  names: readonly string[];
};

/** A name of one label. */
const label = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/;

/**
 * Written in ECMAScript 3, because Windows and older browsers run it in old engines. It uses 127.0.0.1, because not
 * every system resolves `*.localhost`; and it has no rule for `*.localhost`, because browsers never ask a PAC file
 * about those.
 *
 * The proxy closes without an answer for a name that it does not know. Firefox then goes on with DIRECT, Chromium does
 * not. So a name that the network has is not sent to the proxy at all.
 */
export function pacFile({ port, tlds, names }: PacFacts): string {
  const endings = tlds.map((tld) => JSON.stringify(`.${tld}`)).join(", ");
  const known = names.filter((name) => label.test(name)).join(" ");
  return `function FindProxyForURL(url, host) {
  var proxy = "PROXY 127.0.0.1:${port}; DIRECT";
  // Configured domains.
  var endings = [${endings}];
  host = host.toLowerCase();
  for (var i = 0; i < endings.length; i++) {
    var start = host.length - endings[i].length;
    if (start > 0 && host.substring(start) === endings[i]) return proxy;
  }
  // A name of one label. Not a dotted name, an IP address, or an address written as one number.
  var name = ${label};
  var number = /^([0-9]+|0x[0-9a-f]*)$/;
  if (host === "localhost" || !name.test(host) || number.test(host)) {
    return "DIRECT";
  }
  // Names of this machine's services, at the time when this file was read.
  var known = " ${known} ";
  if (known.indexOf(" " + host + " ") !== -1) return proxy;
  // A name of the network. isResolvable asks for IPv4 addresses only; not every browser has the other.
  var found = typeof isResolvableEx === "function" ? isResolvableEx(host) : isResolvable(host);
  return found ? "DIRECT" : proxy;
}
`;
}
