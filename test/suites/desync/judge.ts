/** What a client sent and what a server saw -> the payloads that were cut in two ways, each with the reason. */
import { readRequests } from "../../support/strict-reader.ts";
import type { Seen } from "../echo-server.ts";
import type { Failure } from "../suite.ts";
import { hiddenPath } from "./payloads.ts";

export type Sent = {
  id: string;
  name: string;
  /** One character an octet. */
  bytes: string;
  /** The client that came next got another answer than its own. */
  poisoned: string | undefined;
};

/** One entry for each payload that was dirty. */
export function dirtyOnes(sent: readonly Sent[], seen: readonly Seen[]): Failure[] {
  const saw = new Map<string, string>();
  for (const { bytes, requests, fault } of seen) {
    for (const line of requests) {
      const id = /\/hidden-(\w+)-/.exec(line)?.[1];
      if (id !== undefined) saw.set(id, "the server saw the hidden request");
    }
    if (fault === undefined) continue;
    // The malformed request itself has its payload's number, or what stands before it has.
    const whole = readRequests(bytes).messages.reduce((sum, { raw }) => sum + raw.length, 0);
    const behind = /-(\w+)-/.exec(bytes.slice(whole))?.[1];
    const before = [...bytes.slice(0, whole).matchAll(/-(\w+)-/g)].at(-1)?.[1];
    const id = behind ?? before;
    if (id !== undefined && !saw.has(id))
      saw.set(id, `the server was sent what is not well-formed: ${fault}`);
  }
  return sent.flatMap(({ id, name, bytes, poisoned }) => {
    const why = poisoned ?? saw.get(id);
    if (why === undefined || (poisoned === undefined && isSent(bytes, id))) return [];
    return [{ name, why }];
  });
}

/** Whether a strict reader of the client's bytes finds the hidden request in them too. */
function isSent(bytes: string, id: string): boolean {
  const { messages } = readRequests(
    bytes
      // RFC 9112 section 2.2: an empty line in front of a request is ignored.
      .replace(/^\r\n/, "")
      .replace("\r\n0\r\n\r\n\r\n", "\r\n0\r\n\r\n")
      // RFC 9110 section 6.5.1: fields that mean nothing in trailers are dropped.
      .replace(/(\r\n0\r\n)(?:Content-Length|Transfer-Encoding|Connection):/, "$1X-Trailer:"),
  );
  return messages.some(({ target }) => target === hiddenPath(id));
}
