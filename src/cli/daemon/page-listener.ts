/** A page's URL on this machine -> the other user whose server a browser would load that page from. Pure. */
import { answering, type Place } from "../../system/listeners.ts";

/** Root can have all that is ours, and has the ports of containers. */
const root = 0;

const loopbackName = /^(?:.*\.)?localhost\.?$/;

/** Browsers try both for `localhost` and names under it. */
const both = ["127.0.0.1", "::1"];

export type PageListenerOptions = {
  /** The user who runs the command. */
  uid: number;
  /** The sockets that listen on a port, on any address. */
  listeners(port: number): readonly (Place & { uid: number })[];
};

/** The user's number; undefined: nobody else answers there, or the page is not on this machine's loopback. */
export function strangerAt(url: URL, { uid, listeners }: PageListenerOptions): number | undefined {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const addresses = loopbackName.test(host) ? both : [host];
  const port = url.port === "" ? defaultPorts[url.protocol]! : Number(url.port);
  const rows = listeners(port);
  return addresses
    .filter((address) => address === "::1" || address.startsWith("127."))
    .flatMap((address) => answering(rows, { address, port }))
    .find((row) => row.uid !== uid && row.uid !== root)?.uid;
}

const defaultPorts: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };
