/** A head and its target -> the authority that the request asks for, and the scheme of its URL. Pure. */
import type { RouteTable } from "../../routes/table.ts";
import type { RequestFraming } from "../../wire/framing.ts";
import type { RequestHead } from "../../wire/head.ts";
import type { Target } from "../../wire/target.ts";
import type { Mode } from "./destination.ts";

/** `start` and `end`: offsets of the authority in the head's bytes. `secure`: the request is for an https URL. */
export type AskedFor = {
  mode: Mode;
  secure: boolean;
  table: RouteTable;
  start: number;
  end: number;
};

/**
 * The target's authority if it has one, otherwise Host; undefined if there is neither. RFC 9112 section 3.2.2. `mode`
 * and `secure` are of a request whose target is a path: a URL has a scheme of its own, whatever the client came by.
 */
export function askedFor(
  head: RequestHead,
  target: Target,
  {
    mode,
    secure,
    framing,
    table,
  }: { mode: Mode; secure: boolean; framing: RequestFraming; table: RouteTable },
): AskedFor | undefined {
  if (target.form === "absolute") {
    return {
      mode: "forward",
      secure: target.scheme === "https",
      table,
      start: head.targetStart + target.scheme.length + "://".length,
      end: target.pathStart,
    };
  }
  if (target.form === "authority") {
    return { mode: "connect", secure, table, start: head.targetStart, end: head.targetEnd };
  }
  const { hostStart, hostEnd } = framing;
  return hostStart === -1 ? undefined : { mode, secure, table, start: hostStart, end: hostEnd };
}
