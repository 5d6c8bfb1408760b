/** An answer of our own, as text -> the same for a client of gRPC: a status and a message in trailers alone. Pure. */
import { ErrorCode } from "../../wire/h2/frame.ts";
import type { Reply } from "./reply.ts";

/**
 * Statuses of gRPC for those of HTTP, as gRPC's document on the mapping of status codes has them. A client that gets
 * UNAVAILABLE may try again.
 */
const statuses: Readonly<Record<number, number>> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  429: 14,
  502: 14,
  503: 14,
  504: 14,
};
const unknown = 2;

/** The same for codes of RST_STREAM, as gRPC over HTTP/2 has them. All others are INTERNAL. */
const resets: Readonly<Record<number, number>> = {
  [ErrorCode.refusedStream]: 14,
  [ErrorCode.cancel]: 1,
  [ErrorCode.enhanceYourCalm]: 8,
};
const internal = 13;

/** Octets of a message; more would not fit in the fields of every client. */
const messageLimit = 1_024;

/**
 * gRPC over HTTP/2 calls such an answer Trailers-Only: it is one header section, and has the HTTP status 200.
 * `resetCode`: of the server's RST_STREAM, where that is what the answer tells.
 */
export function grpcReply({ status, body }: Reply, resetCode?: number): Reply {
  const own = resetCode === undefined ? statuses[status] : (resets[resetCode] ?? internal);
  return {
    status: 200,
    fields: [
      ["Content-Type", "application/grpc"],
      ["grpc-status", String(own ?? unknown)],
      ["grpc-message", encoded(body.trim().slice(0, messageLimit))],
    ],
    body: "",
  };
}

/** Percent-encodes all but printable ASCII, as the protocol wants it. */
function encoded(message: string): string {
  let text = "";
  for (const octet of new TextEncoder().encode(message)) {
    const isPlain = octet >= 32 && octet < 127 && octet !== 37;
    text += isPlain
      ? String.fromCharCode(octet)
      : `%${octet.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return text === "" ? "-" : text;
}
