/** A request over HTTP/2 -> the session's own answer, where no Connection could give it: 405, 414, 421 and others. */
import { classifyHost } from "../../routes/host.ts";
import { readAuthority } from "../../wire/authority.ts";
import { FieldKind, type H2Field } from "../../wire/h2/field.ts";
import type { RequestWriter } from "../../wire/h2/request.ts";
import { headLimit, methodTooLong, RequestHead } from "../../wire/head.ts";
import { covers } from "../client/covers.ts";
import { errorPage, type Problem } from "../pages/error-page.ts";
import { wantsOf } from "../pages/negotiate.ts";
import { encodeReply } from "../pages/reply.ts";

/** The fields are larger than we allow. `excess`: one of them is so by itself, which HTTP/1.1 has a status for. */
export function fieldsTooLarge(excess: FieldKind | undefined): Problem {
  if (excess === FieldKind.method) return { status: 400, why: methodTooLong };
  return { status: excess === FieldKind.path ? 414 : 431, limit: headLimit };
}

const noConnect: Problem = { status: 405, allow: "GET, HEAD, POST" };

/**
 * The client's name for us in its ClientHello; `name` is undefined where the client dialled an address. Undefined
 * altogether: there is no TLS.
 */
export type Certified = { name: string | undefined } | undefined;

export class OwnAnswers {
  readonly #certified: Certified;
  /** The last authority that the certificate covers: HPACK's table gives the same field again. */
  #covered: H2Field | undefined;

  constructor(certified: Certified) {
    this.#certified = certified;
  }

  /** The reason why no Connection may see the request. */
  problemOf({ connect, protocol, proxied, authority }: RequestWriter): Problem | undefined {
    if (connect) return noConnect;
    // RFC 9220 section 3, of a protocol that is not supported.
    if (protocol !== undefined && protocol !== "websocket") return { status: 501, protocol };
    // A client that uses us as its proxy made the handshake with the proxy, not with the host.
    if (proxied) return undefined;
    return this.#misdirected(authority);
  }

  /** Set where the certificate is not one for the host that was asked for. */
  #misdirected(authority: H2Field | undefined): Problem | undefined {
    if (this.#certified === undefined) return undefined;
    if (authority === undefined || authority === this.#covered) return undefined;
    const { line, valueStart, valueEnd } = authority;
    const asked = readAuthority(line, valueStart, valueEnd);
    // The Connection refuses an authority that is none, and says why.
    if (asked === undefined) return undefined;
    const { host } = asked;
    const serverName = this.#certified.name;
    if (covers(serverName, host)) {
      this.#covered = authority;
      return undefined;
    }
    if (classifyHost(host).kind === "foreign") return { status: 421, host };
    return { status: 421, host, certificate: serverName ?? "localhost" };
  }
}

/** The page in the form that the request asks for, as HTTP/1.1 has it. `asked`: the request's head, whole or not. */
export function encodedAnswer(
  problem: Problem,
  asked: Uint8Array,
  { isHead }: { isHead: boolean },
): Uint8Array {
  const head = new RequestHead();
  // The fields that are there say in which form the client wants its answer.
  head.read(asked);
  return encodeReply(errorPage(problem, wantsOf(head, asked)), { head: isHead, close: true });
}
