/** Where something listens -> the text for it: `127.0.0.1:3000`, `[::1]:3000`, `/run/api.sock`. Pure. */
import { printable } from "./printable.ts";

/** As an endpoint has it: a host or an address with a port, or the path of a unix socket. */
export type Listens = { address: string; port: number };

/** More than sockaddr_un has room for, and than DNS has for a name. */
const longest = 256;

/** No host and no address begins like a path. */
export function isSocketPath(address: string): boolean {
  return address.startsWith("/");
}

export function placeText({ address, port }: Listens): string {
  const shown = printable(address, longest);
  if (isSocketPath(address)) return shown;
  return address.includes(":") ? `[${shown}]:${port}` : `${shown}:${port}`;
}
