/** A page load that came without TLS -> the answer that redirects it to https. Pure. */
import { originOf } from "../../routes/service-row.ts";
import { latin1 } from "../../wire/bytes.ts";
import type { RequestFraming } from "../../wire/framing.ts";
import type { RequestHead } from "../../wire/head.ts";
import type { Target } from "../../wire/target.ts";
import type { Destination } from "./destination.ts";
import { writePath } from "../upstream/forward.ts";
import { HeadWriter } from "../frames/head-writer.ts";
import { frontPath } from "../pages/own-pages.ts";
import { isPageLoad } from "./page-load.ts";
import { type Reply, textReply } from "../pages/reply.ts";

export type RedirectTurn = {
  framing: RequestFraming;
  target: Target;
  destination: Destination;
};

/** Undefined: the request is served as it came. */
export type HttpsRedirect = (
  head: RequestHead,
  bytes: Uint8Array,
  turn: RedirectTurn,
) => Reply | undefined;

/** `port`: the port in https URLs. */
export function httpsRedirect(port: number): HttpsRedirect {
  return (head, bytes, { framing, target, destination }) => {
    const host = secureHost(destination);
    if (host === undefined || !isPageLoad(head, bytes, framing)) return undefined;
    const from = target.form === "absolute" ? target.pathStart : head.targetStart;
    const out = new HeadWriter(1_024);
    writePath(head, bytes, from, out);
    const path = latin1(out.bytes, 0, out.length);
    // People open the list of servers; the PAC file and everything else on localhost is for programs.
    if (destination.decision.kind === "own" && path.replace(/\?.*/s, "") !== frontPath) {
      return undefined;
    }
    const reply = textReply(
      308,
      "localhostess: page loads are redirected to https (--https-redirect)",
    );
    const location = `${originOf(host, { scheme: "https", port })}${path}`;
    return {
      ...reply,
      fields: [...reply.fields, ["Location", location], ["Vary", "Sec-Fetch-Mode, Accept"]],
    };
  };
}

/** A name that our certificates cover; undefined if the destination serves no page. */
function secureHost({ decision, authority }: Destination): string | undefined {
  if (decision.kind === "own") return "localhost";
  if (decision.kind !== "proxy" && decision.kind !== "absent") return undefined;
  return authority.host.includes(".") ? authority.host : `${authority.host}.localhost`;
}
