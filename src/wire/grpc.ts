/** A Content-Type -> whether it is one of gRPC, which needs HTTP/2 and ends with trailers. */
import { equalsIgnoreCase } from "./bytes.ts";

const type = "application/grpc";

/**
 * `application/grpc`, alone or with a message format behind `+`. Not gRPC-Web, which is made for HTTP/1.1. The value is
 * bytes[start, end).
 */
export function isGrpc(bytes: Uint8Array, start: number, end: number): boolean {
  const typeEnd = start + type.length;
  if (typeEnd > end || !equalsIgnoreCase(bytes, start, typeEnd, type)) return false;
  if (typeEnd === end) return true;
  const next = bytes[typeEnd]!;
  // `+`, `;` or a blank.
  return next === 43 || next === 59 || next === 32;
}
