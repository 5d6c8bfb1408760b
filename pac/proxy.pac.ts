/** The proxy's port -> the text of `/proxy.pac`, which sends names without a dot to the proxy. Pure. */

/**
 * ECMAScript 3: Windows and older browsers run it in old engines. It names 127.0.0.1, because not every
 * system resolves `*.localhost`; and it leaves `*.localhost` alone, because browsers never ask it about those.
 */
export function pacFile({ port }: { port: number }): string {
  return `function FindProxyForURL(url, host) {
  host = host.toLowerCase();
  // A name of one label. Not a dotted name, an IP address, or an address written as one number.
  var name = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/;
  var number = /^([0-9]+|0x[0-9a-f]*)$/;
  if (host === "localhost" || !name.test(host) || number.test(host)) {
    return "DIRECT";
  }
  return "PROXY 127.0.0.1:${port}; DIRECT";
}
`;
}
