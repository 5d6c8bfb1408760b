/** The address of a listening socket on another machine -> where ssh forwards to. Pure. */

/** `[::1]` in the form of ssh, or undefined for what is no address. */
export function addressThere(address: string): string | undefined {
  if (/^[0-9A-F]{8}$/i.test(address)) return v4(address);
  if (/^[0-9A-F]{32}$/i.test(address)) return v6(address);
  const bare = address.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  if (bare === "*" || bare === "0.0.0.0") return "127.0.0.1";
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(bare)) return bare;
  if (bare === "::") return "::1";
  // A zone, as of fe80::1%eth0, is none that ssh takes there.
  return /^[0-9a-f:.]{2,45}$/.test(bare) && bare.includes(":") ? bare : undefined;
}

/** As /proc/net/tcp has it: a word in the machine's order of bytes, which is little-endian. */
function v4(hex: string): string {
  const bytes = hex.match(/../g)!.reverse();
  const text = bytes.map((byte) => Number.parseInt(byte, 16)).join(".");
  return text === "0.0.0.0" ? "127.0.0.1" : text;
}

function v6(hex: string): string {
  const words = hex.match(/.{8}/g)!;
  const bytes = words.flatMap((word) => word.match(/../g)!.reverse());
  const text = bytes.join("").toLowerCase();
  if (text === "0".repeat(32)) return "::1";
  // An IPv4 address in IPv6's form.
  if (text.startsWith(`${"0".repeat(20)}ffff`)) return v4(words[3]!);
  const groups = text.match(/.{4}/g)!.map((group) => group.replace(/^0{1,3}/, ""));
  return groups.join(":") === "0:0:0:0:0:0:0:1" ? "::1" : groups.join(":");
}

/** For `-L` of ssh: `127.0.0.1:3000`, `[::1]:3000`, or the path of a socket. */
export function forwardTo({ address, port }: { address: string; port: number }): string {
  if (address.startsWith("/")) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
