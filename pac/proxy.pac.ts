/**
 * The proxy's port and the configured domains -> the text of `/proxy.pac`, which sends names without a dot, and names
 * under those domains, to the proxy. Pure.
 */

export type PacFacts = {
  port: number;
  /** Domains besides `localhost`: lower case, made of letters, digits, hyphens and dots. */
  tlds: readonly string[];
};

/**
 * Written in ECMAScript 3, because Windows and older browsers run it in old engines. It uses 127.0.0.1, because not
 * every system resolves `*.localhost`; and it has no rule for `*.localhost`, because browsers never ask a PAC file
 * about those.
 */
export function pacFile({ port, tlds }: PacFacts): string {
  const endings = tlds.map((tld) => JSON.stringify(`.${tld}`)).join(", ");
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
  var name = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/;
  var number = /^([0-9]+|0x[0-9a-f]*)$/;
  if (host === "localhost" || !name.test(host) || number.test(host)) {
    return "DIRECT";
  }
  return proxy;
}
`;
}
