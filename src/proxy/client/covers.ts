/** The server name of a handshake and a host -> whether the certificate that the client got is one for the host. Pure. */
import { classifyHost } from "../../routes/host.ts";

/** The name itself and one level under it; where the client named no server, what is meant by an address. */
export function covers(serverName: string | undefined, host: string): boolean {
  if (serverName === undefined || classifyHost(serverName).kind === "own") {
    return classifyHost(host).kind === "own";
  }
  if (host === serverName) return true;
  if (!serverName.includes(".") || !host.endsWith(`.${serverName}`)) return false;
  return !host.slice(0, -serverName.length - 1).includes(".");
}
