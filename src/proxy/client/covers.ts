/** A handshake's server name and a host -> whether the certificate that the client got covers the host. Pure. */
import { classifyHost } from "../../routes/host.ts";

/** A certificate covers its name and one level below. Without a server name, it covers our own hosts. */
export function covers(serverName: string | undefined, host: string): boolean {
  if (serverName === undefined || classifyHost(serverName).kind === "own") {
    return classifyHost(host).kind === "own";
  }
  if (host === serverName) return true;
  if (!serverName.includes(".") || !host.endsWith(`.${serverName}`)) return false;
  return !host.slice(0, -serverName.length - 1).includes(".");
}
